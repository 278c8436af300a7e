//! Forms with a file. The file goes to storage while the form is being read; nothing of it is held here.

use std::{collections::HashMap, pin::pin};

use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::header,
};
use futures::StreamExt;
use http_core::{ApiError, AppState};
use services_platform::file::{
    FileError, Owner, UploadFile,
    receive::{self, Announced, Keep, Received, Wanted},
};
use types::TenantId;

/// How much of a text field is kept.
const MAX_FIELD: usize = 64 << 10;

/// A form with one file under `file`.
pub(crate) struct Form {
    file: Result<Received, FileError>,
    fields: HashMap<String, String>,
}

impl Form {
    /// Reads a form to its end, its file into `tenant`'s storage.
    ///
    /// # Errors
    /// 400 for a body that breaks off, 413 for one over the limit of all bodies, and faults of storage.
    pub(crate) async fn read(
        state: &AppState,
        tenant: TenantId,
        request: Request,
    ) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let body = Bytes::from_request(request, state).await.map_err(|_| broken())?;
            let fields = url::form_urlencoded::parse(&body).into_owned().collect();
            return Ok(Self { file: Err(FileError::NoFile), fields });
        }
        let mut form = Self { file: Err(FileError::NoFile), fields: HashMap::new() };
        // Anything else that is no form has no file either.
        let Ok(mut parts) = Multipart::from_request(request, state).await else {
            return Ok(form);
        };
        match form.read_parts(state, tenant, &mut parts).await {
            Ok(()) => Ok(form),
            Err(err) => {
                form.discard(state).await;
                Err(err)
            }
        }
    }

    async fn read_parts(
        &mut self,
        state: &AppState,
        tenant: TenantId,
        parts: &mut Multipart,
    ) -> Result<(), ApiError> {
        let mut others = false;
        while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
            let name = part.name().unwrap_or_default().to_owned();
            match (part.file_name().map(str::to_owned), name.as_str()) {
                (Some(filename), "file") if matches!(self.file, Err(FileError::NoFile)) => {
                    let mime_type = media_type(&part);
                    let file = Announced { tenant, name: &filename, mime_type: &mime_type };
                    self.file = Ok(receive::receive(&state.ctx, file, pin!(part)).await?);
                }
                (Some(_), name) => {
                    others |= name != "file";
                    drain(part).await?;
                }
                (None, _) => {
                    let value = text(part).await?;
                    self.fields.entry(name).or_insert(value);
                }
            }
        }
        if others && self.file.is_ok() {
            self.discard(state).await;
            self.file = Err(FileError::TooMany);
        }
        Ok(())
    }

    /// A text field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Whether there is a file to keep.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_ok()
    }

    /// Whether the form has a file of which nobody said what kind it is.
    pub(crate) fn is_untyped(&self) -> bool {
        self.file.as_ref().is_ok_and(|file| !file.has_media_type())
    }

    /// What the form's `source` asks for: `datasets` takes documents only.
    pub(crate) fn wanted(&self) -> Wanted {
        match self.field("source") {
            Some("datasets") => Wanted::Documents,
            _ => Wanted::Any,
        }
    }

    /// Makes the file an uploaded one.
    ///
    /// # Errors
    /// What is wrong with the form or its file.
    pub(crate) async fn keep(
        self,
        state: &AppState,
        owner: Owner,
        wanted: Wanted,
    ) -> Result<UploadFile, ApiError> {
        let wish = Keep { owner, wanted, source_url: None };
        Ok(receive::keep(&state.ctx, self.file?, wish).await?)
    }

    /// Forgets the file.
    pub(crate) async fn discard(&mut self, state: &AppState) {
        if let Ok(received) = std::mem::replace(&mut self.file, Err(FileError::NoFile)) {
            receive::discard(&state.ctx, received).await;
        }
    }
}

/// The media type of a part, without parameters.
pub(crate) fn media_type(part: &Field<'_>) -> String {
    let kind = part.content_type().unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn drain(part: Field<'_>) -> Result<(), ApiError> {
    let mut part = pin!(part);
    while let Some(piece) = part.next().await {
        piece.map_err(|_| broken())?;
    }
    Ok(())
}

async fn text(part: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    let mut part = pin!(part);
    while let Some(piece) = part.next().await {
        let piece = piece.map_err(|_| broken())?;
        let room = MAX_FIELD.saturating_sub(bytes.len()).min(piece.len());
        bytes.extend_from_slice(&piece[..room]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn broken() -> ApiError {
    FileError::Broken.into()
}
