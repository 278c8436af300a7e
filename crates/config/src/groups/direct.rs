//! Variables the reference reads past its settings, from the process environment only.

use super::reasons::{PYTHON_PATH, REMOTE_SOURCE, SLS, UTC};
use crate::kind::{Float, Int, MaybeText, Text, TrueWord};

settings! {
    /// Variables the reference reads past its settings, from the process environment only.
    process Direct {
        enable_otel_for_instrument: Text = "", "\"true\" lets external agents use the manual OTEL decorators", ignored PYTHON_PATH;
        init_password: MaybeText = None, "Gate before /setup; read raw from the process env (never from .env file or remote source)";
        suggested_questions_max_tokens: Int = 256, "Follow-up question max tokens";
        suggested_questions_prompt: MaybeText = None, "Prompt override of follow-up question generator";
        suggested_questions_temperature: Float = 0.0, "Follow-up question temperature";
        trace_queue_manager_batch_size: Int = 100, "Trace tasks per flush";
        trace_queue_manager_interval: Int = 5, "S between flushes of the in-process ops-trace queue";
        tz: Text = "UTC", "Forced to UTC at start-up", ignored UTC;

        // Aliyun log store
        aliyun_sls_access_key_id: Text = "", "SLS logstore key id", ignored SLS;
        aliyun_sls_access_key_secret: Text = "", "SLS logstore key secret", ignored SLS;
        aliyun_sls_check_connectivity_timeout: Int = 30, "SLS connectivity check s", ignored SLS;
        aliyun_sls_endpoint: Text = "", "SLS endpoint", ignored SLS;
        aliyun_sls_logstore_ttl: Int = 365, "SLS retention days", ignored SLS;
        aliyun_sls_pg_max_overflow: Int = 5, "SLS PG pool overflow", ignored SLS;
        aliyun_sls_pg_pool_pre_ping: TrueWord = false, "SLS PG pre-ping", ignored SLS;
        aliyun_sls_pg_pool_recycle: Int = 3600, "SLS PG pool recycle s", ignored SLS;
        aliyun_sls_pg_pool_size: Int = 5, "SLS PG-protocol pool", ignored SLS;
        aliyun_sls_project_name: Text = "", "SLS project", ignored SLS;
        aliyun_sls_region: Text = "", "SLS region", ignored SLS;
        logstore_dual_read_enabled: TrueWord = true, "Fall back to SQL reads", ignored SLS;
        logstore_dual_write_enabled: TrueWord = false, "Write runs to SQL too", ignored SLS;
        logstore_enable_put_graph_field: TrueWord = true, "Store graph in SLS", ignored SLS;
        logstore_pg_mode_enabled: TrueWord = true, "Query SLS over PG protocol", ignored SLS;
        logstore_sql_echo: TrueWord = false, "Log SLS SQL", ignored SLS;

        // Nacos
        dify_env_nacos_access_key: MaybeText = None, "Nacos AK (Spas-* headers)", ignored REMOTE_SOURCE;
        dify_env_nacos_data_id: Text = "dify-api-env.properties", "Nacos dataId", ignored REMOTE_SOURCE;
        dify_env_nacos_group: Text = "nacos-dify", "Nacos group", ignored REMOTE_SOURCE;
        dify_env_nacos_namespace: Text = "", "Nacos tenant", ignored REMOTE_SOURCE;
        dify_env_nacos_password: MaybeText = None, "Nacos login password", ignored REMOTE_SOURCE;
        dify_env_nacos_secret_key: MaybeText = None, "Nacos SK", ignored REMOTE_SOURCE;
        dify_env_nacos_server_addr: Text = "localhost:8848", "Nacos host:port (plain http)", ignored REMOTE_SOURCE;
        dify_env_nacos_username: MaybeText = None, "Nacos login user", ignored REMOTE_SOURCE;

        // Services of the paid editions
        billing_api_secret_key: Text = "BILLING_API_SECRET_KEY", "Header Billing-Api-Secret-Key";
        billing_api_url: Text = "BILLING_API_URL", "Billing service base (read at import)";
        enterprise_api_secret_key: Text = "ENTERPRISE_API_SECRET_KEY", "Header Enterprise-Api-Secret-Key";
        enterprise_api_url: Text = "ENTERPRISE_API_URL", "Enterprise service base incl. /inner/api";
        enterprise_plugin_manager_api_secret_key: Text = "ENTERPRISE_PLUGIN_MANAGER_API_SECRET_KEY", "Header Plugin-Manager-Inner-Api-Secret-Key";
        enterprise_plugin_manager_api_url: Text = "ENTERPRISE_PLUGIN_MANAGER_API_URL", "Plugin manager base";
    }
}
