//! The text of documents that are text already: plain, Markdown, CSV, HTML.

use std::borrow::Cow;

/// The text of a document, by its extension (small letters); nothing for kinds that are not text.
pub(super) fn of(bytes: &[u8], extension: &str) -> Option<String> {
    match extension {
        "txt" | "md" | "mdx" | "markdown" | "vtt" | "properties" => {
            Some(decode(bytes).replace("\r\n", "\n").replace('\r', "\n"))
        }
        "csv" => rows(&decode(bytes)),
        "html" | "htm" => Some(without_tags(&decode(bytes)).trim().to_owned()),
        _ => None,
    }
}

/// Bytes as text: UTF-8, else in the encoding they look like.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut detector =
                chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
            detector.feed(bytes, true);
            detector.guess(None, chardetng::Utf8Detection::Allow).decode(bytes).0
        }
    }
}

/// `column: value;column: value`, a line a row.
fn rows(text: &str) -> Option<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().ok()?.clone();
    let lines: Vec<String> = reader
        .records()
        .filter_map(Result::ok)
        // Rows with more cells than there are columns are skipped, as in the reference.
        .filter(|row| row.len() <= columns.len())
        .map(|row| {
            let cells = columns.iter().enumerate().map(|(place, column)| {
                // What is missing is printed as the reference's tables print it.
                let cell = row.get(place).map(str::trim).filter(|cell| !cell.is_empty());
                format!("{}: {}", column.trim(), cell.unwrap_or("nan"))
            });
            cells.collect::<Vec<_>>().join(";")
        })
        .collect();
    Some(lines.join("\n"))
}

/// What a page says between its tags, scripts and styles left out.
fn without_tags(page: &str) -> String {
    let mut text = String::with_capacity(page.len() / 2);
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        unescape(before, &mut text);
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        if !tag[1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?')
        {
            text.push('<');
            rest = &tag[1..];
            continue;
        }
        let (inside, after) = tag[1..].split_once('>').unwrap_or((&tag[1..], ""));
        rest = after;
        let name: String = inside
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if matches!(name.as_str(), "script" | "style" | "template") && !inside.ends_with('/') {
            let end = format!("</{name}");
            let place = rest.to_ascii_lowercase().find(&end);
            rest = place.map_or("", |place| &rest[place..]);
        }
    }
    unescape(rest, &mut text);
    text
}

/// Appends `text` with its entities replaced by what they stand for.
fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, entity) = rest.split_at(start);
        out.push_str(before);
        let end = entity.find(';').filter(|end| *end <= 10);
        match end.and_then(|end| Some((character(&entity[1..end])?, end))) {
            Some((character, end)) => {
                out.push(character);
                rest = &entity[end + 1..];
            }
            None => {
                out.push('&');
                rest = &entity[1..];
            }
        }
    }
    out.push_str(rest);
}

fn character(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "copy" => Some('©'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_read_as_text() {
        for (bytes, extension, expected) in [
            ("héllo\r\n世界\n".as_bytes(), "txt", Some("héllo\n世界\n")),
            (b"a,b\n1,2\n", "csv", Some("a: 1;b: 2")),
            (b"a,b\n1,\nx,y,z\n", "csv", Some("a: 1;b: nan")),
            (b"<html><body><h1>Title</h1><p>text</p></body></html>", "html", Some("Titletext")),
            (b"M\xfcller\n", "txt", Some("Müller\n")),
            (b"\x89PNG", "png", None),
        ] {
            assert_eq!(of(bytes, extension).as_deref(), expected, "{extension}");
        }
    }

    #[test]
    fn pages_keep_only_what_they_say() {
        for (page, expected) in [
            ("a &amp; b &lt;c&gt; &#65;&#x42; &unknown; & d", "a & b <c> AB &unknown; & d"),
            ("<script>if (a < b) { x() }</script>after", "after"),
            ("<!-- <b>no</b> -->yes", "yes"),
            ("1 < 2", "1 < 2"),
            ("cut <b", "cut "),
            ("<STYLE>p{}</STYLE >x", "x"),
        ] {
            assert_eq!(without_tags(page), expected, "{page}");
        }
    }
}
