//! Word documents: paragraphs, and tables as Markdown, in the order of the document.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use crate::pack::Pack;

pub(crate) fn text(content: &[u8]) -> Result<String, String> {
    let xml = Pack::open(content)?.text("word/document.xml")?;
    let mut parser = Parser::default();
    let mut reader = Reader::from_str(&xml);
    loop {
        match reader.read_event().map_err(|err| err.to_string())? {
            Event::Start(start) => parser.start(&start),
            Event::Empty(start) => {
                parser.start(&start);
                parser.end(start.local_name().as_ref());
            }
            Event::End(end) => parser.end(end.local_name().as_ref()),
            Event::Text(text) if parser.in_text => parser.add(&text.xml10_content()),
            Event::CData(text) if parser.in_text => parser.add(&text.xml10_content()),
            Event::GeneralRef(reference) if parser.in_text => {
                let c = reference.resolve_char_ref().ok().flatten();
                match c {
                    Some(c) => parser.add(c.encode_utf8(&mut [0; 4])),
                    None => parser.add(crate::slides::entity(&reference.xml10_content())),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(parser.parts.join("\n"))
}

/// A cell: its text, the columns it spans, and whether it goes on with the one above.
#[derive(Default, Clone)]
struct Cell {
    paragraphs: Vec<String>,
    span: usize,
    goes_on: bool,
}

#[derive(Default)]
struct Parser {
    parts: Vec<String>,
    paragraph: String,
    in_text: bool,
    /// Depth of tables; those inside cells are passed over, as in the reference.
    tables: usize,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: Cell,
    deleted: usize,
}

impl Parser {
    fn start(&mut self, start: &BytesStart<'_>) {
        match start.local_name().as_ref() {
            "tbl" => {
                self.tables += 1;
                if self.tables == 1 {
                    self.rows.clear();
                }
            }
            "tr" if self.tables == 1 => self.row.clear(),
            "tc" if self.tables == 1 => self.cell = Cell { span: 1, ..Cell::default() },
            "gridSpan" if self.tables == 1 => {
                self.cell.span = value(start).and_then(|it| it.parse().ok()).unwrap_or(1);
            }
            "vMerge" if self.tables == 1 => {
                self.cell.goes_on = value(start).is_none_or(|it| it == "continue");
            }
            "p" => self.paragraph.clear(),
            "t" => self.in_text = self.deleted == 0,
            "del" => self.deleted += 1,
            "tab" if self.deleted == 0 => self.paragraph.push('\t'),
            "br" | "cr" if self.deleted == 0 => self.paragraph.push('\n'),
            "noBreakHyphen" => self.paragraph.push('-'),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "del" => self.deleted = self.deleted.saturating_sub(1),
            "p" => {
                // Tab stops of a paragraph's properties are elements of the same name as tabs.
                let text = std::mem::take(&mut self.paragraph);
                match self.tables {
                    0 => self.parts.push(text),
                    1 => self.cell.paragraphs.push(text),
                    _ => {}
                }
            }
            "pPr" => self.paragraph.clear(),
            "tc" if self.tables == 1 => {
                let cell = std::mem::take(&mut self.cell);
                let above = || self.rows.last().and_then(|row| row.get(self.row.len())).cloned();
                let text = match cell.goes_on.then(above).flatten() {
                    Some(text) => text,
                    None => cell.paragraphs.join("\n"),
                };
                for _ in 0..cell.span.clamp(1, 256) {
                    self.row.push(text.clone());
                }
            }
            "tr" if self.tables == 1 => self.rows.push(std::mem::take(&mut self.row)),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.parts.extend(table(&self.rows));
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.paragraph.push_str(text);
    }
}

fn value(start: &BytesStart<'_>) -> Option<String> {
    let found = start.attributes().flatten().find(|it| it.key.local_name().as_ref() == "val");
    found.map(|it| it.value.to_string())
}

/// A table as Markdown; none if nothing stands in it.
fn table(rows: &[Vec<String>]) -> Option<String> {
    if rows.iter().flatten().all(|cell| cell.trim().is_empty()) {
        return None;
    }
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('\n', "<br>")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut rows = rows.iter();
    let header = rows.next()?;
    let mut out = line(header);
    out.push_str(&format!("| {} |\n", vec!["---"; header.len()].join(" | ")));
    out.extend(rows.map(|row| line(row)));
    Some(out)
}
