//! Model providers of a tenant.
