//! Switches of the enterprise edition.

use crate::kind::{Flag, Positive};

settings! {
    /// Switches of the enterprise edition.
    anywhere Enterprise {
        can_replace_logo: Flag = false, "features.can_replace_logo default; custom web-app logo allowed";
        enterprise_enabled: Flag = false, "Enterprise edition switch; turns on license gate, web-app auth, branding, plugin manager calls";
        enterprise_request_timeout: Positive = 5, "Declared cap (s) for enterprise HTTP calls";
    }
}
