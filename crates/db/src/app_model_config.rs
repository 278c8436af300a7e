//! `app_model_configs`: every saved configuration of the basic apps (chat, agent, completion).

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, AppModelConfigId};
use uuid::Uuid;

use crate::Result;

/// One saved configuration. What is called JSON below is text as Python's `json.dumps` writes it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppModelConfig {
    /// The row.
    pub id: AppModelConfigId,
    /// The app.
    pub app_id: AppId,
    /// What the assistant says first.
    pub opening_statement: Option<String>,
    /// JSON list of questions shown with it.
    pub suggested_questions: Option<String>,
    /// JSON `{enabled}`.
    pub suggested_questions_after_answer: Option<String>,
    /// JSON `{enabled}`.
    pub speech_to_text: Option<String>,
    /// JSON `{enabled, voice, language}`.
    pub text_to_speech: Option<String>,
    /// JSON `{enabled}`.
    pub more_like_this: Option<String>,
    /// JSON `{provider, name, mode, completion_params}`.
    pub model: Option<String>,
    /// JSON list of form fields.
    pub user_input_form: Option<String>,
    /// Name of the form field that knowledge is searched with (completion apps).
    pub dataset_query_variable: Option<String>,
    /// Prompt of the simple editor.
    pub pre_prompt: Option<String>,
    /// JSON `{enabled, strategy, tools, …}`.
    pub agent_mode: Option<String>,
    /// JSON `{enabled, type, config}`.
    pub sensitive_word_avoidance: Option<String>,
    /// JSON `{enabled}`.
    pub retriever_resource: Option<String>,
    /// `simple` or `advanced`.
    pub prompt_type: String,
    /// JSON prompt of the expert editor for chat models.
    pub chat_prompt_config: Option<String>,
    /// JSON prompt of the expert editor for completion models.
    pub completion_prompt_config: Option<String>,
    /// JSON: knowledge bases and how they are searched.
    pub dataset_configs: Option<String>,
    /// JSON list of external data tools.
    pub external_data_tools: Option<String>,
    /// JSON: which files may be sent.
    pub file_upload: Option<String>,
    /// Account that made it.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// What lists of apps show of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The row.
    pub id: AppModelConfigId,
    /// See [`AppModelConfig::model`].
    pub model: Option<String>,
    /// See [`AppModelConfig::pre_prompt`].
    pub pre_prompt: Option<String>,
    /// See [`AppModelConfig::agent_mode`].
    pub agent_mode: Option<String>,
    /// Account that made it.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// A configuration of an app.
#[tracing::instrument(name = "db.app_model_config.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    app: AppId,
    id: AppModelConfigId,
) -> Result<Option<AppModelConfig>> {
    Ok(sqlx::query_as!(
        AppModelConfig,
        r#"
        SELECT id, app_id, opening_statement, suggested_questions, suggested_questions_after_answer, speech_to_text,
               text_to_speech, more_like_this, model, user_input_form, dataset_query_variable, pre_prompt, agent_mode,
               sensitive_word_avoidance, retriever_resource, prompt_type, chat_prompt_config, completion_prompt_config,
               dataset_configs, external_data_tools, file_upload, created_by, created_at, updated_by, updated_at
        FROM app_model_configs
        WHERE app_id = $1 AND id = $2
        "#,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// What a list of apps shows of the configurations `ids` of the apps `apps`.
#[tracing::instrument(name = "db.app_model_config.summaries", skip_all, err)]
#[boxed]
pub async fn summaries(db: &mut PgConnection, apps: &[Uuid], ids: &[Uuid]) -> Result<Vec<Summary>> {
    Ok(sqlx::query_as!(
        Summary,
        r#"
        SELECT id, model, pre_prompt, agent_mode, created_by, created_at, updated_by, updated_at
        FROM app_model_configs
        WHERE app_id = ANY($1) AND id = ANY($2)
        "#,
        apps,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// A configuration that is about to be saved; fields as in [`AppModelConfig`].
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of AppModelConfig again")]
pub struct NewAppModelConfig {
    pub opening_statement: Option<String>,
    pub suggested_questions: Option<String>,
    pub suggested_questions_after_answer: Option<String>,
    pub speech_to_text: Option<String>,
    pub text_to_speech: Option<String>,
    pub more_like_this: Option<String>,
    pub model: Option<String>,
    pub user_input_form: Option<String>,
    pub dataset_query_variable: Option<String>,
    pub pre_prompt: Option<String>,
    pub agent_mode: Option<String>,
    pub sensitive_word_avoidance: Option<String>,
    pub retriever_resource: Option<String>,
    pub prompt_type: String,
    pub chat_prompt_config: Option<String>,
    pub completion_prompt_config: Option<String>,
    pub dataset_configs: Option<String>,
    pub external_data_tools: Option<String>,
    pub file_upload: Option<String>,
}

/// Saves a configuration of an app.
#[tracing::instrument(name = "db.app_model_config.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    app: AppId,
    new: &NewAppModelConfig,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<AppModelConfigId> {
    let id = AppModelConfigId::random();
    sqlx::query!(
        r#"
        INSERT INTO app_model_configs (
            id, app_id, opening_statement, suggested_questions, suggested_questions_after_answer, speech_to_text,
            text_to_speech, more_like_this, model, user_input_form, dataset_query_variable, pre_prompt, agent_mode,
            sensitive_word_avoidance, retriever_resource, prompt_type, chat_prompt_config, completion_prompt_config,
            dataset_configs, external_data_tools, file_upload, created_by, created_at, updated_by, updated_at
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                  $22, $23, $22, $23)
        "#,
        id as _,
        app as _,
        new.opening_statement,
        new.suggested_questions,
        new.suggested_questions_after_answer,
        new.speech_to_text,
        new.text_to_speech,
        new.more_like_this,
        new.model,
        new.user_input_form,
        new.dataset_query_variable,
        new.pre_prompt,
        new.agent_mode,
        new.sensitive_word_avoidance,
        new.retriever_resource,
        new.prompt_type,
        new.chat_prompt_config,
        new.completion_prompt_config,
        new.dataset_configs,
        new.external_data_tools,
        new.file_upload,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(id)
}
