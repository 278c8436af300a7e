//! What this deployment is called and how it is run.

use crate::kind::{Flag, Text};

settings! {
    /// What this deployment is called and how it is run.
    anywhere Deploy {
        application_name: Text = "langgenius/dify", "Service name in OTEL and JSON logs";
        debug: Flag = false, "App debug (entrypoint runs flask dev server)";
        deploy_env: Text = "PRODUCTION", "X-Env header, Sentry/OTEL environment";
        edition: Text = "SELF_HOSTED", "SELF_HOSTED | CLOUD; JWT iss";
        enable_request_logging: Flag = false, "Access line at INFO, bodies at DEBUG";
    }
}
