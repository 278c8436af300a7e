//! What the build stamped into the image.

use crate::kind::Text;

settings! {
    /// What the build stamped into the image.
    anywhere Packaging {
        commit_sha: Text = "", "Build commit";
    }
}
