//! What every handler can reach.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use services_core::Ctx;

/// The state of the router: the context of the use cases, and the parts an area brings (model registry, run hub …),
/// which its handlers take with [`crate::Part`].
#[derive(Clone)]
pub struct AppState {
    /// The context of the use cases.
    pub ctx: Ctx,
    parts: Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl AppState {
    /// A state without parts.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        Self { ctx, parts: Arc::default() }
    }

    /// Adds a part; a second one of the same type replaces the first.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        Arc::make_mut(&mut self.parts).insert(TypeId::of::<T>(), Arc::new(part));
        self
    }

    /// The part of that type, if the server wired one.
    #[must_use]
    pub fn part<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.parts.get(&TypeId::of::<T>()).cloned().and_then(|part| part.downcast().ok())
    }
}

impl axum::extract::FromRef<AppState> for Ctx {
    fn from_ref(state: &AppState) -> Self {
        state.ctx.clone()
    }
}
