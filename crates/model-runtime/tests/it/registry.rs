//! Who is found under which id.

use std::sync::Arc;

use async_trait::async_trait;
use model_runtime::{ModelProvider, Precedence, ProviderSource};
use types::TenantId;

use crate::support::{COMPATIBLE, OPENAI, provider, registry};

/// A source that has the compatible provider, under its own name and under OpenAI's position.
struct One(Arc<dyn ModelProvider>);

#[async_trait]
impl ProviderSource for One {
    async fn providers(&self, _tenant: TenantId) -> Vec<Arc<dyn ModelProvider>> {
        vec![Arc::clone(&self.0)]
    }
}

#[tokio::test]
async fn providers_are_found_by_full_and_by_short_name() {
    let registry = registry();
    for (asked, found) in [
        ("openai", OPENAI),
        (OPENAI, OPENAI),
        ("google", "langgenius/gemini/google"),
        ("langgenius/gemini/google", "langgenius/gemini/google"),
    ] {
        let provider = registry.resolve(TenantId::random(), asked).await.unwrap();
        assert_eq!(provider.schema().provider, found);
    }
    for asked in ["", "nobody/x/y", "not an id"] {
        let error = registry.resolve(TenantId::random(), asked).await.err().unwrap();
        assert_eq!(error.to_string(), format!("Invalid provider: {asked}"));
    }
}

#[tokio::test]
async fn a_provider_of_two_sources_is_listed_once() {
    let theirs = provider(COMPATIBLE).await;
    let tenant = TenantId::random();
    let count = registry().providers(tenant).await.len();
    for (precedence, same) in [(Precedence::SourceFirst, true), (Precedence::NativeFirst, false)] {
        let registry = registry().with_source(Arc::new(One(Arc::clone(&theirs))), precedence);
        assert_eq!(registry.providers(tenant).await.len(), count);
        let found = registry.resolve(tenant, COMPATIBLE).await.unwrap();
        assert_eq!(Arc::ptr_eq(&found, &theirs), same);
        assert!(registry.resolve(tenant, OPENAI).await.is_ok());
    }
}
