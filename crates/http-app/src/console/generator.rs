//! `/console/api/rule-generate`, `…/rule-code-generate`, `…/rule-structured-output-generate`,
//! `…/instruction-generate`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Valid, guard::Console, validation::lax,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_app::{
    Ports,
    generator::{self, Model, Modification},
    json::Object,
};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(generate_rule_config))
        .routes(routes!(generate_rule_code))
        .routes(routes!(generate_structured_output))
        .routes(routes!(generate_instruction))
        .routes(routes!(get_instruction_template))
}

/// The model that is to write.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = GeneratorModelConfig)]
struct ModelConfig {
    provider: String,
    name: String,
    #[serde(rename = "mode")]
    _mode: Mode,
    #[serde(default)]
    #[schema(value_type = Object)]
    completion_params: Object,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = GeneratorModelMode)]
enum Mode {
    Completion,
    Chat,
}

impl ModelConfig {
    fn model(self, tenant: TenantId) -> Model {
        Model {
            tenant,
            provider: self.provider,
            name: self.name,
            parameters: Value::Object(self.completion_params),
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RuleGeneratePayload {
    instruction: String,
    model_config: ModelConfig,
    /// A prompt without variables.
    #[serde(default, deserialize_with = "lax::flag")]
    no_variable: bool,
}

/// Have a prompt written.
#[utoipa::path(
    post,
    path = "/console/api/rule-generate",
    tag = "generator",
    request_body = RuleGeneratePayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn generate_rule_config(
    ports: Part<Ports>,
    Console(user): Console,
    Valid(body): Valid<RuleGeneratePayload>,
) -> Result<Json<Value>, ApiError> {
    let model = body.model_config.model(user.tenant);
    Ok(Json(generator::rule(&ports, &model, &body.instruction, body.no_variable).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RuleCodeGeneratePayload {
    instruction: String,
    model_config: ModelConfig,
    #[serde(default = "javascript")]
    code_language: String,
}

fn javascript() -> String {
    "javascript".to_owned()
}

/// Have code written.
#[utoipa::path(
    post,
    path = "/console/api/rule-code-generate",
    tag = "generator",
    request_body = RuleCodeGeneratePayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn generate_rule_code(
    ports: Part<Ports>,
    Console(user): Console,
    Valid(body): Valid<RuleCodeGeneratePayload>,
) -> Result<Json<Value>, ApiError> {
    let model = body.model_config.model(user.tenant);
    Ok(Json(generator::code(&ports, &model, &body.instruction, &body.code_language).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RuleStructuredOutputPayload {
    instruction: String,
    model_config: ModelConfig,
}

/// Have a JSON schema written.
#[utoipa::path(
    post,
    path = "/console/api/rule-structured-output-generate",
    tag = "generator",
    request_body = RuleStructuredOutputPayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn generate_structured_output(
    ports: Part<Ports>,
    Console(user): Console,
    Valid(body): Valid<RuleStructuredOutputPayload>,
) -> Result<Json<Value>, ApiError> {
    let model = body.model_config.model(user.tenant);
    Ok(Json(generator::schema(&ports, &model, &body.instruction).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InstructionGeneratePayload {
    /// The app.
    flow_id: String,
    /// The node of its draft; empty for basic apps.
    #[serde(default)]
    node_id: String,
    /// The prompt or code as it is.
    #[serde(default)]
    current: String,
    #[serde(default = "javascript")]
    language: String,
    instruction: String,
    model_config: ModelConfig,
    #[serde(default)]
    ideal_output: String,
}

/// Have a prompt or code changed.
#[utoipa::path(
    post,
    path = "/console/api/instruction-generate",
    tag = "generator",
    request_body = InstructionGeneratePayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn generate_instruction(
    State(state): State<AppState>,
    ports: Part<Ports>,
    Console(user): Console,
    Valid(body): Valid<InstructionGeneratePayload>,
) -> Result<Json<Value>, ApiError> {
    let model = body.model_config.model(user.tenant);
    let what = Modification {
        flow: body.flow_id,
        node: body.node_id,
        current: body.current,
        language: body.language,
        instruction: body.instruction,
        ideal_output: body.ideal_output,
    };
    Ok(Json(generator::modify(&state.ctx, &ports, &model, &what).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InstructionTemplatePayload {
    /// `prompt` or `code`.
    r#type: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstructionTemplate {
    data: &'static str,
}

/// What the console suggests to ask.
#[utoipa::path(
    post,
    path = "/console/api/instruction-generate/template",
    tag = "generator",
    request_body = InstructionTemplatePayload,
    responses((status = 200, body = InstructionTemplate), (status = "4XX", body = ErrorBody)),
)]
async fn get_instruction_template(
    _: Console,
    Valid(body): Valid<InstructionTemplatePayload>,
) -> Result<Json<InstructionTemplate>, ApiError> {
    let data = match body.r#type.as_str() {
        "prompt" => generator::INSTRUCTION_FOR_PROMPT,
        "code" => generator::INSTRUCTION_FOR_CODE,
        other => return Err(ApiError::invalid_param(format!("Invalid type: {other}"))),
    };
    Ok(Json(InstructionTemplate { data }))
}
