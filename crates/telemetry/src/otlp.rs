//! Export of traces over OTLP/HTTP.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tokio::runtime::Handle;
use tracing::{info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::InitError;

const SHUTDOWN: Duration = Duration::from_secs(5);

pub(crate) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Sends our spans; not those of the libraries that carry them, which would trace themselves.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        let quiet =
            crate::QUIET.iter().map(|library| (*library, tracing::level_filters::LevelFilter::OFF));
        let ours = Targets::new().with_default(tracing::Level::INFO).with_targets(quiet);
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("dify-api")).with_filter(ours)
    }

    pub(crate) fn shutdown(self) {
        // Nothing can be done about spans that do not leave in time.
        let _ = self.0.shutdown_with_timeout(SHUTDOWN);
    }
}

/// The exporter the settings ask for; none if they ask for one that is not built in.
pub(crate) fn exporter(config: &Config) -> Result<Option<Exporter>, InitError> {
    let settings = &config.observability;
    if !is_http(config) {
        return Ok(None);
    }
    let runtime = Handle::try_current().map_err(|why| InitError::Export(why.into()))?;
    // The TLS client takes the process's provider; an error means that there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = match settings.otlp_trace_endpoint.as_str() {
        "" => format!("{}/v1/traces", settings.otlp_base_endpoint),
        endpoint => endpoint.to_owned(),
    };
    let mut headers = HashMap::new();
    if !settings.otlp_api_key.is_empty() {
        headers.insert("Authorization".to_owned(), format!("Bearer {}", settings.otlp_api_key));
    }
    let otlp = OtlpExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .with_timeout(milliseconds(settings.otel_batch_export_timeout))
        .with_headers(headers)
        .build()
        .map_err(|why| InitError::Export(why.into()))?;
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(count(settings.otel_max_queue_size))
        .with_max_export_batch_size(count(settings.otel_max_export_batch_size))
        .with_scheduled_delay(milliseconds(settings.otel_batch_export_schedule_delay))
        .build();
    let on_runtime = OnRuntime { exporter: Arc::new(otlp), runtime };
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            settings.otel_sampling_rate,
        ))))
        .with_resource(resource(config))
        .with_span_processor(
            BatchSpanProcessor::builder(on_runtime).with_batch_config(batch).build(),
        )
        .build();
    Ok(Some(Exporter(provider)))
}

fn is_http(config: &Config) -> bool {
    let settings = &config.observability;
    settings.otel_exporter_type == "otlp"
        && !settings.otel_exporter_otlp_protocol.eq_ignore_ascii_case("grpc")
}

/// Says, once the log is there, what becomes of traces.
pub(crate) fn report(config: &Config, exporting: bool) {
    let settings = &config.observability;
    if exporting {
        info!(endpoint = settings.otlp_base_endpoint, "exporting traces over OTLP/HTTP");
    } else {
        warn!(
            exporter = settings.otel_exporter_type,
            protocol = settings.otel_exporter_otlp_protocol,
            "traces are not exported: only the otlp exporter over HTTP is built in"
        );
    }
}

fn resource(config: &Config) -> Resource {
    let commit = &config.packaging.commit_sha;
    let version = format!("dify-{}-{commit}", types::DIFY_VERSION);
    let environment = format!("{}-{}", config.deploy.deploy_env, config.deploy.edition);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Resource::builder()
        .with_service_name(config.deploy.application_name.clone())
        .with_attributes([
            KeyValue::new("service.version", version),
            KeyValue::new("deployment.environment.name", environment),
            KeyValue::new("custom.deployment.git_commit", commit.clone()),
            KeyValue::new("process.pid", i64::from(std::process::id())),
            KeyValue::new("host.name", host.trim().to_owned()),
            KeyValue::new("host.arch", std::env::consts::ARCH),
            KeyValue::new("os.type", std::env::consts::OS),
        ])
        .build()
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or_default())
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default().max(1)
}

/// The batch processor exports from a thread of its own, the HTTP client needs the runtime: this sends
/// there and waits here.
struct OnRuntime {
    exporter: Arc<OtlpExporter>,
    runtime: Handle,
}

impl fmt::Debug for OnRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRuntime")
    }
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await });
        sent.await.map_err(|why| OTelSdkError::InternalFailure(why.to_string()))?
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Called once, before anything is exported: nobody else holds the exporter yet.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
