//! What this installation allows people who have no account or workspace yet.

use config::Config;

/// What the edition and its licence allow. The edge works it out from the feature switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Anybody may register.
    pub allow_register: bool,
    /// Users may own new workspaces.
    pub allow_create_workspace: bool,
    /// The licence has room for another workspace.
    pub workspaces_available: bool,
}

impl Policy {
    /// What the settings say, without an enterprise licence.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            allow_register: config.feature.allow_register,
            allow_create_workspace: config.feature.allow_create_workspace,
            workspaces_available: true,
        }
    }
}
