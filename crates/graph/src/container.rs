//! Settings of the containers: iteration and loop.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use crate::{
    condition::{Condition, Logic},
    pool::Selector,
    segment::SegmentType,
    value::{Object, Value},
};

/// What happens when a round of an iteration fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ErrorMode {
    /// The iteration fails.
    #[default]
    Terminated,
    /// The round's result is null.
    ContinueOnError,
    /// The round has no result.
    RemoveAbnormalOutput,
}

/// `data` of an iteration node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IterationConfig {
    #[serde(default)]
    pub(crate) start_node_id: Option<String>,
    pub(crate) iterator_selector: Selector,
    pub(crate) output_selector: Selector,
    #[serde(default)]
    pub(crate) is_parallel: bool,
    #[serde(default = "ten")]
    pub(crate) parallel_nums: usize,
    #[serde(default)]
    pub(crate) error_handle_mode: ErrorMode,
    #[serde(default = "yes")]
    pub(crate) flatten_output: bool,
}

/// `data` of a loop node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LoopConfig {
    #[serde(default)]
    pub(crate) start_node_id: Option<String>,
    pub(crate) loop_count: i64,
    pub(crate) break_conditions: Vec<Condition>,
    pub(crate) logical_operator: Logic,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) loop_variables: Vec<LoopVariable>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) outputs: Object,
}

/// A variable that lives as long as its loop.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LoopVariable {
    pub(crate) label: String,
    pub(crate) var_type: SegmentType,
    pub(crate) value_type: String,
    #[serde(default)]
    pub(crate) value: Value,
}

impl LoopVariable {
    /// The selector of a variable's value.
    pub(crate) fn selector(&self) -> Option<Selector> {
        let items = self.value.as_array()?;
        items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }
}

impl LoopConfig {
    pub(crate) fn variable_mapping(&self, id: &str) -> IndexMap<String, Selector> {
        let read = self.loop_variables.iter().filter(|it| it.value_type == "variable");
        read.filter_map(|it| Some((format!("{id}.{}", it.label), it.selector()?))).collect()
    }
}

fn ten() -> usize {
    10
}

fn yes() -> bool {
    true
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
