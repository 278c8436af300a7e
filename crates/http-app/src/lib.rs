//! Console endpoints of apps.
