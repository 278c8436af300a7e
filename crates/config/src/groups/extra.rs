//! Notion, Sentry and the archive of old runs.

use super::reasons::SENTRY;
use crate::kind::{Flag, MaybeText, NaturalFloat, Text};

settings! {
    /// Notion, Sentry and the archive of old runs.
    anywhere Extra {
        archive_storage_access_key: MaybeText = None, "Archive storage access key";
        archive_storage_archive_bucket: MaybeText = None, "Bucket for archived run bundles";
        archive_storage_enabled: Flag = false, "Workflow-run archive storage switch";
        archive_storage_endpoint: MaybeText = None, "S3-compatible endpoint of archive storage";
        archive_storage_export_bucket: MaybeText = None, "Bucket for exports";
        archive_storage_region: Text = "auto", "Archive storage region";
        archive_storage_secret_key: MaybeText = None, "Archive storage secret key";
        notion_client_id: MaybeText = None, "Notion OAuth client id";
        notion_client_secret: MaybeText = None, "Notion OAuth client secret";
        notion_integration_token: MaybeText = None, "Fallback token of the Notion extractor";
        notion_integration_type: MaybeText = None, "internal = use NOTION_INTERNAL_SECRET instead of OAuth";
        notion_internal_secret: MaybeText = None, "Token of internal Notion integration";
        sentry_dsn: MaybeText = None, "Enable Sentry when set (compose maps API_SENTRY_DSN here)", ignored SENTRY;
        sentry_profiles_sample_rate: NaturalFloat = 1.0, "Sentry profile sampling", ignored SENTRY;
        sentry_traces_sample_rate: NaturalFloat = 1.0, "Sentry performance sampling", ignored SENTRY;
    }
}
