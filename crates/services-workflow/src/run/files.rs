//! Files of a request, looked up and checked.

use boxed::boxed;
use db::{tool_file::ToolFile, upload_file::UploadFile};
use graph::{File, FileType, TransferMethod};
use serde::Deserialize;
use serde_json::{Map, Value};
use services_core::Ctx;
use services_platform::file::kind;
use types::{TenantId, ToolFileId, UploadFileId};

use super::{RunFailure, inputs::Declared};

/// Looks files up for one run.
pub struct Resolver<'a> {
    ctx: &'a Ctx,
    tenant: TenantId,
    rules: Rules,
    is_strict: bool,
}

/// Which files an app takes (`features.file_upload`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Rules {
    enabled: bool,
    allowed_file_types: Option<Vec<String>>,
    allowed_file_extensions: Option<Vec<String>>,
    allowed_file_upload_methods: Option<Vec<String>>,
    number_limits: Option<usize>,
    image: Option<ImageRules>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ImageRules {
    number_limits: Option<usize>,
    transfer_methods: Option<Vec<String>>,
}

impl<'a> Resolver<'a> {
    /// A resolver for a run of a version with these features. With `is_strict`, a file must be of the type it is said
    /// to be (service API).
    #[must_use]
    pub fn new(ctx: &'a Ctx, tenant: TenantId, features: &str, is_strict: bool) -> Self {
        let features: Value = serde_json::from_str(features).unwrap_or_default();
        let rules = features.get("file_upload").cloned().unwrap_or_default();
        Self { ctx, tenant, rules: serde_json::from_value(rules).unwrap_or_default(), is_strict }
    }

    /// The files that come beside the form (`sys.files`); none where the app takes none.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] in the reference's words.
    #[boxed]
    pub async fn system(&self, given: &[Value]) -> Result<Vec<File>, RunFailure> {
        if !self.rules.enabled {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for mapping in
            given.iter().filter_map(Value::as_object).filter(|mapping| is_complete(mapping))
        {
            files.push(self.find(mapping, &self.rules, self.is_strict).await?);
        }
        let images = files.iter().filter(|file| file.r#type == FileType::Image).count();
        let image_limit = self.rules.image.as_ref().and_then(|image| image.number_limits);
        if let Some(limit) =
            image_limit.or(self.rules.number_limits).filter(|limit| *limit < images)
        {
            return Err(RunFailure::Invalid(format!(
                "Number of image files exceeds the maximum limit {limit}"
            )));
        }
        if let Some(limit) = self.rules.number_limits.filter(|limit| *limit < files.len()) {
            return Err(RunFailure::Invalid(format!(
                "Number of files exceeds the maximum limit {limit}"
            )));
        }
        Ok(files)
    }

    /// A file of the form.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] in the reference's words.
    #[boxed]
    pub async fn one(
        &self,
        mapping: &Map<String, Value>,
        variable: &Declared,
    ) -> Result<File, RunFailure> {
        let rules = Rules {
            enabled: true,
            allowed_file_types: variable.allowed_file_types.clone(),
            allowed_file_extensions: variable.allowed_file_extensions.clone(),
            allowed_file_upload_methods: variable.allowed_file_upload_methods.clone(),
            number_limits: None,
            image: None,
        };
        self.find(mapping, &rules, self.is_strict && variable.r#type == "file").await
    }

    /// A file that is put into a variable by hand: any type, any way.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] in the reference's words.
    #[boxed]
    pub async fn any(&self, mapping: &Map<String, Value>) -> Result<File, RunFailure> {
        let rules = Rules { enabled: true, ..Rules::default() };
        self.find(mapping, &rules, false).await
    }

    async fn find(
        &self,
        mapping: &Map<String, Value>,
        rules: &Rules,
        is_strict: bool,
    ) -> Result<File, RunFailure> {
        let method = text(mapping, "transfer_method").ok_or_else(|| {
            RunFailure::Invalid("transfer_method is required in file mapping".to_owned())
        })?;
        let (file, extension) = match method {
            "local_file" => self.uploaded(mapping).await?,
            "remote_url" => self.remote(mapping).await?,
            "tool_file" => self.made(mapping).await?,
            other => {
                return Err(RunFailure::Invalid(format!(
                    "'{other}' is not a valid FileTransferMethod"
                )));
            }
        };
        let detected = detect(self.ctx, &extension, file.mime_type.as_deref());
        let wanted =
            text(mapping, "type").filter(|wanted| !wanted.is_empty() && *wanted != "custom");
        let kind = match wanted {
            Some(wanted) => {
                let kind = parse_type(wanted).ok_or_else(|| {
                    RunFailure::Invalid(format!("'{wanted}' is not a valid FileType"))
                })?;
                if is_strict && kind != detected {
                    return Err(RunFailure::Invalid(
                        "Detected file type does not match the specified type. Please verify the file.".to_owned(),
                    ));
                }
                kind
            }
            None => detected,
        };
        let file = File { r#type: kind, ..file };
        if file.transfer_method != TransferMethod::ToolFile && !is_allowed(&file, rules) {
            let name = file.filename.as_deref().unwrap_or("unknown");
            return Err(RunFailure::Invalid(format!("File validation failed for file: {name}")));
        }
        Ok(file)
    }

    async fn uploaded(&self, mapping: &Map<String, Value>) -> Result<(File, String), RunFailure> {
        let id = text(mapping, "upload_file_id").filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| RunFailure::Invalid("Invalid upload file id".to_owned()))?;
        let id: UploadFileId = id
            .parse()
            .map_err(|_| RunFailure::Invalid("Invalid upload file id format".to_owned()))?;
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            db::upload_file::find(&mut conn, self.tenant, id).await?
        };
        let row = row.ok_or_else(|| RunFailure::Invalid("Invalid upload file".to_owned()))?;
        let extension = row.extension.clone();
        Ok((of_upload(self.tenant, row), extension))
    }

    async fn made(&self, mapping: &Map<String, Value>) -> Result<(File, String), RunFailure> {
        let text_id = text(mapping, "tool_file_id").unwrap_or_default();
        let missing = || RunFailure::Invalid(format!("ToolFile {text_id} not found"));
        let id: ToolFileId = text_id.parse().map_err(|_| missing())?;
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            db::tool_file::find(&mut conn, self.tenant, id).await?
        };
        let file = of_tool(self.tenant, row.ok_or_else(missing)?);
        let extension = file.extension.clone().unwrap_or_default();
        Ok((file, extension.trim_start_matches('.').to_owned()))
    }

    async fn remote(&self, mapping: &Map<String, Value>) -> Result<(File, String), RunFailure> {
        let url = text(mapping, "url")
            .or_else(|| text(mapping, "remote_url"))
            .filter(|url| !url.is_empty());
        let url = url.ok_or_else(|| RunFailure::Invalid("Invalid file url".to_owned()))?;
        let head = self.ctx.http.guarded().head(url).follow_redirects(true).send().await;
        let head = head.ok().filter(net::Response::is_success);
        let header =
            |name: &str| head.as_ref().and_then(|head| head.header(name)).map(str::to_owned);
        let path = url::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        let path_name = path.rsplit('/').next().unwrap_or_default();
        let path_name =
            percent_encoding::percent_decode_str(path_name).decode_utf8_lossy().into_owned();
        let name = header("content-disposition")
            .as_deref()
            .and_then(disposition_name)
            .unwrap_or(path_name);
        let media_type = kind::media_type(&name)
            .map(str::to_owned)
            .or_else(|| {
                header("content-type")
                    .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_owned())
            })
            .unwrap_or_default();
        let extension = kind::extension_of(&media_type)
            .map(|extension| extension.trim_start_matches('.').to_owned())
            .or_else(|| Some(kind::extension(&name)).filter(|extension| !extension.is_empty()))
            .unwrap_or_else(|| "bin".to_owned());
        let name = if name.is_empty() {
            format!("{}.{extension}", uuid::Uuid::new_v4().simple())
        } else {
            name
        };
        let size = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(-1);
        let file = File {
            id: None,
            tenant_id: self.tenant.to_string(),
            r#type: FileType::Custom,
            transfer_method: TransferMethod::RemoteUrl,
            remote_url: Some(url.to_owned()),
            related_id: None,
            filename: Some(name),
            extension: Some(format!(".{extension}")),
            mime_type: Some(media_type),
            size,
        };
        Ok((file, extension))
    }
}

/// Entries of a list that cannot be meant are passed over, as in the reference.
fn is_complete(mapping: &Map<String, Value>) -> bool {
    match text(mapping, "transfer_method") {
        None | Some("") => false,
        Some("remote_url") => ["url", "remote_url"]
            .iter()
            .any(|key| text(mapping, key).is_some_and(|url| !url.is_empty())),
        Some(_) => true,
    }
}

/// The file name in a `Content-Disposition`: the encoded one first.
fn disposition_name(header: &str) -> Option<String> {
    let part = |key: &str| {
        header
            .split(';')
            .map(str::trim)
            .find_map(|part| part.strip_prefix(key))
            .map(|value| value.trim_matches('"').to_owned())
    };
    if let Some(encoded) = part("filename*=") {
        let text = encoded.rsplit("''").next().unwrap_or_default();
        return Some(percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
    }
    part("filename=").filter(|name| !name.is_empty())
}

/// The value of an uploaded file.
#[must_use]
pub fn of_upload(tenant: TenantId, row: UploadFile) -> File {
    File {
        id: None,
        tenant_id: tenant.to_string(),
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

/// The value of a file made by a tool.
#[must_use]
pub fn of_tool(tenant: TenantId, row: ToolFile) -> File {
    let extension = row
        .file_key
        .rsplit_once('.')
        .map_or_else(|| ".bin".to_owned(), |(_, end)| format!(".{end}"));
    File {
        id: None,
        tenant_id: tenant.to_string(),
        r#type: FileType::Custom,
        transfer_method: TransferMethod::ToolFile,
        remote_url: row.original_url,
        related_id: Some(row.id.to_string()),
        filename: Some(row.name),
        extension: Some(extension),
        mime_type: Some(row.mimetype),
        size: i64::from(row.size),
    }
}

/// A file a workflow made or was sent, of the type it looks like.
#[must_use]
pub fn made(ctx: &Ctx, tenant: TenantId, row: ToolFile) -> File {
    let mut file = of_tool(tenant, row);
    let extension = file.extension.as_deref().unwrap_or_default();
    file.r#type = detect(ctx, extension.trim_start_matches('.'), file.mime_type.as_deref());
    file
}

/// What kind of content a file has.
pub(crate) fn detect(ctx: &Ctx, extension: &str, media_type: Option<&str>) -> FileType {
    let extension = extension.to_lowercase();
    if kind::is_image(&extension) {
        return FileType::Image;
    }
    if ["mp4", "mov", "mpeg", "webm"].contains(&extension.as_str()) {
        return FileType::Video;
    }
    if ["mp3", "m4a", "wav", "amr", "mpga"].contains(&extension.as_str()) {
        return FileType::Audio;
    }
    if kind::is_document(&ctx.config, &extension) {
        return FileType::Document;
    }
    match media_type.unwrap_or_default() {
        media if media.contains("image") => FileType::Image,
        media if media.contains("video") => FileType::Video,
        media if media.contains("audio") => FileType::Audio,
        media if media.contains("text") || media.contains("pdf") => FileType::Document,
        _ => FileType::Custom,
    }
}

fn parse_type(text: &str) -> Option<FileType> {
    [FileType::Image, FileType::Document, FileType::Audio, FileType::Video, FileType::Custom]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}

fn is_allowed(file: &File, rules: &Rules) -> bool {
    let kind = file.r#type.as_str();
    if let Some(types) = rules.allowed_file_types.as_ref().filter(|types| !types.is_empty()) {
        let is_listed = types.iter().any(|allowed| allowed == kind);
        let is_custom = types.iter().any(|allowed| allowed == "custom");
        if !is_listed && !is_custom {
            return false;
        }
        if !is_listed {
            let extensions = rules.allowed_file_extensions.as_deref().unwrap_or_default();
            let extension = file.extension.as_deref().unwrap_or_default();
            if !extensions.is_empty() && !extensions.iter().any(|allowed| allowed == extension) {
                return false;
            }
        }
    }
    let image_methods = rules.image.as_ref().and_then(|image| image.transfer_methods.as_ref());
    let methods = match (file.r#type, image_methods) {
        (FileType::Image, Some(methods)) => Some(methods),
        _ => rules.allowed_file_upload_methods.as_ref(),
    };
    methods.is_none_or(|methods| {
        methods.is_empty() || methods.iter().any(|method| method == file.transfer_method.as_str())
    })
}

fn text<'m>(mapping: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    mapping.get(key).and_then(Value::as_str)
}
