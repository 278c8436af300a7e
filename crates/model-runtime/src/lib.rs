//! Model providers: what they offer, and how they are spoken to.
//!
//! A provider is a declaration file (`declarations/*.yaml`: names, forms, models, prices) and the protocol it speaks.
//! [`Registry`] finds providers by id; everything else goes through [`ModelProvider`], which the plugin daemon's
//! providers implement as well. This crate knows neither HTTP servers nor databases; credentials come in decrypted.

pub mod custom;
pub mod decimal;
pub mod declaration;
pub mod entity;
pub mod error;
pub mod fill;
pub mod form;
pub mod i18n;
pub mod id;
pub mod llm;
pub mod message;
pub mod model;
pub mod native;
pub mod params;
mod protocol;
pub mod provider;
pub mod pyrepr;
pub mod registry;
pub mod source;
pub mod upstream;
pub mod usage;

pub use declaration::{Declaration, DeclarationError};
pub use entity::{
    Feature, FetchFrom, ModelSchema, ModelType, ParameterRule, ParameterType, Pricing, Voice,
};
pub use error::{CredentialsError, InvokeError, PluginFailure};
pub use i18n::I18n;
pub use id::{InvalidProviderId, ProviderId};
pub use llm::{LlmChunk, LlmRequest, LlmResult, LlmStream, WireChunk, collect, merge_tool_calls};
pub use message::{
    Content, ContentPart, ImageDetail, Media, PromptMessage, PromptTool, Role, ToolCall,
    ToolCallFunction,
};
pub use model::{
    AudioFile, AudioStream, CallContext, EmbeddingInput, Embeddings, Icon, ModelProvider, ModelRef,
    RerankDocument, RerankLimits, RerankRequest, RerankResult,
};
pub use native::{NativeProvider, built_in};
pub use provider::{Credentials, FormField, FormType, ProviderSchema};
pub use registry::{Precedence, ProviderSource, Registry, UnknownProvider};
pub use upstream::Limits;
pub use usage::{EmbeddingUsage, Usage};
