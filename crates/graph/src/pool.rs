//! The variable pool: what nodes read and where their outputs go.

use std::{fmt, sync::Arc};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use template::variable::parts;

use crate::{
    file::{File, FileUrls, NoUrls},
    segment::Segment,
    value::{Object, Value},
};

/// First element of selectors of system variables.
pub const SYSTEM: &str = "sys";
/// First element of selectors of environment variables.
pub const ENVIRONMENT: &str = "env";
/// First element of selectors of conversation variables.
pub const CONVERSATION: &str = "conversation";
/// First element of selectors of pipeline variables.
pub const PIPELINE: &str = "rag";

/// Path to a variable: node id or namespace, name, and names inside the value.
pub type Selector = Vec<String>;

/// The `sys.*` variables of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the names of the variables")]
pub struct SystemVariables {
    pub files: Vec<File>,
    pub user_id: Option<String>,
    pub app_id: Option<String>,
    pub workflow_id: Option<String>,
    pub workflow_run_id: Option<String>,
    pub query: Option<String>,
    pub conversation_id: Option<String>,
    pub dialogue_count: Option<i64>,
    pub document_id: Option<String>,
    pub original_document_id: Option<String>,
    pub dataset_id: Option<String>,
    pub batch: Option<String>,
    pub datasource_type: Option<String>,
    pub datasource_info: Option<Object>,
    pub invoke_from: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
}

impl SystemVariables {
    /// Names (without `sys.`) and values of those that are set, in the reference's order. `files`
    /// is always there.
    #[must_use]
    pub fn entries(&self) -> Object {
        let mut entries = Object::new();
        let files = self.files.iter().cloned().map(Value::from).collect();
        entries.insert("files".to_owned(), files);
        let mut text = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                entries.insert(name.to_owned(), Value::from(value.as_str()));
            }
        };
        text("user_id", &self.user_id);
        text("app_id", &self.app_id);
        text("workflow_id", &self.workflow_id);
        text("workflow_run_id", &self.workflow_run_id);
        text("query", &self.query);
        text("conversation_id", &self.conversation_id);
        if let Some(count) = self.dialogue_count {
            entries.insert("dialogue_count".to_owned(), Value::Int(count));
        }
        let mut text = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                entries.insert(name.to_owned(), Value::from(value.as_str()));
            }
        };
        text("document_id", &self.document_id);
        text("original_document_id", &self.original_document_id);
        text("dataset_id", &self.dataset_id);
        text("batch", &self.batch);
        text("datasource_type", &self.datasource_type);
        if let Some(info) = &self.datasource_info {
            entries.insert("datasource_info".to_owned(), Value::object(info.clone()));
        }
        if let Some(invoke_from) = &self.invoke_from {
            entries.insert("invoke_from".to_owned(), Value::from(invoke_from.as_str()));
        }
        if let Some(timestamp) = self.timestamp {
            entries.insert("timestamp".to_owned(), Value::Int(timestamp));
        }
        entries
    }
}

/// The variables of a run. Cloning is cheap and copies on write, so that every node reads a
/// snapshot of its own.
#[derive(Clone)]
pub struct VariablePool {
    nodes: IndexMap<Arc<str>, Arc<IndexMap<String, Segment>>>,
    inputs: Arc<Object>,
    system: Arc<SystemVariables>,
    urls: Arc<dyn FileUrls>,
}

/// A pool in the stored state of a paused run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolState {
    nodes: IndexMap<Arc<str>, IndexMap<String, Segment>>,
    inputs: Object,
    system: SystemVariables,
}

impl fmt::Debug for VariablePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are user data: names only.
        let names = self.nodes.iter().map(|(node, it)| (node, it.keys().collect::<Vec<_>>()));
        f.debug_map().entries(names).finish()
    }
}

impl PartialEq for VariablePool {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.inputs == other.inputs && self.system == other.system
    }
}

impl Default for VariablePool {
    fn default() -> Self {
        Self::new(SystemVariables::default(), Object::new(), Arc::new(NoUrls))
    }
}

impl VariablePool {
    /// A pool with the system variables and the user's inputs of a run. `urls` makes the URLs of
    /// files when values are printed.
    #[must_use]
    pub fn new(system: SystemVariables, inputs: Object, urls: Arc<dyn FileUrls>) -> Self {
        let mut pool = Self {
            nodes: IndexMap::new(),
            inputs: Arc::new(inputs),
            system: Arc::new(SystemVariables::default()),
            urls,
        };
        for (name, value) in system.entries() {
            // An empty list of files keeps `array[any]`, as in the reference.
            pool.set(SYSTEM, &name, value);
        }
        pool.system = Arc::new(system);
        pool
    }

    /// The user's inputs of the run, read by start nodes only.
    #[must_use]
    pub fn inputs(&self) -> &Object {
        &self.inputs
    }

    /// The system variables of the run.
    #[must_use]
    pub fn system(&self) -> &SystemVariables {
        &self.system
    }

    /// Makes the URLs of files.
    #[must_use]
    pub fn urls(&self) -> &dyn FileUrls {
        &*self.urls
    }

    /// Sets a variable.
    pub fn set(&mut self, node: &str, name: &str, value: impl Into<Segment>) {
        let names = match self.nodes.get_mut(node) {
            Some(names) => names,
            None => self.nodes.entry(Arc::from(node)).or_default(),
        };
        Arc::make_mut(names).insert(name.to_owned(), value.into());
    }

    /// Sets the variable of a selector of two elements; other selectors change nothing.
    pub fn set_selector(&mut self, selector: &[String], value: impl Into<Segment>) {
        if let [node, name] = selector {
            self.set(node, name, value);
        }
    }

    /// Removes all variables of a node.
    pub fn remove_node(&mut self, node: &str) {
        if let Some(names) = self.nodes.get_mut(node) {
            *names = Arc::default();
        }
    }

    /// Removes one variable.
    pub fn remove(&mut self, node: &str, name: &str) {
        if let Some(names) = self.nodes.get_mut(node)
            && names.contains_key(name)
        {
            Arc::make_mut(names).shift_remove(name);
        }
    }

    /// The variable `node.name`.
    #[must_use]
    pub fn variable(&self, node: &str, name: &str) -> Option<&Segment> {
        self.nodes.get(node)?.get(name)
    }

    /// All variables of a node or namespace, by name.
    #[must_use]
    pub fn node(&self, node: &str) -> Option<&IndexMap<String, Segment>> {
        self.nodes.get(node).map(|names| &**names)
    }

    /// The value a selector points at; elements after the second name an attribute of a file or
    /// keys of nested mappings. `None` when there is none.
    pub fn get<S: AsRef<str>>(&self, selector: &[S]) -> Option<Segment> {
        let (node, rest) = selector.split_first()?;
        let (name, path) = rest.split_first()?;
        let segment = self.variable(node.as_ref(), name.as_ref())?;
        let Some(first) = path.first() else { return Some(segment.clone()) };
        if let Value::File(file) = &segment.value {
            return file.attribute(first.as_ref(), self.urls()).map(Segment::from);
        }
        let mut value = &segment.value;
        for key in path {
            value = value.as_object()?.get(key.as_ref())?;
        }
        Some(Segment::from(value.clone()))
    }

    /// The pieces of `template` with its references resolved. A reference to nothing stays as the
    /// bare selector text without braces, as in the reference.
    #[must_use]
    pub fn segments(&self, template: &str) -> Vec<Segment> {
        parts(template)
            .into_iter()
            .map(|part| {
                let text = part.as_str();
                let found = if text.contains('.') {
                    self.get(&text.split('.').collect::<Vec<_>>())
                } else {
                    None
                };
                found.unwrap_or_else(|| Segment::from(text))
            })
            .collect()
    }

    /// `template` rendered with the text forms of its variables.
    #[must_use]
    pub fn render(&self, template: &str) -> String {
        self.segments(template).iter().map(Segment::text).collect()
    }

    /// `template` rendered with the Markdown forms of its variables.
    #[must_use]
    pub fn render_markdown(&self, template: &str) -> String {
        self.segments(template).iter().map(|it| it.markdown(self.urls())).collect()
    }

    /// `template` rendered for logs: secrets masked.
    #[must_use]
    pub fn render_log(&self, template: &str) -> String {
        self.segments(template).iter().map(Segment::log).collect()
    }

    /// The form in which the pool of a paused run is stored.
    #[must_use]
    pub fn to_state(&self) -> PoolState {
        PoolState {
            nodes: self.nodes.iter().map(|(node, it)| (node.clone(), (**it).clone())).collect(),
            inputs: (*self.inputs).clone(),
            system: (*self.system).clone(),
        }
    }

    /// The pool of a stored state.
    #[must_use]
    pub fn from_state(state: PoolState, urls: Arc<dyn FileUrls>) -> Self {
        Self {
            nodes: state.nodes.into_iter().map(|(node, it)| (node, Arc::new(it))).collect(),
            inputs: Arc::new(state.inputs),
            system: Arc::new(state.system),
            urls,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pool() -> VariablePool {
        let system = SystemVariables { query: Some("hi".to_owned()), ..Default::default() };
        let mut pool = VariablePool::new(system, Object::new(), Arc::new(NoUrls));
        pool.set("n", "text", "T");
        pool.set("n", "obj", json!({"a": {"b": [1]}}));
        pool
    }

    #[test]
    fn selectors_reach_into_objects() {
        let pool = pool();
        let get = |path: &str| pool.get(&path.split('.').collect::<Vec<_>>()).map(|it| it.text());
        assert_eq!(get("n.text").as_deref(), Some("T"));
        assert_eq!(get("n.obj.a").as_deref(), Some("{\"b\": [1]}"));
        assert_eq!(get("n.obj.a.b").as_deref(), Some("[1]"));
        for missing in ["n", "n.nothing", "m.text", "n.text.x", "n.obj.x", "n.obj.a.b.c"] {
            assert_eq!(get(missing), None, "{missing}");
        }
        assert_eq!(pool.get::<String>(&[]), None);
    }

    #[test]
    fn templates_are_rendered() {
        let pool = pool();
        assert_eq!(pool.render("{{#sys.query#}} {{#n.text#}}!"), "hi T!");
        assert_eq!(pool.render("{{#n.missing#}} a.b"), "n.missing a.b");
        // A whole text part that names a variable is taken for a reference.
        assert_eq!(pool.render("n.text"), "T");
    }

    #[test]
    fn snapshots_do_not_change() {
        let mut pool = pool();
        let snapshot = pool.clone();
        pool.set("n", "text", "U");
        assert_eq!(snapshot.render("{{#n.text#}}"), "T");
        assert_eq!(pool.render("{{#n.text#}}"), "U");
    }

    #[test]
    fn state_round_trips() {
        let pool = pool();
        let state = serde_json::to_string(&pool.to_state()).unwrap();
        let state = serde_json::from_str(&state).unwrap();
        assert_eq!(VariablePool::from_state(state, Arc::new(NoUrls)), pool);
    }
}
