//! Markdown of users as HTML for mails: structure and links, nothing that runs or loads.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// Renders Markdown as HTML. Tags in it are dropped, as are images and links to anything but web and mail addresses;
/// line breaks stay.
#[must_use]
pub fn markdown(text: &str) -> String {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut dropped = Vec::new();
    let events = parser.filter_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) => None,
        Event::SoftBreak => Some(Event::HardBreak),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let keeps = is_harmless(link_type, &dest_url);
            dropped.push(!keeps);
            keeps.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Link) => {
            (!dropped.pop().unwrap_or(false)).then_some(Event::End(TagEnd::Link))
        }
        other => Some(other),
    });
    let mut rendered = String::new();
    html::push_html(&mut rendered, events);
    rendered.truncate(rendered.trim_end().len());
    rendered
}

fn is_harmless(kind: LinkType, target: &CowStr<'_>) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    kind == LinkType::Email
        || scheme.is_some_and(|scheme| ["http", "https", "mailto"].contains(&scheme.as_str()))
}

/// A subject in one line, without tags.
#[must_use]
pub fn plain_line(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        plain.push_str(before);
        let opens = tag.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || "/!".contains(c));
        match tag.find('>').filter(|_| opens) {
            Some(end) => rest = tag.get(end + 1..).unwrap_or_default(),
            None => {
                plain.push('<');
                rest = tag.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{markdown, plain_line};

    #[test]
    fn structure_stays_and_what_could_do_harm_goes() {
        for (text, expected) in [
            ("# Hi\n\na\nb", "<h1>Hi</h1>\n<p>a<br />\nb</p>"),
            ("a <b>c</b> <script>x</script>", "<p>a c x</p>"),
            ("[x](https://a.b/c?d&e)", "<p><a href=\"https://a.b/c?d&amp;e\">x</a></p>"),
            ("[x](javascript:alert(1))", "<p>x</p>"),
            ("![a](https://a.b/c.png)", "<p>a</p>"),
            ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>"),
        ] {
            assert_eq!(markdown(text), expected, "{text}");
        }
        assert!(markdown("|a|\n|-|\n|b|").starts_with("<table>"));
    }

    #[test]
    fn subjects_are_one_line() {
        assert_eq!(plain_line("Hi <b>you</b>\r\nBcc: x  y"), "Hi you Bcc: x y");
        assert_eq!(plain_line("1 < 2"), "1 < 2");
    }
}
