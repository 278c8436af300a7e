//! Forms with a file that is small enough to be held.

use std::{collections::HashMap, pin::pin};

use axum::{
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::StatusCode,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http_core::{ApiError, AppState};

/// How much of a text field is kept.
const MAX_FIELD: usize = 64 << 10;

/// A file of a form.
pub(crate) struct Upload {
    /// What the client calls it.
    pub name: String,
    /// Its media type, without parameters.
    pub mime_type: String,
    /// What is in it; `None`: more than was to be held.
    pub data: Option<Bytes>,
}

/// A form that was read to its end.
#[derive(Default)]
pub(crate) struct Form {
    /// The file under `file`.
    pub file: Option<Upload>,
    /// How many fields hold files.
    pub files: usize,
    fields: HashMap<String, String>,
}

impl Form {
    /// Reads a form; of its file, `most` bytes are held. A body that is no form has nothing in it.
    ///
    /// # Errors
    /// 400 for a body that breaks off.
    pub(crate) async fn read(
        state: &AppState,
        request: Request,
        most: usize,
    ) -> Result<Self, ApiError> {
        let mut form = Self::default();
        let Ok(mut parts) = Multipart::from_request(request, state).await else {
            return Ok(form);
        };
        let mut names = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
            let field = part.name().unwrap_or_default().to_owned();
            let Some(name) = part.file_name().map(str::to_owned) else {
                let value = read(part, MAX_FIELD).await?.kept;
                let value = String::from_utf8_lossy(&value).into_owned();
                form.fields.entry(field).or_insert(value);
                continue;
            };
            let is_first = field == "file" && form.file.is_none();
            let kind = part.content_type().unwrap_or_default();
            let mime_type = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let read = read(part, if is_first { most } else { 0 }).await?;
            if is_first {
                let data = Some(read.kept).filter(|_| !read.is_cut);
                form.file = Some(Upload { name, mime_type, data });
            }
            if !names.contains(&field) {
                names.push(field);
            }
        }
        form.files = names.len();
        Ok(form)
    }

    /// A text field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The file, or what the reference's framework says of a form without one.
    pub(crate) fn need_file(&mut self) -> Result<Upload, ApiError> {
        self.file.take().ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad_request_key_error",
                "The browser (or proxy) sent a request that this server could not understand.",
            )
        })
    }
}

struct Read {
    kept: Bytes,
    is_cut: bool,
}

/// Reads a part to its end; `most` bytes are held.
async fn read(part: Field<'_>, most: usize) -> Result<Read, ApiError> {
    let mut kept = BytesMut::new();
    let mut is_cut = false;
    let mut part = pin!(part);
    while let Some(piece) = part.next().await {
        let piece = piece.map_err(|_| broken())?;
        let room = most.saturating_sub(kept.len());
        is_cut |= room < piece.len();
        kept.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    Ok(Read { kept: kept.freeze(), is_cut })
}

fn broken() -> ApiError {
    ApiError::bad_request(
        "The browser (or proxy) sent a request that this server could not understand.",
    )
}
