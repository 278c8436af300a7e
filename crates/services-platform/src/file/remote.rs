//! Files behind a URL a user named.

use boxed::boxed;
use std::time::Duration;

use net::{NetError, Response, StatusCode};
use services_core::Ctx;
use types::TenantId;
use url::Url;
use uuid::Uuid;

use super::{
    FileError, Owner, UploadFile, kind,
    receive::{self, Announced, Keep, Wanted},
};

/// How long a server without `HEAD` may take to answer.
const GET_TIMEOUT: Duration = Duration::from_secs(3);

/// How much of an error page is shown.
const MAX_REASON: usize = 4096;

/// What another server says of a file.
#[derive(Debug, Clone)]
pub struct RemoteFile {
    /// Its media type.
    pub media_type: String,
    /// Bytes, if announced.
    pub length: Option<i64>,
}

/// Asks for a file's type and length.
///
/// # Errors
/// [`FileError::Remote`], [`FileError::BadUrl`].
#[boxed]
pub async fn inspect(ctx: &Ctx, url: &str) -> Result<RemoteFile, FileError> {
    let (response, _) = probe(ctx, url).await?;
    Ok(RemoteFile {
        media_type: response
            .header("content-type")
            .unwrap_or("application/octet-stream")
            .to_owned(),
        length: length(&response),
    })
}

/// Fetches a file and keeps it as an uploaded one.
///
/// # Errors
/// [`FileError::Remote`], [`FileError::BadUrl`], and what [`receive::keep`] says of the file.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn upload(
    ctx: &Ctx,
    tenant: TenantId,
    owner: Owner,
    url: &str,
) -> Result<UploadFile, FileError> {
    let (response, has_body) = probe(ctx, url).await?;
    let (name, mime_type) = describe(&response);
    let extension = kind::extension(&name);
    if length(&response)
        .is_some_and(|length| kind::limit(&ctx.config, &extension) < length.unsigned_abs())
    {
        return Err(FileError::TooLarge);
    }
    let response = if has_body {
        response
    } else {
        let call = ctx.http.guarded().get(url);
        accept(url, call.follow_redirects(true).send().await).await?
    };
    let announced = Announced { tenant, name: &name, mime_type: &mime_type };
    let received =
        receive::receive(ctx, announced, response.stream()).await.map_err(|err| match err {
            FileError::Broken => failed(url, "the connection broke off"),
            err => err,
        })?;
    receive::keep(ctx, received, Keep { owner, wanted: Wanted::Any, source_url: Some(url) }).await
}

/// The answer to `HEAD`, or to `GET` from servers that do not answer that; and whether it has a body to read.
async fn probe(ctx: &Ctx, url: &str) -> Result<(Response, bool), FileError> {
    let head = ctx.http.guarded().head(url).send().await;
    match head {
        Ok(response) if response.status() == StatusCode::OK => return Ok((response, false)),
        Err(err @ (NetError::InvalidUrl(_) | NetError::Blocked { .. })) => {
            return Err(refused(url, &err));
        }
        Err(err) if !matches!(err, NetError::MaxRetries { .. }) => return Err(refused(url, &err)),
        _ => {}
    }
    let get = ctx
        .http
        .guarded()
        .get(url)
        .follow_redirects(true)
        .first_byte_timeout(GET_TIMEOUT)
        .send()
        .await;
    Ok((accept(url, get).await?, true))
}

async fn accept(url: &str, answer: Result<Response, NetError>) -> Result<Response, FileError> {
    let response = answer.map_err(|err| refused(url, &err))?;
    if response.status() == StatusCode::OK {
        return Ok(response);
    }
    let status = response.status();
    let reason = response.text(MAX_REASON).await.unwrap_or_else(|_| status.to_string());
    Err(failed(url, &reason))
}

fn refused(url: &str, err: &NetError) -> FileError {
    match err {
        NetError::InvalidUrl(reason) => FileError::BadUrl(reason.clone()),
        err => failed(url, &err.to_string()),
    }
}

fn failed(url: &str, reason: &str) -> FileError {
    FileError::Remote { url: url.to_owned(), reason: reason.to_owned() }
}

fn length(response: &Response) -> Option<i64> {
    response.header("content-length").and_then(|length| length.trim().parse().ok())
}

/// Name and media type: from the address, from what the server calls the file, from the type it announces.
fn describe(response: &Response) -> (String, String) {
    name_and_type(
        response.url(),
        response.header("content-disposition"),
        response.header("content-type"),
    )
}

fn name_and_type(
    url: &Url,
    disposition: Option<&str>,
    content_type: Option<&str>,
) -> (String, String) {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let mut name = if last.is_empty() {
        disposition.and_then(disposition_name).unwrap_or_else(|| Uuid::new_v4().to_string())
    } else {
        last.to_owned()
    };
    let media_type = kind::media_type(&name).map_or_else(
        || content_type.unwrap_or("application/octet-stream").to_owned(),
        str::to_owned,
    );
    if kind::extension(&name).is_empty() {
        let extension = kind::extension_of(&media_type).unwrap_or_else(|| ".bin".to_owned());
        name.push_str(&extension);
    }
    (name, media_type)
}

/// The `filename` of a `Content-Disposition`, without a path.
fn disposition_name(header: &str) -> Option<String> {
    let (_, rest) = header.split_once("filename=")?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split(';').next()?.trim(),
    };
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_address_first() {
        let check = |url: &str, disposition: Option<&str>, kind: Option<&str>| {
            name_and_type(&url.parse().unwrap(), disposition, kind)
        };
        let named = r#"attachment; filename="table.csv""#;
        for (given, expected) in [
            (check("http://h/a.txt", None, Some("text/plain")), ("a.txt", "text/plain")),
            (check("http://h/named", Some(named), Some("text/csv")), ("named.csv", "text/csv")),
            (check("http://h/", Some(named), Some("text/plain")), ("table.csv", "text/csv")),
            (check("http://h/x/pic.png?y=1", None, None), ("pic.png", "image/png")),
            (check("http://h/blob", None, None), ("blob.bin", "application/octet-stream")),
        ] {
            assert_eq!((given.0.as_str(), given.1.as_str()), expected);
        }
    }

    #[test]
    fn a_name_the_server_gives_has_no_path() {
        for (header, expected) in [
            (r#"attachment; filename="../../etc/passwd""#, Some("passwd")),
            ("attachment; filename=a.txt; size=3", Some("a.txt")),
            ("inline", None),
            (r#"attachment; filename="""#, None),
        ] {
            assert_eq!(disposition_name(header).as_deref(), expected, "{header}");
        }
    }
}
