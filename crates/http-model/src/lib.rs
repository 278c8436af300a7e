//! Console endpoints of model providers, tools and plugins.
