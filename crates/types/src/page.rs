//! Pages of lists.

use serde::Serialize;

/// One page of a list: the reference's `{page, limit, total, has_more, data}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// Number of this page, from 1.
    pub page: i64,
    /// How many entries a page has at the most.
    pub limit: i64,
    /// How many entries the whole list has.
    pub total: i64,
    /// Whether a later page exists.
    pub has_more: bool,
    /// The entries of this page.
    pub data: Vec<T>,
}

impl<T> Page<T> {
    /// The page `window` shows of a list with `total` entries.
    #[must_use]
    pub fn new(window: Limit, total: i64, data: Vec<T>) -> Self {
        let has_more = total > window.page * window.limit;
        Self { page: window.page, limit: window.limit, total, has_more, data }
    }

    /// The same page with every entry replaced by `convert` of it.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            page: self.page,
            limit: self.limit,
            total: self.total,
            has_more: self.has_more,
            data: self.data.into_iter().map(convert).collect(),
        }
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Number of the page, from 1.
    pub page: i64,
    /// Entries a page.
    pub limit: i64,
}

impl Limit {
    /// How many entries stand before this page.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).max(0).saturating_mul(self.limit)
    }
}
