//! The world of the nodes: models, files, earlier messages, code, HTTP.

mod files;
mod history;

use std::{sync::Arc, time::Duration};

use graph::{NodeFactory, PureNodes, RunInfo};
use nodes::{
    CallingNodes, CodeLimits, CodeRunner, Embedded, HttpLimits, Ports, SandboxService,
    ports::Absent,
};
use services_core::Ctx;
use services_model::Models;

use super::{Nodes, forms};

/// All nodes: those that compute, and those that call out.
pub struct AllNodes {
    calling: CallingNodes,
    forms: forms::StoredForms,
    template_max_length: usize,
}

impl AllNodes {
    /// Nodes over the services of `ctx`, with the parts of the world that `with` replaces.
    #[must_use]
    pub fn new(ctx: &Ctx, models: &Models, with: impl FnOnce(&mut Ports)) -> Self {
        let mut ports = ports(ctx, models);
        with(&mut ports);
        let length = ctx.config.feature.template_transform_max_length;
        Self {
            calling: CallingNodes::new(Arc::new(ports)),
            forms: forms::StoredForms::new(ctx.clone()),
            template_max_length: usize::try_from(length).unwrap_or(400_000),
        }
    }
}

impl Nodes for AllNodes {
    fn factory(&self, _run: &Arc<RunInfo>) -> Arc<dyn NodeFactory> {
        let pure = PureNodes {
            template_max_length: self.template_max_length,
            forms: Arc::new(self.forms.clone()),
        };
        Arc::new((pure, self.calling.clone()))
    }
}

/// What nodes need, from the services of `ctx`; tools, agents and knowledge are added by who has them.
#[must_use]
pub fn ports(ctx: &Ctx, models: &Models) -> Ports {
    let absent = Arc::new(Absent);
    let files = Arc::new(files::Stored(ctx.clone()));
    Ports {
        models: services_conversation::adapt::models(models),
        history: Arc::new(history::Said { ctx: ctx.clone(), files: files.clone() }),
        files,
        tools: absent.clone(),
        agents: absent.clone(),
        retrieval: absent.clone(),
        datasources: absent,
        code: code(ctx),
        code_limits: code_limits(ctx),
        http: ctx.http.clone(),
        http_limits: http_limits(ctx),
    }
}

/// The sandbox service where the operator names one, else what this process can do itself.
fn code(ctx: &Ctx) -> Arc<dyn CodeRunner> {
    if !ctx.config.is_set("CODE_EXECUTION_ENDPOINT") {
        return Arc::new(Embedded::default());
    }
    let feature = &ctx.config.feature;
    let seconds = feature.code_execution_connect_timeout
        + feature.code_execution_read_timeout
        + feature.code_execution_write_timeout;
    Arc::new(SandboxService {
        http: ctx.http.clone(),
        endpoint: feature.code_execution_endpoint.clone(),
        api_key: feature.code_execution_api_key.clone(),
        timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(80)),
        verify_tls: feature.code_execution_ssl_verify,
    })
}

fn code_limits(ctx: &Ctx) -> CodeLimits {
    let feature = &ctx.config.feature;
    CodeLimits {
        max_string_length: size(feature.code_max_string_length),
        max_number: feature.code_max_number,
        min_number: feature.code_min_number,
        max_precision: size(feature.code_max_precision),
        max_depth: size(feature.code_max_depth),
        max_number_array_length: size(feature.code_max_number_array_length),
        max_string_array_length: size(feature.code_max_string_array_length),
        max_object_array_length: size(feature.code_max_object_array_length),
    }
}

fn http_limits(ctx: &Ctx) -> HttpLimits {
    let feature = &ctx.config.feature;
    let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    HttpLimits {
        connect: seconds(feature.http_request_max_connect_timeout),
        read: seconds(feature.http_request_max_read_timeout),
        write: seconds(feature.http_request_max_write_timeout),
        max_binary_size: size(feature.http_request_node_max_binary_size),
        max_text_size: size(feature.http_request_node_max_text_size),
        verify_tls: feature.http_request_node_ssl_verify,
    }
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
