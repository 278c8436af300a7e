//! Files, tags, keys, features and other platform use cases.
