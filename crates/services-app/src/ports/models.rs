//! The workspace's models as apps need them.

use async_trait::async_trait;
use model_runtime::{
    CallContext, LlmRequest, ModelProvider, ModelRef, ModelSchema, ModelType, PromptMessage,
    collect,
};
use serde_json::Value;
use services_core::Fault;
use services_model::{ModelError, Models};
use types::TenantId;

use super::{Llm, ModelCatalogue, Writer, Writing, WritingError};

#[async_trait]
impl ModelCatalogue for Models {
    async fn providers(&self, tenant: TenantId) -> Result<Vec<String>, Fault> {
        let providers = self.registry().providers(tenant).await;
        Ok(providers.iter().map(|provider| provider.schema().provider.clone()).collect())
    }

    async fn llms(&self, tenant: TenantId, provider: &str) -> Result<Vec<Llm>, Fault> {
        let Ok(provider) = self.registry().resolve(tenant, provider).await else {
            return Ok(Vec::new());
        };
        let schema = provider.schema();
        let declared = schema.models.iter().filter(|model| model.model_type == ModelType::Llm);
        let mut llms: Vec<Llm> =
            declared.map(|model| llm(&schema.provider, &model.model, Some(model))).collect();
        let setup = self.setup(tenant).await?;
        for added in setup.added_models(&schema.provider) {
            if added.kind != ModelType::Llm || llms.iter().any(|llm| llm.name == *added.name) {
                continue;
            }
            let made = match added.credentials {
                Some(credentials) => {
                    let model = ModelRef { model: added.name, credentials };
                    made_schema(provider.as_ref(), tenant, model).await
                }
                None => None,
            };
            llms.push(llm(&schema.provider, added.name, made.as_deref()));
        }
        Ok(llms)
    }

    async fn default_llm(&self, tenant: TenantId) -> Result<Option<Llm>, Fault> {
        let (provider, name) = match self.default_name(tenant, ModelType::Llm).await {
            Ok(default) => default,
            Err(ModelError::Fault(fault)) => return Err(fault),
            Err(_) => return Ok(None),
        };
        match self.resolve(tenant, ModelType::Llm, &provider, &name).await {
            Ok(model) => Ok(Some(llm(model.provider_id(), &name, Some(&model.schema)))),
            Err(ModelError::Fault(fault)) => Err(fault),
            // Set, but not usable: the app begins with it all the same, as a chat model.
            Err(_) => Ok(Some(Llm { provider, name, mode: Some("chat".to_owned()) })),
        }
    }
}

fn llm(provider: &str, name: &str, schema: Option<&ModelSchema>) -> Llm {
    let mode = schema.and_then(|schema| schema.model_properties.get("mode"));
    Llm {
        provider: provider.to_owned(),
        name: name.to_owned(),
        mode: mode.and_then(Value::as_str).map(str::to_owned),
    }
}

async fn made_schema(
    provider: &dyn ModelProvider,
    tenant: TenantId,
    model: ModelRef<'_>,
) -> Option<std::sync::Arc<ModelSchema>> {
    let call = CallContext::new(tenant);
    match provider.model_schema(&call, ModelType::Llm, model).await {
        Ok(schema) => schema,
        Err(err) => {
            tracing::warn!(error = %err, "the schema of an added model cannot be had");
            None
        }
    }
}

#[async_trait]
impl Writer for Models {
    async fn write(&self, writing: Writing) -> Result<String, WritingError> {
        let found =
            self.resolve(writing.tenant, ModelType::Llm, &writing.provider, &writing.model).await;
        let model = found.map_err(|err| match err {
            ModelError::UnknownProvider(_) => {
                WritingError::Unknown(format!("Provider {} does not exist.", writing.provider))
            }
            ModelError::NotInitialized(_) | ModelError::NoDefault(_) | ModelError::Missing(_) => {
                WritingError::NotInitialized(err.to_string())
            }
            ModelError::Disabled(_) => WritingError::Unknown(err.to_string()),
            ModelError::Invoke(err) => WritingError::Invoke(err.to_string()),
            ModelError::Fault(fault) => WritingError::Fault(fault),
        })?;
        let system = writing.system.map(PromptMessage::system);
        let messages = system.into_iter().chain([PromptMessage::user(writing.user)]).collect();
        let parameters = writing.parameters.as_object().cloned().unwrap_or_default();
        let request = LlmRequest { messages, parameters, ..LlmRequest::default() };
        let refused = |err: model_runtime::InvokeError| WritingError::Invoke(err.to_string());
        let call = CallContext::new(writing.tenant);
        let stream = model.invoke_llm(&call, request).await.map_err(refused)?;
        Ok(collect(&model.model, stream).await.map_err(refused)?.text)
    }
}
