//! What was said before in a conversation.

use std::sync::Arc;

use app_engine::basic::history::{Turn, thread};
use async_trait::async_trait;
use graph::{File, FileType, RunInfo, TransferMethod};
use model_runtime::{ContentPart, ImageDetail, PromptMessage};
use nodes::{Files, History, PortError};
use services_core::{Ctx, Fault};
use types::{ConversationId, MessageId, TenantId};
use uuid::Uuid;

use super::files::Stored;

/// Earlier messages of conversations, from the database.
pub(super) struct Said {
    pub(super) ctx: Ctx,
    pub(super) files: Arc<Stored>,
}

#[async_trait]
impl History for Said {
    async fn messages(
        &self,
        run: &RunInfo,
        conversation: &str,
        limit: usize,
    ) -> Result<Option<Vec<PromptMessage>>, PortError> {
        let Ok(conversation) = conversation.parse::<ConversationId>() else { return Ok(None) };
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut conn = self.ctx.db.acquire().await.map_err(fault)?;
        let rows = db::message::past(&mut conn, run.app_id, conversation, most).await;
        let mut rows = rows.map_err(fault)?;
        // Of questions asked side by side, those that came later are nothing this one follows.
        if let Ok(id) = run.workflow_run_id.parse() {
            let own = db::chatflow::message_of(&mut conn, run.app_id, conversation, id).await;
            let own = own.map_err(fault)?;
            if let Some(at) = rows.iter().position(|row| Some(row.id) == own) {
                rows.drain(..at);
            }
        }
        let ids: Vec<MessageId> =
            rows.iter().filter(|row| row.has_files).map(|row| row.id).collect();
        let mut attached = Vec::new();
        if !ids.is_empty() {
            let files = db::message_file::of_messages(&mut conn, run.app_id, &ids).await;
            for row in files.map_err(fault)? {
                let is_answer = row.belongs_to.as_deref() == Some("assistant");
                if let Some(file) = file(&mut conn, run.tenant_id, &row).await.map_err(fault)? {
                    attached.push((row.message_id.0, is_answer, file));
                }
            }
        }
        drop(conn);
        let of = |id: Uuid, wanted: bool| {
            let own = attached
                .iter()
                .filter(|(message, is_answer, _)| *message == id && *is_answer == wanted);
            own.map(|(_, _, file)| file.clone()).collect()
        };
        let turns: Vec<Turn> = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| Turn {
                id: row.id.0,
                parent: row.parent_message_id.map(|parent| parent.0),
                running: row.running || (index == 0 && row.answer.is_empty()),
                user_files: of(row.id.0, false),
                assistant_files: of(row.id.0, true),
                query: row.query,
                answer: row.answer,
                thoughts: Vec::new(),
            })
            .collect();
        // The newest one is being answered; the thread that leads to it counts.
        let parent = turns.first().map(|newest| MessageId(newest.id));
        let mut messages = Vec::new();
        for turn in thread(parent, turns) {
            messages.push(PromptMessage::user(
                self.said(run.tenant_id, &turn.user_files, turn.query).await?,
            ));
            messages.push(PromptMessage::assistant(
                self.said(run.tenant_id, &turn.assistant_files, turn.answer).await?,
                Vec::new(),
            ));
        }
        Ok(Some(messages))
    }
}

impl Said {
    async fn said(
        &self,
        tenant: TenantId,
        files: &[File],
        text: String,
    ) -> Result<model_runtime::Content, PortError> {
        if files.is_empty() {
            return Ok(text.into());
        }
        let mut parts = Vec::with_capacity(files.len() + 1);
        for file in files {
            parts.push(self.files.part(tenant, file, ImageDetail::High).await?);
        }
        parts.push(ContentPart::text(text));
        Ok(parts.into())
    }
}

/// The file behind a row; none if it was deleted since.
async fn file(
    conn: &mut db::PgConnection,
    tenant: TenantId,
    row: &db::message_file::MessageFile,
) -> Result<Option<File>, db::DbError> {
    let kind = match row.r#type.as_str() {
        "image" => FileType::Image,
        "document" => FileType::Document,
        "audio" => FileType::Audio,
        "video" => FileType::Video,
        _ => FileType::Custom,
    };
    let found = match (row.transfer_method.as_str(), row.upload_file_id) {
        ("local_file", Some(id)) => {
            let upload = db::upload_file::find(conn, tenant, types::UploadFileId(id)).await?;
            upload.map(|upload| crate::run::files::of_upload(tenant, upload))
        }
        ("tool_file", Some(id)) => {
            let made = db::tool_file::find(conn, tenant, types::ToolFileId(id)).await?;
            made.map(|made| crate::run::files::of_tool(tenant, made))
        }
        _ => row.url.as_ref().map(|url| remote(tenant, url)),
    };
    Ok(found.map(|file| File { r#type: kind, ..file }))
}

fn remote(tenant: TenantId, url: &str) -> File {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let media = mime_guess::from_path(name).first_raw().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("bin", |(_, end)| end);
    File {
        id: None,
        tenant_id: tenant.to_string(),
        r#type: FileType::Custom,
        transfer_method: TransferMethod::RemoteUrl,
        remote_url: Some(url.to_owned()),
        related_id: None,
        filename: Some(name.to_owned()),
        extension: Some(format!(".{extension}")),
        mime_type: Some(media.to_owned()),
        size: -1,
    }
}

/// A fault of the ground: logged here, because nodes only tell users that something failed.
fn fault(err: impl Into<Fault>) -> PortError {
    let err: Fault = err.into();
    tracing::error!(error = &err as &dyn std::error::Error, "earlier messages could not be read");
    PortError::new("the conversation could not be read", "ValueError")
}
