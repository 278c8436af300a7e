//! Models of the workspace.

use std::sync::Arc;

use app_engine::ports::{LlmCall, LlmModel, ModelError, ModelSource};
use async_trait::async_trait;
use model_runtime::{
    CallContext, InvokeError, LlmRequest, LlmStream, ModelSchema, ModelType, PromptMessage,
    PromptTool,
};
use services_model::{Models, ReadyModel};
use types::TenantId;

pub(super) struct Source(pub Models);

#[async_trait]
impl ModelSource for Source {
    async fn llm(
        &self,
        tenant: TenantId,
        provider: &str,
        model: &str,
    ) -> Result<Arc<dyn LlmModel>, ModelError> {
        match self.0.resolve(tenant, ModelType::Llm, provider, model).await {
            Ok(model) => Ok(Arc::new(Ready(model))),
            Err(err) => Err(refused(err)),
        }
    }

    async fn default_llm(&self, tenant: TenantId) -> Result<Arc<dyn LlmModel>, ModelError> {
        match self.0.default_model(tenant, ModelType::Llm).await {
            Ok(model) => Ok(Arc::new(Ready(model))),
            Err(err) => Err(refused(err)),
        }
    }
}

/// A model's absence in the engine's words.
fn refused(err: services_model::ModelError) -> ModelError {
    use services_model::ModelError as From;
    match err {
        From::NotInitialized(_) | From::NoDefault(_) => ModelError::NotInitialized(err.to_string()),
        From::UnknownProvider(_) | From::Missing(_) | From::Disabled(_) => {
            ModelError::Unknown(err.to_string())
        }
        From::Invoke(_) | From::Fault(_) => ModelError::Fault(Box::new(err)),
    }
}

struct Ready(ReadyModel);

#[async_trait]
impl LlmModel for Ready {
    fn provider(&self) -> &str {
        self.0.provider_id()
    }

    fn schema(&self) -> &ModelSchema {
        &self.0.schema
    }

    async fn invoke(&self, call: LlmCall) -> Result<LlmStream, InvokeError> {
        let context = CallContext::for_user(self.0.tenant, call.user);
        let request = LlmRequest {
            messages: call.messages,
            parameters: call.parameters,
            tools: call.tools,
            stop: call.stop,
            stream: call.stream,
            ..LlmRequest::default()
        };
        self.0.invoke_llm(&context, request).await
    }

    async fn count_tokens(
        &self,
        messages: &[PromptMessage],
        tools: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        let context = CallContext::new(self.0.tenant);
        self.0.provider.count_prompt_tokens(&context, self.0.as_ref(), messages, tools).await
    }
}
