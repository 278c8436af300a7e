//! The workspace's default speech model.

use app_engine::{RunError, ports::Speaker};
use async_trait::async_trait;
use model_runtime::{AudioStream, CallContext, InvokeError, ModelType};
use services_model::{Models, ReadyModel};
use types::TenantId;

pub(super) struct Voice(pub Models);

impl Voice {
    async fn model(&self, tenant: TenantId) -> Result<ReadyModel, RunError> {
        let model = self.0.default_model(tenant, ModelType::Tts).await;
        model.map_err(|err| RunError::invalid_param(err.to_string()))
    }
}

#[async_trait]
impl Speaker for Voice {
    async fn voice(
        &self,
        tenant: TenantId,
        wanted: &str,
        language: Option<&str>,
    ) -> Result<String, RunError> {
        let model = self.model(tenant).await?;
        let context = CallContext::new(tenant);
        let voices = model.provider.voices(&context, model.as_ref(), language).await;
        let voices = voices.map_err(refused)?;
        match voices.iter().find(|voice| voice.value == wanted).or(voices.first()) {
            Some(voice) => Ok(voice.value.clone()),
            None => Err(RunError::invalid_param("The speech model has no voice.")),
        }
    }

    async fn speak(
        &self,
        tenant: TenantId,
        voice: &str,
        text: &str,
    ) -> Result<AudioStream, RunError> {
        let model = self.model(tenant).await?;
        let context = CallContext::for_user(tenant, "responding_tts");
        model.provider.speak(&context, model.as_ref(), text, voice).await.map_err(refused)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a map_err")]
fn refused(err: InvokeError) -> RunError {
    RunError::model(err.to_string())
}
