//! Configuration services settings could be read from.

use super::reasons::REMOTE_SOURCE;
use crate::kind::{MaybeText, Text};

settings! {
    /// Configuration services settings could be read from.
    anywhere RemoteSettingsSources {
        apollo_app_id: MaybeText = None, "Apollo app id", ignored REMOTE_SOURCE;
        apollo_cluster: MaybeText = None, "Apollo cluster", ignored REMOTE_SOURCE;
        apollo_config_url: MaybeText = None, "Apollo config service URL", ignored REMOTE_SOURCE;
        apollo_namespace: MaybeText = None, "Apollo namespace read for settings", ignored REMOTE_SOURCE;
        remote_settings_source_name: Text = "", "Remote settings source: apollo | nacos | empty = none", ignored REMOTE_SOURCE;
    }
}
