//! The workflows under load, in the form the editor saves them.

use serde_json::{Value, json};

/// Nodes of the long chain between start and end.
pub const CHAIN: usize = 48;

/// Branches of the parallel workflow.
pub const BRANCHES: usize = 20;

/// Milliseconds that each of them waits for its model.
pub const BRANCH_MS: u64 = 200;

/// Items of the iteration. The reference lets a code node answer with at most 1,000 numbers.
pub const ITEMS: usize = 1000;

/// start → end: what a run costs without anything in it.
pub fn empty() -> Value {
    let mut graph = Graph::started();
    graph.end("start", &[("user", "sys.user_id")]);
    graph.json()
}

/// start → llm → end, streamed.
pub fn llm(model: &str) -> Value {
    let mut graph = Graph::started();
    graph.llm("llm", "start", model, "hello [[tokens:20]]");
    graph.end("llm", &[("text", "llm.text")]);
    graph.json()
}

/// start → 48 templates → end.
pub fn chain() -> Value {
    let mut graph = Graph::started();
    let mut last = "start".to_owned();
    for number in 0..CHAIN {
        let id = format!("t{number}");
        let reads = if number == 0 { "sys.user_id".to_owned() } else { format!("{last}.output") };
        graph.template(&id, &last, "{{ x }}", &reads);
        last = id;
    }
    graph.end(&last, &[("text", &format!("{last}.output"))]);
    graph.json()
}

/// 20 models side by side, each of which takes its time.
pub fn parallel(model: &str) -> Value {
    let mut graph = Graph::started();
    let ids: Vec<String> = (0..BRANCHES).map(|number| format!("llm{number}")).collect();
    for id in &ids {
        graph.llm(id, "start", model, &format!("hello [[tokens:2]][[ttft_ms:{BRANCH_MS}]]"));
    }
    let outputs: Vec<(String, String)> =
        ids.iter().map(|id| (id.clone(), format!("{id}.text"))).collect();
    let outputs: Vec<(&str, &str)> =
        outputs.iter().map(|(name, from)| (name.as_str(), from.as_str())).collect();
    let (first, others) =
        ids.split_first().map_or(("start", ids.as_slice()), |(it, others)| (it.as_str(), others));
    graph.end(first, &outputs);
    for id in others {
        graph.edge(id, "end");
    }
    graph.json()
}

/// A code node makes 1,000 numbers, a template renders each.
pub fn iteration() -> Value {
    let mut graph = Graph::started();
    graph.node(
        "code",
        Some("start"),
        json!({
            "type": "code", "code_language": "javascript", "variables": [],
            "code": format!("function main() {{ return {{list: Array.from({{length: {ITEMS}}}, (_, i) => i)}} }}"),
            "outputs": {"list": {"type": "array[number]", "children": null}},
        }),
    );
    graph.node(
        "iteration",
        Some("code"),
        json!({
            "type": "iteration", "iterator_selector": ["code", "list"],
            "output_selector": ["item", "output"], "start_node_id": "iterationstart",
            "is_parallel": false, "parallel_nums": 10, "error_handle_mode": "terminated",
            "flatten_output": true, "output_type": "array[string]",
        }),
    );
    graph.inside("iterationstart", json!({"type": "iteration-start"}));
    graph.inside(
        "item",
        json!({
            "type": "template-transform", "template": "{{ x }}",
            "variables": [{"variable": "x", "value_selector": ["iteration", "item"]}],
        }),
    );
    graph.edge("iterationstart", "item");
    graph.end("iteration", &[("list", "iteration.output")]);
    graph.json()
}

struct Graph {
    nodes: Vec<Value>,
    edges: Vec<Value>,
}

impl Graph {
    fn started() -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new() };
        graph.node("start", None, json!({"type": "start", "variables": []}));
        graph
    }

    fn node(&mut self, id: &str, after: Option<&str>, mut data: Value) {
        if let Some(data) = data.as_object_mut() {
            for (name, value) in
                [("title", json!(id)), ("desc", json!("")), ("selected", json!(false))]
            {
                data.insert(name.to_owned(), value);
            }
        }
        let x = 80 + 300 * self.nodes.len();
        self.nodes.push(json!({
            "id": id, "type": "custom", "position": {"x": x, "y": 282}, "width": 244, "height": 90, "data": data,
        }));
        if let Some(after) = after {
            self.edge(after, id);
        }
    }

    /// A node of the iteration.
    fn inside(&mut self, id: &str, mut data: Value) {
        if let Some(data) = data.as_object_mut() {
            data.insert("isInIteration".to_owned(), json!(true));
            data.insert("iteration_id".to_owned(), json!("iteration"));
        }
        self.node(id, None, data);
        if let Some(node) = self.nodes.last_mut().and_then(Value::as_object_mut) {
            node.insert("parentId".to_owned(), json!("iteration"));
        }
    }

    fn edge(&mut self, source: &str, target: &str) {
        let kind = |id: &str| {
            let node = self.nodes.iter().find(|node| node.get("id").is_some_and(|it| it == id));
            node.and_then(|node| node.pointer("/data/type")).cloned().unwrap_or_default()
        };
        self.edges.push(json!({
            "id": format!("{source}-source-{target}-target"), "type": "custom", "source": source,
            "sourceHandle": "source", "target": target, "targetHandle": "target", "zIndex": 0,
            "data": {"sourceType": kind(source), "targetType": kind(target), "isInIteration": false, "isInLoop": false},
        }));
    }

    fn template(&mut self, id: &str, after: &str, template: &str, reads: &str) {
        let data = json!({
            "type": "template-transform", "template": template,
            "variables": [{"variable": "x", "value_selector": selector(reads)}],
        });
        self.node(id, Some(after), data);
    }

    fn llm(&mut self, id: &str, after: &str, model: &str, text: &str) {
        let data = json!({
            "type": "llm",
            "model": {"provider": crate::prepare::PROVIDER, "name": model, "mode": "chat", "completion_params": {}},
            "prompt_template": [{"id": format!("{id}-u"), "role": "user", "text": text}],
            "variables": [], "context": {"enabled": false, "variable_selector": []}, "vision": {"enabled": false},
        });
        self.node(id, Some(after), data);
    }

    fn end(&mut self, after: &str, outputs: &[(&str, &str)]) {
        let outputs: Vec<Value> = outputs
            .iter()
            .map(|(name, from)| {
                json!({"variable": name, "value_selector": selector(from), "value_type": "string"})
            })
            .collect();
        self.node("end", Some(after), json!({"type": "end", "outputs": outputs}));
    }

    fn json(self) -> Value {
        json!({"nodes": self.nodes, "edges": self.edges, "viewport": {"x": 0, "y": 0, "zoom": 1}})
    }
}

fn selector(path: &str) -> Vec<&str> {
    path.split('.').collect()
}
