//! What vector stores are good for.

/// The store of a server that names none: vectors in its own PostgreSQL.
pub const USUAL: &str = "pgvector";

/// How the passages of a knowledge base can be searched.
const METHODS: [&str; 3] = ["semantic_search", "full_text_search", "hybrid_search"];

/// Stores that know vectors only.
const SEMANTIC_ONLY: [&str; 6] =
    ["relyt", "tidb_vector", "chroma", "pgvecto-rs", "vikingdb", "upstash"];

/// Stores that know words too.
const ALL_METHODS: [&str; 25] = [
    "alibabacloud_mysql",
    "analyticdb",
    "baidu",
    "clickzetta",
    "couchbase",
    "elasticsearch",
    "elasticsearch-ja",
    "hologres",
    "huawei_cloud",
    "iris",
    "lindorm",
    "matrixone",
    "myscale",
    "oceanbase",
    "opengauss",
    "opensearch",
    "oracle",
    "pgvector",
    "qdrant",
    "seekdb",
    "tablestore",
    "tencent",
    "tidb_on_qdrant",
    "vastbase",
    "weaviate",
];

/// Whose word is taken for what a store can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The store this server is set to.
    Server,
    /// A store somebody asks about: of Milvus then nobody knows whether its release knows words.
    Name,
}

/// The search methods a store knows; `None` for a store nobody has heard of.
#[must_use]
pub fn methods(store: &str, of: Of) -> Option<&'static [&'static str]> {
    let (all, semantic) = (METHODS.as_slice(), METHODS.get(..1).unwrap_or_default());
    match (store, of) {
        ("milvus", Of::Server) => Some(all),
        ("milvus", Of::Name) => Some(semantic),
        _ if SEMANTIC_ONLY.contains(&store) => Some(semantic),
        _ if ALL_METHODS.contains(&store) => Some(all),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_know_vectors_and_some_know_words() {
        for (store, of, known) in [
            ("weaviate", Of::Server, Some(3)),
            ("chroma", Of::Server, Some(1)),
            ("milvus", Of::Server, Some(3)),
            ("milvus", Of::Name, Some(1)),
            ("nowhere", Of::Name, None),
            ("", Of::Server, None),
        ] {
            assert_eq!(methods(store, of).map(<[_]>::len), known, "{store} {of:?}");
        }
        assert_eq!(methods("chroma", Of::Name), Some(["semantic_search"].as_slice()));
    }
}
