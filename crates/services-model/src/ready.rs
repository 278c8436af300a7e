//! A model with credentials, ready to be called; calls are spread over several credentials where set up so.

use boxed::boxed;
use std::{sync::Arc, time::Duration};

use model_runtime::{
    CallContext, Credentials, InvokeError, LlmRequest, LlmStream, ModelProvider, ModelRef,
    ModelSchema, ModelType,
};
use services_core::Ctx;
use types::TenantId;
use uuid::Uuid;

use crate::{ModelError, Models, setup::INHERIT};

/// How long a credential rests that was refused for too many calls.
const REST_RATE_LIMIT: Duration = Duration::from_secs(60);

/// How long a credential rests that was refused or whose provider was not reached.
const REST_FAULT: Duration = Duration::from_secs(10);

/// The turn counter starts anew here, as in the reference.
const TURNS: i64 = 10_000_000;

/// A model that can be called.
#[derive(Clone)]
pub struct ReadyModel {
    ctx: Ctx,
    /// The workspace it is called for.
    pub tenant: TenantId,
    /// What it does.
    pub kind: ModelType,
    /// Its provider.
    pub provider: Arc<dyn ModelProvider>,
    /// What it can do and costs.
    pub schema: Arc<ModelSchema>,
    /// Its id at the provider.
    pub model: String,
    /// The credentials of a call that is not spread.
    pub credentials: Credentials,
    spread: Vec<(Uuid, Credentials)>,
}

impl ReadyModel {
    pub(crate) async fn resolve(
        models: &Models,
        tenant: TenantId,
        kind: ModelType,
        provider: &str,
        model: &str,
    ) -> Result<Self, ModelError> {
        let provider = models.registry().resolve(tenant, provider).await?;
        let id = provider.schema().provider.clone();
        let setup = models.setup(tenant).await?;
        if !setup.is_enabled(&id, kind, model) {
            return Err(ModelError::Disabled(model.to_owned()));
        }
        let credentials = setup
            .model_credentials(&id, kind, model)
            .cloned()
            .ok_or_else(|| ModelError::NotInitialized(model.to_owned()))?;
        let call = CallContext::new(tenant);
        let schema = provider
            .model_schema(&call, kind, ModelRef { model, credentials: &credentials })
            .await?
            .ok_or_else(|| ModelError::Missing(model.to_owned()))?;
        let spreads = models.ctx().config.feature.model_lb_enabled;
        let spread = setup
            .spread(&id, kind, model)
            .into_iter()
            .filter(|_| spreads)
            .filter_map(|config| {
                let own = if config.name == INHERIT {
                    setup.provider_credentials(&id)
                } else {
                    // Entries made of a stored credential follow it when it changes.
                    config
                        .credential_id
                        .and_then(|id| setup.opened(id))
                        .or_else(|| setup.opened(config.id))
                };
                own.map(|own| (config.id, own.clone()))
            })
            .collect();
        Ok(Self {
            ctx: models.ctx().clone(),
            tenant,
            kind,
            provider,
            schema,
            model: model.to_owned(),
            credentials,
            spread,
        })
    }

    /// The full id of the provider.
    #[must_use]
    pub fn provider_id(&self) -> &str {
        &self.provider.schema().provider
    }

    /// The model and the credentials of a call that is not spread.
    #[must_use]
    pub fn as_ref(&self) -> ModelRef<'_> {
        ModelRef { model: &self.model, credentials: &self.credentials }
    }

    /// Calls a chat or completion model; `request.model` and its credentials are filled in here.
    ///
    /// # Errors
    /// What the provider answers instead; with several credentials, the last refusal when all refuse.
    #[boxed]
    pub async fn invoke_llm(
        &self,
        call: &CallContext,
        mut request: LlmRequest,
    ) -> Result<LlmStream, InvokeError> {
        request.model.clone_from(&self.model);
        if self.spread.is_empty() {
            request.credentials.clone_from(&self.credentials);
            return self.provider.invoke_llm(call, &request).await;
        }
        let mut refusal = None;
        for (config, credentials) in self.in_turn().await {
            request.credentials.clone_from(credentials);
            match self.provider.invoke_llm(call, &request).await {
                Ok(stream) => return Ok(stream),
                Err(err) => match rest_of(&err) {
                    Some(rest) => {
                        self.cool_down(config, rest).await;
                        refusal = Some(err);
                    }
                    None => return Err(err),
                },
            }
        }
        Err(refusal.unwrap_or_else(|| {
            InvokeError::Value("Model credentials is not initialized.".to_owned())
        }))
    }

    /// The credentials whose turn it is, then the others; those that rest are left out.
    async fn in_turn(&self) -> Vec<(Uuid, &Credentials)> {
        let count = self.spread.len();
        let key = format!("model_lb_index:{}", self.redis_name());
        let redis = &self.ctx.redis;
        let turn = redis.incr_ex(&key, Duration::from_secs(3600)).await.unwrap_or(1);
        if TURNS <= turn {
            let _ = redis.set_ex(&key, b"1", Duration::from_secs(3600)).await;
        }
        let first = usize::try_from(turn - 1).unwrap_or(0) % count.max(1);
        let mut ready = Vec::with_capacity(count);
        for (config, credentials) in self.spread.iter().cycle().skip(first).take(count) {
            // Without Redis nobody knows who rests.
            if !redis.exists(&self.rest_key(*config)).await.unwrap_or(false) {
                ready.push((*config, credentials));
            }
        }
        ready
    }

    async fn cool_down(&self, config: Uuid, rest: Duration) {
        if let Err(err) = self.ctx.redis.set_ex(&self.rest_key(config), b"true", rest).await {
            tracing::debug!(error = %err, "could not let a credential rest");
        }
    }

    fn rest_key(&self, config: Uuid) -> String {
        rest_key(self.tenant, self.provider_id(), self.kind, &self.model, config)
    }

    fn redis_name(&self) -> String {
        format!("{}:{}:{}:{}", self.tenant, self.provider_id(), self.kind.as_str(), self.model)
    }
}

/// While this key is there, the credential rests.
pub(crate) fn rest_key(
    tenant: TenantId,
    provider: &str,
    kind: ModelType,
    model: &str,
    config: Uuid,
) -> String {
    format!("model_lb_index:cooldown:{tenant}:{provider}:{}:{model}:{config}", kind.as_str())
}

fn rest_of(err: &InvokeError) -> Option<Duration> {
    match err {
        InvokeError::RateLimit(_) => Some(REST_RATE_LIMIT),
        InvokeError::Authorization(_) | InvokeError::Connection(_) => Some(REST_FAULT),
        _ => None,
    }
}
