//! Letters.

use mail_parser::MessageParser;

/// The text of a letter; of one that is only HTML, as Markdown.
pub(crate) fn text(content: &[u8]) -> Result<String, String> {
    let message = MessageParser::default().parse(content).ok_or("the letter cannot be read")?;
    let is_plain = message.text_body.iter().any(|part| !message.html_body.contains(part));
    if !is_plain && let Some(html) = message.body_html(0) {
        return htmd::convert(&html)
            .map(|text| text.trim().to_owned())
            .map_err(|err| err.to_string());
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(part) = message.body_text(at) {
        parts.push(part.trim().replace("\r\n", "\n"));
        at += 1;
    }
    Ok(parts.join("\n"))
}
