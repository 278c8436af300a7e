//! Reading.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::resolve;

/// Nested deeper, nothing was written by hand or by us.
const MAX_DEPTH: usize = 200;

/// Values a text may have, aliases counted as what they stand for: a few lines of aliases can mean billions.
const MAX_NODES: usize = 2_000_000;

/// Why a text is not read.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML.
    #[error("{0}")]
    Syntax(String),
    /// It is nested too deeply or means too much.
    #[error("the document is too complex")]
    TooComplex,
    /// It has more than one document.
    #[error("expected a single document in the stream")]
    SeveralDocuments,
}

/// The value of a YAML text; an empty one is `null`.
///
/// # Errors
/// [`YamlError`].
pub fn load(text: &str) -> Result<Value, YamlError> {
    let mut reader = Reader {
        events: Parser::new_from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text)),
        anchors: HashMap::new(),
        nodes: 0,
    };
    let mut document = None;
    while let Some(event) = reader.next()? {
        match event {
            Event::DocumentStart(..) if document.is_some() => {
                return Err(YamlError::SeveralDocuments);
            }
            Event::DocumentStart(..) => {
                let first = reader.next()?.ok_or_else(unexpected_end)?;
                document = Some(reader.node(first, 0)?);
            }
            Event::StreamEnd => break,
            _ => {}
        }
    }
    Ok(document.unwrap_or(Value::Null))
}

struct Reader<'t> {
    events: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
    /// Anchored values, and how many nodes each has.
    anchors: HashMap<usize, (Value, usize)>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<Event<'t>>, YamlError> {
        loop {
            match self.events.next_event() {
                None => return Ok(None),
                Some(Err(err)) => return Err(YamlError::Syntax(err.to_string())),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, _))) => return Ok(Some(event)),
            }
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if MAX_NODES < self.nodes { Err(YamlError::TooComplex) } else { Ok(()) }
    }

    fn node(&mut self, event: Event<'t>, depth: usize) -> Result<Value, YamlError> {
        if MAX_DEPTH < depth {
            return Err(YamlError::TooComplex);
        }
        let before = self.nodes;
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_ref()), anchor),
            Event::SequenceStart(_, anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => {
                let (value, nodes) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| YamlError::Syntax("found undefined alias".to_owned()))?;
                self.count(nodes)?;
                return Ok(value);
            }
            _ => return Err(unexpected_end()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.nodes - before));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()?.ok_or_else(unexpected_end)? {
                Event::SequenceEnd => return Ok(Value::Array(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        loop {
            let event = match self.next()?.ok_or_else(unexpected_end)? {
                Event::MappingEnd => break,
                event => event,
            };
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, depth + 1)?;
            let event = self.next()?.ok_or_else(unexpected_end)?;
            let value = self.node(event, depth + 1)?;
            if is_merge {
                merged.push(value);
            } else {
                map.insert(key_text(key)?, value);
            }
        }
        for source in merged {
            merge(&mut map, source)?;
        }
        Ok(Value::Object(map))
    }
}

/// `<<`: keys that are not there yet come from other mappings, the first of which wins.
fn merge(map: &mut Map<String, Value>, source: Value) -> Result<(), YamlError> {
    match source {
        Value::Object(source) => {
            for (key, value) in source {
                map.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(sources) => sources.into_iter().try_for_each(|source| merge(map, source)),
        _ => {
            Err(YamlError::Syntax("expected a mapping or list of mappings for merging".to_owned()))
        }
    }
}

/// A key as `json.dumps` would write it.
fn key_text(key: Value) -> Result<String, YamlError> {
    match key {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(key.to_string()),
        Value::Array(_) | Value::Object(_) => {
            Err(YamlError::Syntax("found unhashable key".to_owned()))
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>) -> Value {
    let tag = tag.map(ToString::to_string);
    let plain = || resolve::value(text);
    let string = || Value::String(text.to_owned());
    match tag.as_deref().map(|tag| tag.rsplit([':', '!']).next().unwrap_or_default()) {
        Some("str") => string(),
        Some("int") => resolve::integer(text).unwrap_or_else(string),
        Some("float") => resolve::float(text).unwrap_or_else(string),
        Some("null") => Value::Null,
        Some("bool") => plain(),
        _ if style == ScalarStyle::Plain => plain(),
        _ => string(),
    }
}

fn unexpected_end() -> YamlError {
    YamlError::Syntax("the document ends too early".to_owned())
}
