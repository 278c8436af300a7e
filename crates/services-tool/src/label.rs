//! Labels of providers.

use std::collections::HashMap;

use db::PgConnection;
use plugin::entity::I18n;
use serde::Serialize;

use crate::ToolError;

/// A label.
#[derive(Debug, Clone, Serialize)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Name to show.
    pub label: I18n,
    /// An SVG picture.
    pub icon: String,
}

/// Names of the labels, in English and Chinese, and the path that draws each in a square of 16.
const LABELS: [(&str, &str, &str, &str); 17] = [
    ("search", "Search", "搜索", "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.5 10.5l3 3"),
    ("image", "Image", "图片", "M2.5 3.5h11v9h-11zM2.5 11l3-3l3 3l2-2l3 3"),
    ("videos", "Videos", "视频", "M2.5 3.5h11v9h-11zM6.5 6v4l3.5-2z"),
    (
        "weather",
        "Weather",
        "天气",
        "M5 12.5h6a2.5 2.5 0 0 0 0-5a3.5 3.5 0 0 0-6.8 1a2 2 0 0 0 .8 4z",
    ),
    ("finance", "Finance", "金融", "M2.5 13.5h11M4 11.5v-3M7 11.5v-6M10 11.5v-4M13 11.5v-8"),
    ("design", "Design", "设计", "M3 13l1-3.5l7-7l2.5 2.5l-7 7z"),
    ("travel", "Travel", "旅行", "M8 14s4.5-4 4.5-7.5a4.5 4.5 0 0 0-9 0C3.5 10 8 14 8 14zM8 5v3"),
    ("social", "Social", "社交", "M2.5 3.5h11v7h-6l-3 3v-3h-2z"),
    ("news", "News", "新闻", "M3.5 2.5h9v11h-9zM5.5 5.5h5M5.5 8h5M5.5 10.5h3"),
    ("medical", "Medical", "医疗", "M6.5 2.5h3v4h4v3h-4v4h-3v-4h-4v-3h4z"),
    ("productivity", "Productivity", "生产力", "M9 2L3.5 9H8l-1 5l5.5-7H8z"),
    ("education", "Education", "教育", "M1.5 6L8 3l6.5 3L8 9zM4.5 7.5v4l3.5 1.5l3.5-1.5v-4"),
    ("business", "Business", "商业", "M2.5 5.5h11v8h-11zM6 5.5v-3h4v3M2.5 9h11"),
    (
        "entertainment",
        "Entertainment",
        "娱乐",
        "M6 12.5V4l7-1.5v8.5M6 12.5a2 1.5 0 1 1-4 0a2 1.5 0 1 1 4 0",
    ),
    ("utilities", "Utilities", "工具", "M3 13l6-6M9 7a3 3 0 0 1 4-4l-2 2v1h1l2-2a3 3 0 0 1-4 4"),
    ("other", "Other", "其他", "M4 8h.1M8 8h.1M12 8h.1"),
    ("rag", "RAG", "RAG", "M3.5 2.5h6l3 3v8h-9zM6 9l1.5 1.5L10.5 7"),
];

/// All labels there are.
#[must_use]
pub fn all() -> Vec<Label> {
    let label = |(name, english, chinese, path): (&'static str, &str, &str, &str)| Label {
        name,
        label: I18n { zh_Hans: chinese.to_owned(), ..I18n::same(english) },
        icon: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" fill=\"none\">\
             <path d=\"{path}\" stroke=\"#344054\" stroke-width=\"1.33\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\"/></svg>"
        ),
    };
    LABELS.into_iter().map(label).collect()
}

/// Those of `names` that are labels, each once.
#[must_use]
pub fn known(names: &[String]) -> Vec<String> {
    let mut known: Vec<String> = names
        .iter()
        .filter(|name| LABELS.iter().any(|(label, ..)| label == name))
        .cloned()
        .collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// The labels of some providers of a kind, by id.
///
/// # Errors
/// Faults of the database.
pub(crate) async fn of(
    conn: &mut PgConnection,
    kind: &str,
    ids: &[String],
) -> Result<HashMap<String, Vec<String>>, ToolError> {
    let mut labels: HashMap<String, Vec<String>> = HashMap::new();
    for label in db::tool_label::list(conn, kind, ids).await? {
        labels.entry(label.tool_id).or_default().push(label.label_name);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_there_are_count() {
        let given = ["weather", "magic", "search", "weather"].map(str::to_owned);
        assert_eq!(known(&given), ["search", "weather"]);
        assert_eq!(all().len(), LABELS.len());
    }
}
