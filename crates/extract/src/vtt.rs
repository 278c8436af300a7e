//! Subtitles: who says what.

/// `speaker "text"` lines; what one speaker says in a row is one line.
pub(crate) fn text(text: &str) -> String {
    let mut said: Vec<(Option<String>, String)> = Vec::new();
    for block in text.replace("\r\n", "\n").split("\n\n") {
        let mut lines = block.lines().skip_while(|line| !line.contains("-->"));
        if lines.next().is_none() {
            continue;
        }
        let cue = lines.collect::<Vec<_>>().join("\n");
        let speaker = cue
            .split_once("<v ")
            .map(|(_, rest)| rest.split('>').next().unwrap_or_default().trim().to_owned());
        let cue = without_tags(&cue);
        match said.last_mut() {
            Some((last, words)) if speaker.is_some() && *last == speaker => {
                words.push(' ');
                words.push_str(&cue);
            }
            _ => said.push((speaker, cue)),
        }
    }
    let lines = said
        .iter()
        .map(|(speaker, words)| format!("{} \"{words}\"", speaker.as_deref().unwrap_or_default()));
    lines.collect::<Vec<_>>().join("\n")
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = false;
    for c in text.chars() {
        match c {
            '<' => depth = true,
            '>' if depth => depth = false,
            c if !depth => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_one_speaker_says_in_a_row_is_one_line() {
        let text = super::text(
            "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hello\n\n1\n00:02.000 --> 00:03.000\n<v Ann>there</v>\n\n\
             00:03.000 --> 00:04.000\n<v Bo>Hi\n",
        );
        assert_eq!(text, "Ann \"Hello there\"\nBo \"Hi\"");
    }
}
