//! `document-extractor`: documents to text.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    File, GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs,
    Segment, SegmentType, Value, pool::Selector, value::py_list_repr,
};
use indexmap::IndexMap;
use serde::Deserialize;

use crate::{common::object, ports::Ports};

/// A node that reads documents.
pub(crate) struct DocumentExtractor {
    settings: Settings,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    variable_selector: Selector,
}

impl DocumentExtractor {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, ports })
    }

    async fn text(&self, ctx: &NodeCtx, file: &File) -> Result<String, String> {
        let content = self.ports.files.read(ctx.run.tenant_id, file).await;
        let content = content.map_err(|err| format!("Error downloading file: {err}"))?;
        let (extension, media_type) = (file.extension.clone(), file.mime_type.clone());
        let read = tokio::task::spawn_blocking(move || {
            extract::extract(&content, extension.as_deref(), media_type.as_deref())
        });
        match read.await {
            Ok(text) => text.map_err(|err| err.to_string()),
            Err(err) => Err(format!("the document could not be read: {err}")),
        }
    }
}

#[async_trait]
impl Node for DocumentExtractor {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let shown = py_list_repr(&self.settings.variable_selector);
        let Some(found) = ctx.pool.get(&self.settings.variable_selector) else {
            return Err(NodeError::new(
                format!("File variable not found for selector: {shown}"),
                "",
            ));
        };
        let is_list = matches!(found.kind, SegmentType::ArrayFile)
            || found.value.as_array().is_some_and(<[Value]>::is_empty);
        if found.value.is_truthy() && !is_list && found.value.as_file().is_none() {
            let message = format!("Variable {shown} is not an ArrayFileSegment");
            return Err(NodeError::new(message, ""));
        }
        let files: Vec<Arc<File>> = match &found.value {
            Value::File(file) => vec![Arc::clone(file)],
            Value::Array(items) => items.iter().filter_map(|it| it.as_file().cloned()).collect(),
            _ => Vec::new(),
        };
        let inputs: Object = object([(
            "variable_selector",
            Value::from_json(self.settings.variable_selector.clone().into()),
        )]);
        let documents = if found.value.is_null() {
            Value::array(Vec::new())
        } else {
            files.iter().map(|file| Value::File(Arc::clone(file))).collect()
        };
        let process_data = object([("documents", documents)]);
        let mut texts = Vec::with_capacity(files.len());
        for file in &files {
            let text = self.text(ctx, file).await.map_err(|message| {
                NodeError::new(message, "")
                    .with_inputs(inputs.clone())
                    .with_process_data(process_data.clone())
            })?;
            texts.push(text);
        }
        let text = match (found.value.as_file(), texts.pop()) {
            (Some(_), Some(text)) => Segment::from(text),
            (_, last) => {
                texts.extend(last);
                let texts = texts.into_iter().map(Value::from).collect();
                Segment::new(SegmentType::ArrayString, Value::array(texts))
            }
        };
        let outputs = Outputs::from_iter([("text".to_owned(), text)]);
        Ok(NodeOutput { inputs, process_data, outputs, ..NodeOutput::default() }.into())
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let selector = self.settings.variable_selector.clone();
        IndexMap::from([(format!("{node_id}.files"), selector)])
    }
}

#[cfg(test)]
mod tests {
    use graph::VariablePool;
    use serde_json::json;

    use super::*;
    use crate::fake::{file, outputs, run};

    #[tokio::test]
    async fn one_file_is_a_text_and_several_are_a_list() {
        let mut pool = VariablePool::default();
        pool.set("s", "one", Value::from(file("a.json", "{\"a\":1}")));
        let both: Vec<Value> = vec![file("a.txt", "1").into(), file("b.md", "2").into()];
        pool.set("s", "both", Value::array(both));
        pool.set("s", "bad", Value::from(file("a.bin", "1")));
        pool.set("s", "text", "x");
        let extract = async |name: &str| {
            let data = json!({"variable_selector": ["s", name]});
            run(&Arc::default(), "document-extractor", data, pool.clone()).await.0
        };
        assert_eq!(outputs(&extract("one").await.unwrap())["text"], "{\n  \"a\": 1\n}");
        assert_eq!(outputs(&extract("both").await.unwrap())["text"], json!(["1", "2"]));
        for (name, message) in [
            ("bad", "Unsupported Extension Type: .bin"),
            ("text", "Variable ['s', 'text'] is not an ArrayFileSegment"),
            ("none", "File variable not found for selector: ['s', 'none']"),
        ] {
            assert_eq!(extract(name).await.unwrap_err().message, message);
        }
    }
}
