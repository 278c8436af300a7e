//! Every type of node is tested by the engine's tests and over HTTP.

use graph::PureNodes;
use nodes::CallingNodes;

/// Types that the engine itself knows.
const CONTAINERS: [&str; 5] = ["iteration", "iteration-start", "loop", "loop-start", "loop-end"];

/// Reached over HTTP by the tests of knowledge bases and pipelines.
const ELSEWHERE: [&str; 2] = ["knowledge-retrieval", "datasource"];

const ENGINE: [&str; 9] = [
    include_str!("../../../graph/tests/it/containers.rs"),
    include_str!("../../../graph/tests/it/engine.rs"),
    include_str!("../../../graph/tests/it/nodes.rs"),
    include_str!("../../../nodes/src/document_extractor.rs"),
    include_str!("../../../nodes/src/http_request/tests.rs"),
    include_str!("../../../nodes/src/llm/tests.rs"),
    include_str!("../../../nodes/src/parameter_extractor.rs"),
    include_str!("../../../nodes/src/port_tests.rs"),
    include_str!("../../../nodes/src/question_classifier.rs"),
];

const HTTP: [&str; 7] = [
    include_str!("agent.rs"),
    include_str!("forms.rs"),
    include_str!("main.rs"),
    include_str!("models.rs"),
    include_str!("nodes.rs"),
    include_str!("parts.rs"),
    include_str!("tools.rs"),
];

#[test]
fn every_type_of_node_is_tested() {
    let tested = |sources: &[&str], name: &str| {
        let quoted = format!("\"{name}\"");
        sources.iter().any(|source| source.contains(&quoted))
    };
    for name in PureNodes::types().chain(CallingNodes::types()).chain(CONTAINERS) {
        assert!(tested(&ENGINE, name), "no test of the engine runs a node of type {name}");
        let is_elsewhere = ELSEWHERE.contains(&name);
        assert!(
            is_elsewhere || tested(&HTTP, name),
            "no test over HTTP runs a node of type {name}"
        );
    }
}
