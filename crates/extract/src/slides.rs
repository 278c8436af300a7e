//! Presentations and books.

use quick_xml::{Reader, events::Event};

use crate::pack::Pack;

/// Paragraphs of all slides, in order.
pub(crate) fn pptx(content: &[u8]) -> Result<String, String> {
    let mut pack = Pack::open(content)?;
    let number = |name: &str| -> Option<u32> {
        name.strip_prefix("ppt/slides/slide")?.strip_suffix(".xml")?.parse().ok()
    };
    let mut slides: Vec<(u32, String)> =
        pack.names().filter_map(|name| Some((number(&name)?, name))).collect();
    if slides.is_empty() {
        return Err("There are no slides in the archive".to_owned());
    }
    slides.sort_unstable();
    let mut paragraphs = Vec::new();
    for (_, name) in slides {
        paragraphs_of(&pack.text(&name)?, &mut paragraphs)?;
    }
    Ok(paragraphs.join("\n"))
}

fn paragraphs_of(xml: &str, paragraphs: &mut Vec<String>) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    let mut paragraph = String::new();
    let mut in_text = false;
    loop {
        match reader.read_event().map_err(|err| err.to_string())? {
            Event::Start(start) => in_text |= start.name().as_ref() == "a:t",
            Event::Empty(start) if start.name().as_ref() == "a:br" => paragraph.push('\n'),
            Event::End(end) => match end.name().as_ref() {
                "a:t" => in_text = false,
                "a:p" => {
                    let text = std::mem::take(&mut paragraph);
                    if !text.trim().is_empty() {
                        paragraphs.push(text);
                    }
                }
                _ => {}
            },
            Event::Text(text) if in_text => paragraph.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if in_text => {
                match reference.resolve_char_ref().ok().flatten() {
                    Some(c) => paragraph.push(c),
                    None => paragraph.push_str(entity(&reference.xml10_content())),
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// What one of XML's own entities stands for.
pub(crate) fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => "\u{a0}",
        _ => "",
    }
}

/// The chapters of a book in reading order, as Markdown.
pub(crate) fn epub(content: &[u8]) -> Result<String, String> {
    let mut pack = Pack::open(content)?;
    let container = pack.text("META-INF/container.xml")?;
    let package = attributes(&container, "rootfile", &["full-path"])?;
    let path =
        package.into_iter().flatten().flatten().next().ok_or("The book has no package file")?;
    let package = pack.text(&path)?;
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let items = attributes(&package, "item", &["id", "href"])?;
    let mut chapters = Vec::new();
    for reference in attributes(&package, "itemref", &["idref"])? {
        let wanted = reference.into_iter().next().flatten();
        let found = items.iter().find(|item| item.first() == Some(&wanted));
        let Some(Some(href)) = found.and_then(|item| item.get(1)) else { continue };
        let href = href.replace("%20", " ");
        let Ok(html) = pack.text(&format!("{folder}{href}")) else { continue };
        let text = htmd::convert(&html).map_err(|err| err.to_string())?;
        if !text.trim().is_empty() {
            chapters.push(text.trim().to_owned());
        }
    }
    Ok(chapters.join("\n\n"))
}

/// The wanted attributes of all elements of a name.
fn attributes(
    xml: &str,
    element: &str,
    names: &[&str],
) -> Result<Vec<Vec<Option<String>>>, String> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().map_err(|err| err.to_string())? {
            Event::Start(start) | Event::Empty(start) if start.local_name().as_ref() == element => {
                let values = names.iter().map(|name| {
                    let mut own = start.attributes().flatten();
                    own.find(|it| it.key.as_ref() == *name).map(|it| it.value.to_string())
                });
                found.push(values.collect());
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}
