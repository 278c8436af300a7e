//! The operator, by `ADMIN_API_KEY`.

pub(crate) use http_core::guard::Operator;
