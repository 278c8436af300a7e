//! The catalogue that comes with the server, for installations without another.

use types::AppId;
use uuid::Uuid;

/// An app that comes with the server.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    id: u128,
    /// Display name.
    pub name: &'static str,
    /// The app's mode.
    pub mode: &'static str,
    /// Where the catalogue files it.
    pub category: &'static str,
    /// For people.
    pub description: &'static str,
    /// An emoji.
    pub icon: &'static str,
    /// Like `#FFEAD5`.
    pub icon_background: &'static str,
    /// The app as YAML, as it is imported.
    pub dsl: &'static str,
}

impl Template {
    /// What the catalogue knows it by.
    #[must_use]
    pub fn id(&self) -> AppId {
        AppId(Uuid::from_u128(self.id))
    }
}

/// All of them, in the catalogue's order.
pub const TEMPLATES: [Template; 5] = [
    Template {
        id: 0x2f0c_6a52_6a7e_4d0e_9c55_0d6a_3f1f_6c01,
        name: "Translator",
        mode: "completion",
        category: "Writing",
        description: "Turns a text into another language and keeps its tone and layout.",
        icon: "🌐",
        icon_background: "#E0F2FE",
        dsl: include_str!("../../data/templates/translator.yml"),
    },
    Template {
        id: 0x2f0c_6a52_6a7e_4d0e_9c55_0d6a_3f1f_6c02,
        name: "Meeting Minutes",
        mode: "completion",
        category: "Assistant",
        description: "Makes minutes out of raw notes: what was decided, who does what, what stays open.",
        icon: "📝",
        icon_background: "#FEF7C3",
        dsl: include_str!("../../data/templates/meeting_minutes.yml"),
    },
    Template {
        id: 0x2f0c_6a52_6a7e_4d0e_9c55_0d6a_3f1f_6c03,
        name: "Customer Support",
        mode: "chat",
        category: "Assistant",
        description: "Answers customers' questions kindly and hands over to a person when it does not know.",
        icon: "💬",
        icon_background: "#D1FADF",
        dsl: include_str!("../../data/templates/customer_support.yml"),
    },
    Template {
        id: 0x2f0c_6a52_6a7e_4d0e_9c55_0d6a_3f1f_6c04,
        name: "Code Review",
        mode: "chat",
        category: "Programming",
        description: "Reads a piece of code and names bugs, risks and simpler ways to write it.",
        icon: "🔍",
        icon_background: "#EEF4FF",
        dsl: include_str!("../../data/templates/code_review.yml"),
    },
    Template {
        id: 0x2f0c_6a52_6a7e_4d0e_9c55_0d6a_3f1f_6c05,
        name: "Article Summary",
        mode: "workflow",
        category: "Workflow",
        description: "A first workflow: takes an article, has a model summarise it and hands the summary out.",
        icon: "📰",
        icon_background: "#FFEAD5",
        dsl: include_str!("../../data/templates/article_summary.yml"),
    },
];

/// The template with that id.
#[must_use]
pub fn find(id: AppId) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.id() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_what_they_say() {
        for template in &TEMPLATES {
            assert!(template.dsl.contains(&format!("  name: {}\n", template.name)));
            assert!(template.dsl.contains(&format!("  mode: {}\n", template.mode)));
            assert!(template.dsl.contains("kind: app\n"));
            assert_eq!(find(template.id()).map(|found| found.name), Some(template.name));
        }
    }
}
