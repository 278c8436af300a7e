//! Files webhooks bring: kept for the workspace, and handed to the run.

use boxed::boxed;
use bytes::Bytes;
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};
use services_platform::{
    file::kind,
    tool_file::{self, NewFile},
};

use super::{Body, Called, Request};
use crate::run::{SignedUrls, files};

/// What files of unknown content are.
const UNKNOWN: &str = "application/octet-stream";

/// Keeps the files of a request that was found to fit, and puts them into what the run sees.
///
/// # Errors
/// Faults of storage and database: the caller may send the request again.
#[boxed]
pub async fn keep(
    ctx: &Ctx,
    called: &Called,
    request: &Request,
    mut data: Value,
) -> Result<Value, Fault> {
    match &request.body {
        Body::Form { files, .. } => {
            let mut kept = Map::new();
            for file in files.iter().filter(|file| !file.filename.is_empty()) {
                if kept.contains_key(&file.field) {
                    continue;
                }
                let named = || kind::media_type(&file.filename).map(str::to_owned);
                let mime_type = file.content_type.clone().or_else(named);
                let mime_type = mime_type.unwrap_or_else(|| UNKNOWN.to_owned());
                let stored = store(ctx, called, &mime_type, file.content.clone()).await?;
                kept.insert(file.field.clone(), stored);
            }
            put(&mut data, "files", Value::Object(kept));
        }
        Body::Bytes(bytes) if !bytes.is_empty() && request.content_type() == UNKNOWN => {
            let stored = store(ctx, called, guess(bytes), bytes.clone()).await?;
            let body = Map::from_iter([("raw".to_owned(), stored)]);
            put(&mut data, "body", Value::Object(body));
        }
        Body::Bytes(_) => {}
    }
    Ok(data)
}

fn put(data: &mut Value, key: &str, value: Value) {
    if let Some(data) = data.as_object_mut() {
        data.insert(key.to_owned(), value);
    }
}

async fn store(
    ctx: &Ctx,
    called: &Called,
    mime_type: &str,
    content: Bytes,
) -> Result<Value, Fault> {
    let tenant = called.trigger.tenant_id;
    let new = NewFile {
        tenant,
        user: called.trigger.created_by,
        conversation: None,
        mime_type,
        name: None,
        original_url: None,
    };
    let row = tool_file::create(ctx, new, content).await?;
    let file = files::made(ctx, tenant, row);
    Ok(Value::Object(file.to_json(&SignedUrls(ctx.clone()))))
}

/// The media type of bytes nobody described.
fn guess(bytes: &[u8]) -> &'static str {
    let start = &bytes[..bytes.len().min(1024)];
    match infer::get(start) {
        Some(kind) => kind.mime_type(),
        None if std::str::from_utf8(start).is_ok() => "text/plain",
        None => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_recognised() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"%PDF-1.7\n", "application/pdf"),
            ("gr\u{fc}n".as_bytes(), "text/plain"),
            (b"\xff\xfe\0\x01\x02", UNKNOWN),
        ] {
            assert_eq!(guess(bytes), expected);
        }
    }
}
