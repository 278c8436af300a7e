//! Files of messages: looked up and checked when a question comes in, shown when its answer ends.

use boxed::boxed;
use std::collections::HashMap;

use app_engine::basic::{Caller, config::FileRules};
use chrono::NaiveDateTime;
use db::{message_file::MessageFile, tool_file::ToolFile, upload_file::UploadFile};
use graph::{File, FileType, TransferMethod};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Fault};
use services_platform::{file::kind, links};
use types::{MessageId, TenantId, ToolFileId, UploadFileId};
use uuid::Uuid;

use crate::generate::GenerateError;

mod remote;

type Mapping = Map<String, Value>;

/// Longest extension, dot included, that links to tool files show.
const LONGEST_EXTENSION: usize = 10;

/// The files a client names, as far as the app takes them. Entries that cannot be meant are passed over.
///
/// # Errors
/// [`GenerateError::Invalid`] in the reference's words.
#[boxed]
pub async fn resolve(
    ctx: &Ctx,
    tenant: TenantId,
    rules: &FileRules,
    named: &[Mapping],
) -> Result<Vec<File>, GenerateError> {
    let mut files = Vec::new();
    for mapping in named.iter().filter(|mapping| is_complete(mapping)) {
        files.push(resolve_one(ctx, tenant, rules, mapping).await?);
    }
    let images = files.iter().filter(|file| file.r#type == FileType::Image).count();
    if rules.image_limit < images {
        let limit = rules.image_limit;
        return Err(invalid(format!("Number of image files exceeds the maximum limit {limit}")));
    }
    if rules.limit != 0 && rules.limit < files.len() {
        return Err(invalid(format!("Number of files exceeds the maximum limit {}", rules.limit)));
    }
    Ok(files)
}

fn is_complete(mapping: &Mapping) -> bool {
    match text(mapping, "transfer_method") {
        None => false,
        Some("remote_url") => url(mapping).is_some(),
        Some(_) => true,
    }
}

async fn resolve_one(
    ctx: &Ctx,
    tenant: TenantId,
    rules: &FileRules,
    mapping: &Mapping,
) -> Result<File, GenerateError> {
    let method = text(mapping, "transfer_method").unwrap_or_default();
    let mut file = match (method, text(mapping, "upload_file_id")) {
        ("local_file", id) => {
            let id = id.ok_or_else(|| invalid("Invalid upload file id"))?;
            of_upload(find_upload(ctx, tenant, id).await?)
        }
        ("remote_url", Some(id)) => {
            let row = find_upload(ctx, tenant, id).await?;
            let link = links::upload(ctx, row.id);
            let transfer_method = TransferMethod::RemoteUrl;
            File { transfer_method, remote_url: Some(link), ..of_upload(row) }
        }
        ("remote_url", None) => {
            let url = url(mapping).ok_or_else(|| invalid("Invalid file url"))?;
            remote::look(ctx, tenant, url).await
        }
        ("tool_file", _) => {
            let id = text(mapping, "tool_file_id").unwrap_or_default();
            let missing = || invalid(format!("ToolFile {id} not found"));
            let tool: ToolFileId = id.parse().map_err(|_| missing())?;
            let mut conn = ctx.db.acquire().await?;
            let row = db::tool_file::find(&mut conn, tenant, tool).await?;
            of_tool(row.ok_or_else(missing)?)
        }
        (other, _) => return Err(invalid(format!("No matching enum found for value '{other}'"))),
    };
    let detected = detect(ctx, &file);
    let said = text(mapping, "type").unwrap_or("custom");
    file.r#type = match said {
        "custom" => detected,
        other => parse_type(other)
            .ok_or_else(|| invalid(format!("'{other}' is not a valid FileType")))?,
    };
    if file.transfer_method != TransferMethod::ToolFile && !is_allowed(&file, said, rules) {
        let name = file.filename.as_deref().unwrap_or("None");
        return Err(invalid(format!("File validation failed for file: {name}")));
    }
    Ok(file)
}

async fn find_upload(ctx: &Ctx, tenant: TenantId, id: &str) -> Result<UploadFile, GenerateError> {
    let id: UploadFileId = id.parse().map_err(|_| invalid("Invalid upload file id format"))?;
    let mut conn = ctx.db.acquire().await?;
    let row = db::upload_file::find(&mut conn, tenant, id).await?;
    row.ok_or_else(|| invalid("Invalid upload file"))
}

/// `said` is the type the client gave, which decides by which rule a file is judged.
fn is_allowed(file: &File, said: &str, rules: &FileRules) -> bool {
    if said == "custom" {
        let extension = file.extension.as_deref().unwrap_or_default();
        if !rules.extensions.iter().any(|allowed| allowed == extension) {
            return false;
        }
    } else if !rules.types.is_empty() && !rules.types.iter().any(|allowed| allowed == said) {
        return false;
    }
    let method = file.transfer_method.as_str();
    rules.methods.is_empty() || rules.methods.iter().any(|allowed| allowed == method)
}

fn of_upload(row: UploadFile) -> File {
    File {
        id: None,
        tenant_id: row.tenant_id.to_string(),
        r#type: FileType::Custom,
        transfer_method: TransferMethod::LocalFile,
        remote_url: Some(row.source_url),
        related_id: Some(row.id.to_string()),
        filename: Some(row.name),
        extension: Some(format!(".{}", row.extension)),
        mime_type: row.mime_type,
        size: i64::from(row.size),
    }
}

fn of_tool(row: ToolFile) -> File {
    let extension = kind::extension(&row.file_key);
    File {
        id: None,
        tenant_id: row.tenant_id.to_string(),
        r#type: FileType::Custom,
        transfer_method: TransferMethod::ToolFile,
        remote_url: row.original_url,
        related_id: Some(row.id.to_string()),
        filename: Some(row.name),
        extension: Some(if extension.is_empty() {
            ".bin".to_owned()
        } else {
            format!(".{extension}")
        }),
        mime_type: Some(row.mimetype),
        size: i64::from(row.size),
    }
}

fn parse_type(word: &str) -> Option<FileType> {
    [FileType::Image, FileType::Document, FileType::Audio, FileType::Video, FileType::Custom]
        .into_iter()
        .find(|kind| kind.as_str() == word)
}

fn detect(ctx: &Ctx, file: &File) -> FileType {
    let extension = file.extension.as_deref().unwrap_or_default().trim_start_matches('.');
    if kind::is_image(extension) {
        return FileType::Image;
    }
    match extension {
        "mp4" | "mov" | "mpeg" | "webm" => return FileType::Video,
        "mp3" | "m4a" | "wav" | "amr" | "mpga" => return FileType::Audio,
        _ if kind::is_document(&ctx.config, extension) => return FileType::Document,
        _ => {}
    }
    let media_type = file.mime_type.as_deref().unwrap_or_default();
    let has = |word| media_type.contains(word);
    match () {
        () if has("image") => FileType::Image,
        () if has("video") => FileType::Video,
        () if has("audio") => FileType::Audio,
        () if has("text") || has("pdf") => FileType::Document,
        () => FileType::Custom,
    }
}

/// The rows of a question's files.
#[must_use]
pub fn rows(
    files: &[File],
    message: MessageId,
    caller: Caller,
    now: NaiveDateTime,
) -> Vec<MessageFile> {
    let row = |file: &File| MessageFile {
        id: Uuid::now_v7(),
        message_id: message,
        r#type: file.r#type.as_str().to_owned(),
        transfer_method: file.transfer_method.as_str().to_owned(),
        url: file.remote_url.clone(),
        upload_file_id: file.related_id.as_deref().and_then(|id| id.parse().ok()),
        belongs_to: Some("user".to_owned()),
        created_by_role: caller.role().to_owned(),
        created_by: caller.id(),
        created_at: now,
    };
    files.iter().map(row).collect()
}

/// Files of earlier messages, by message; those of the user first, then those of the assistant. Files that are gone are
/// left out: their conversation goes on.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of_past(
    ctx: &Ctx,
    tenant: TenantId,
    rows: Vec<MessageFile>,
) -> Result<HashMap<MessageId, (Vec<File>, Vec<File>)>, Fault> {
    let ids = |method: &'static str| {
        let rows = rows.iter().filter(move |row| row.transfer_method == method);
        rows.filter_map(|row| row.upload_file_id)
    };
    let uploads: Vec<UploadFileId> =
        ids("local_file").chain(ids("remote_url")).map(UploadFileId).collect();
    let tools: Vec<ToolFileId> = ids("tool_file").map(ToolFileId).collect();
    let mut conn = ctx.db.acquire().await?;
    let uploads = if uploads.is_empty() {
        Vec::new()
    } else {
        db::upload_file::find_many(&mut conn, tenant, &uploads).await?
    };
    let tools = if tools.is_empty() {
        Vec::new()
    } else {
        db::tool_file::find_many(&mut conn, tenant, &tools).await?
    };
    drop(conn);
    let uploads: HashMap<Uuid, UploadFile> =
        uploads.into_iter().map(|row| (row.id.0, row)).collect();
    let tools: HashMap<Uuid, ToolFile> = tools.into_iter().map(|row| (row.id.0, row)).collect();
    let mut found: HashMap<MessageId, (Vec<File>, Vec<File>)> = HashMap::new();
    for row in rows {
        let related = row.upload_file_id;
        let file = match (row.transfer_method.as_str(), &row.url) {
            ("local_file", _) => related.and_then(|id| uploads.get(&id)).cloned().map(of_upload),
            ("tool_file", _) => related.and_then(|id| tools.get(&id)).cloned().map(of_tool),
            ("remote_url", Some(url)) => match related.and_then(|id| uploads.get(&id)) {
                Some(upload) => Some(of_upload(upload.clone())),
                None => Some(remote::look(ctx, tenant, url).await),
            },
            _ => None,
        };
        let Some(mut file) = file else { continue };
        file.r#type = parse_type(&row.r#type).unwrap_or_else(|| detect(ctx, &file));
        let sides = found.entry(row.message_id).or_default();
        let is_answer = row.belongs_to.as_deref() == Some("assistant");
        (if is_answer { &mut sides.1 } else { &mut sides.0 }).push(file);
    }
    Ok(found)
}

/// A file as `message_end` lists it. `file` is what is known of an uploaded one.
#[must_use]
pub fn listed(ctx: &Ctx, row: &MessageFile, file: Option<&File>) -> Value {
    let mut name = "file".to_owned();
    let mut extension = String::new();
    let (mut media_type, mut size) = ("application/octet-stream".to_owned(), 0);
    let mut url = String::new();
    let stored = row.url.as_deref().unwrap_or_default();
    match row.transfer_method.as_str() {
        "local_file" => {
            if let Some(id) = row.upload_file_id {
                url = links::upload(ctx, UploadFileId(id));
            }
            if let Some(file) = file {
                name = file.filename.clone().unwrap_or_default();
                extension = file.extension.clone().filter(|it| it != ".").unwrap_or_default();
                media_type = file.mime_type.clone().unwrap_or(media_type);
                size = file.size;
            }
        }
        "tool_file" if !stored.starts_with("http") && !stored.is_empty() => {
            name = last_part(stored);
            extension = link_extension(&name);
            let id = name.split('.').next().and_then(|id| id.parse().ok()).map(ToolFileId);
            url = id.map(|id| links::tool_file(ctx, id, &extension)).unwrap_or_default();
        }
        "remote_url" | "tool_file" if !stored.is_empty() => {
            stored.clone_into(&mut url);
            name = last_part(stored);
            extension = name.rsplit_once('.').map(|(_, it)| format!(".{it}")).unwrap_or_default();
        }
        _ => {}
    }
    json!({
        "related_id": row.id,
        "extension": extension,
        "filename": name,
        "size": size,
        "mime_type": media_type,
        "transfer_method": row.transfer_method,
        "type": row.r#type,
        "url": url,
        "upload_file_id": row.upload_file_id.unwrap_or(row.id),
        "remote_url": if row.transfer_method == "remote_url" { stored } else { "" },
    })
}

fn last_part(url: &str) -> String {
    let name = url.rsplit('/').next().unwrap_or_default();
    name.split('?').next().unwrap_or_default().to_owned()
}

/// The extension links to a tool's file show.
#[must_use]
pub fn link_extension(name: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| format!(".{extension}"));
    extension.filter(|it| it.len() <= LONGEST_EXTENSION).unwrap_or_else(|| ".bin".to_owned())
}

fn text<'m>(mapping: &'m Mapping, key: &str) -> Option<&'m str> {
    mapping.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn url(mapping: &Mapping) -> Option<&str> {
    text(mapping, "url").or_else(|| text(mapping, "remote_url"))
}

fn invalid(message: impl Into<String>) -> GenerateError {
    GenerateError::Invalid(message.into())
}
