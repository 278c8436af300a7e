//! Addresses of tracing providers, brought into form.

use ::url::Url;

/// What an address may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Used for an empty one.
    pub default: &'static str,
    /// Plain http is refused.
    pub https_only: bool,
    /// The path is kept.
    pub with_path: bool,
    /// Added to the path if it is missing.
    pub suffix: &'static str,
}

/// The address in form.
pub(super) fn settle(given: &str, form: Form) -> Result<String, String> {
    let given = given.trim();
    if given.is_empty() {
        return Ok(form.default.to_owned());
    }
    let url = Url::parse(given).map_err(|_| "Invalid URL format".to_owned())?;
    let fits = url.scheme() == "https" || (url.scheme() == "http" && !form.https_only);
    if !fits || !url.has_host() {
        let schemes = if form.https_only { "https" } else { "https, http" };
        return Err(format!("URL scheme must be one of: {schemes}"));
    }
    if form.with_path {
        let mut address = given.to_owned();
        if !form.suffix.is_empty() && !address.ends_with(form.suffix) {
            address = format!("{}{}", address.trim_end_matches('/'), form.suffix);
        }
        return Ok(address);
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_settled() {
        let plain = Form { default: "https://d", https_only: false, with_path: false, suffix: "" };
        let https = Form { https_only: true, ..plain };
        let opik = Form { with_path: true, suffix: "/api/", ..plain };
        for (given, form, expected) in [
            ("", plain, Ok("https://d")),
            ("https://a.b:8/c?d", plain, Ok("https://a.b:8")),
            ("http://a", https, Err("URL scheme must be one of: https")),
            ("ftp://a", plain, Err("URL scheme must be one of: https, http")),
            ("nothing", plain, Err("Invalid URL format")),
            ("http://a/opik", opik, Ok("http://a/opik/api/")),
            ("http://a/api/", opik, Ok("http://a/api/")),
        ] {
            let got = settle(given, form);
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{given}");
        }
    }
}
