//! Everything the product does that can be switched, limited or timed.

use super::reasons::{ASYNC, NO_TELEMETRY, PYTHON_PATH, UNUSED, VECTOR_STORE};
use crate::kind::{
    Flag, Float, HttpUrl, Int, LogOutput, MaybeText, Natural, Negative, Positive, PositiveFloat,
    SendFormat, TemplateMode, TenthOrMore, Text,
};

const ANTHROPIC_MODELS: &str = "\
    claude-opus-4-20250514,claude-sonnet-4-20250514,claude-3-5-haiku-20241022,\
    claude-3-opus-20240229,claude-3-7-sonnet-20250219,claude-3-haiku-20240307";

const OPENAI_MODELS: &str = "\
    gpt-4,gpt-4-turbo-preview,gpt-4-turbo-2024-04-09,gpt-4-1106-preview,\
    gpt-4-0125-preview,gpt-4-turbo,gpt-4.1,gpt-4.1-2025-04-14,gpt-4.1-mini,\
    gpt-4.1-mini-2025-04-14,gpt-4.1-nano,gpt-4.1-nano-2025-04-14,gpt-3.5-turbo,\
    gpt-3.5-turbo-16k,gpt-3.5-turbo-16k-0613,gpt-3.5-turbo-1106,gpt-3.5-turbo-0613,\
    gpt-3.5-turbo-0125,gpt-3.5-turbo-instruct,text-davinci-003,chatgpt-4o-latest,gpt-4o,\
    gpt-4o-2024-05-13,gpt-4o-2024-08-06,gpt-4o-2024-11-20,gpt-4o-audio-preview,\
    gpt-4o-audio-preview-2025-06-03,gpt-4o-mini,gpt-4o-mini-2024-07-18,o3-mini,\
    o3-mini-2025-01-31,gpt-5-mini-2025-08-07,gpt-5-mini,o4-mini,o4-mini-2025-04-16,\
    gpt-5-chat-latest,gpt-5,gpt-5-2025-08-07,gpt-5-nano,gpt-5-nano-2025-08-07";

settings! {
    /// Everything the product does that can be switched, limited or timed.
    anywhere Feature {
        // Addresses and the HTTP shell
        api_compression_enabled: Flag = false, "Compress responses";
        app_web_url: Text = "", "Web app base";
        console_api_url: Text = "", "Console API base (OAuth redirects, https detection)";
        console_cors_allow_origins: Text = "", "Comma list of origins for console CORS", names ["CONSOLE_CORS_ALLOW_ORIGINS", "CONSOLE_WEB_URL"];
        console_web_url: Text = "", "Console web base (mail links, redirects, https detection)";
        respect_xforward_headers_enabled: Flag = false, "Trust one proxy's X-Forwarded-For, -Proto and -Port (not -Host)";
        service_api_url: Text = "", "Service API base; empty = request host";
        swagger_ui_enabled: Flag = true, "Serve swagger.json / UI / fastopenapi docs (compose sets false)";
        swagger_ui_path: Text = "/swagger-ui.html", "Path of the UI under each API's prefix";
        web_api_cors_allow_origins: Text = "*", "Comma list of origins for web API CORS";

        // Accounts, sign-in, cookies
        access_token_expire_minutes: Positive = 60, "Console JWT and CSRF lifetime; web login token = x24";
        admin_api_key: MaybeText = None, "Admin key; also required by /console/api/admin/* and /all-workspaces";
        admin_api_key_enable: Flag = false, "Accept ADMIN_API_KEY as console bearer";
        allow_create_workspace: Flag = false, "Users may own new workspaces";
        allow_register: Flag = false, "Self registration allowed";
        billing_enabled: Flag = false, "Call BILLING_API_URL for plan/quota";
        cookie_domain: Text = "", "Cookie Domain (leading dot stripped); empty enables __Host- prefix on https";
        education_enabled: Flag = false, "features.education.enabled";
        enable_email_code_login: Flag = false, "System-features flag";
        enable_email_password_login: Flag = true, "System-features flag; gates /login, reset, register";
        enable_social_oauth_login: Flag = false, "System-features flag (UI only)";
        github_client_id: MaybeText = None, "GitHub login";
        github_client_secret: MaybeText = None, "GitHub login";
        google_client_id: MaybeText = None, "Google login";
        google_client_secret: MaybeText = None, "Google login";
        login_disabled: Flag = false, "login_required becomes a no-op";
        oauth_redirect_path: Text = "/console/api/oauth/authorize", "Declared, unused by the login controller (path hard-coded)", ignored UNUSED;
        refresh_token_expire_days: PositiveFloat = 30.0, "Refresh token lifetime (float)";
        secret_key: Text = "", "Signs JWT, Flask session, file URLs, system OAuth AES key; must be set";

        // Mail and the codes it carries
        account_deletion_token_expiry_minutes: Positive = 5, "TokenManager TTL for account_deletion";
        change_email_lockout_duration: Positive = 86400, "Counter TTL s";
        change_email_token_expiry_minutes: Positive = 5, "TokenManager TTL";
        email_code_login_token_expiry_minutes: Positive = 5, "TokenManager TTL";
        email_register_lockout_duration: Positive = 86400, "Counter TTL s";
        email_register_token_expiry_minutes: Positive = 5, "TokenManager TTL";
        email_send_ip_limit_per_minute: Positive = 50, "Mail-sending requests per minute per IP";
        forgot_password_lockout_duration: Positive = 86400, "Counter TTL s";
        invite_expiry_hours: Positive = 72, "Member invite token TTL";
        login_lockout_duration: Positive = 86400, "Login failure counter TTL s";
        mail_default_send_from: MaybeText = None, "Sender address";
        mail_templating_mode: TemplateMode = "sandbox", "Inner mail body rendering: unsafe | sandbox | disabled";
        mail_templating_timeout: Int = 3, "Sandbox render seconds";
        mail_type: MaybeText = None, "resend | smtp | sendgrid; empty = mail off";
        owner_transfer_lockout_duration: Positive = 86400, "Counter TTL s";
        owner_transfer_token_expiry_minutes: Positive = 5, "TokenManager TTL";
        resend_api_key: MaybeText = None, "Resend key";
        resend_api_url: MaybeText = None, "Resend base URL override";
        reset_password_token_expiry_minutes: Positive = 5, "TokenManager TTL";
        sendgrid_api_key: MaybeText = None, "SendGrid key";
        smtp_local_hostname: MaybeText = None, "EHLO name";
        smtp_opportunistic_tls: Flag = false, "STARTTLS (needs SMTP_USE_TLS)";
        smtp_password: MaybeText = None, "SMTP password";
        smtp_port: Int = 465, "SMTP port";
        smtp_server: MaybeText = None, "SMTP host";
        smtp_username: MaybeText = None, "SMTP user; login only when user and password non-blank";
        smtp_use_tls: Flag = false, "Implicit TLS unless opportunistic";

        // Files and uploads
        attachment_image_download_timeout: Natural = 60, "S to fetch chunk image";
        attachment_image_file_size_limit: Natural = 2, "MB chunk image";
        files_access_timeout: Int = 300, "Signed link lifetime s";
        files_url: Text = "", "Public base of signed file links (falls back to CONSOLE_API_URL env)", names ["FILES_URL", "CONSOLE_API_URL"];
        image_file_batch_limit: Positive = 10, "Images per batch";
        internal_files_url: Text = "", "Base for links handed to plugins/tools; empty = FILES_URL";
        multimodal_send_format: SendFormat = "base64", "Send files to models as base64 or url";
        single_chunk_attachment_limit: Positive = 10, "Attachments per chunk";
        upload_audio_file_size_limit: Natural = 50, "MB audio";
        upload_file_batch_limit: Natural = 5, "Files per batch";
        upload_file_extension_blacklist: Text = "", "Comma list of refused extensions";
        upload_file_size_limit: Natural = 15, "MB for documents/other";
        upload_image_file_size_limit: Natural = 10, "MB images";
        upload_video_file_size_limit: Natural = 100, "MB video";

        // Workflow engine
        api_workflow_node_execution_repository: Text = "repositories.sqlalchemy_api_workflow_node_execution_repository.DifyAPISQLAlchemyWorkflowNodeExecutionRepository", "Import path of API-side node repository", ignored PYTHON_PATH;
        api_workflow_run_repository: Text = "repositories.sqlalchemy_api_workflow_run_repository.DifyAPISQLAlchemyWorkflowRunRepository", "Import path of API-side run repository", ignored PYTHON_PATH;
        app_default_active_requests: Natural = 0, "Concurrency when app has none; 0 = unlimited";
        app_max_active_requests: Natural = 0, "Hard concurrency cap; 0 = unlimited";
        app_max_execution_time: Positive = 1200, "Seconds an app run may stream";
        async_workflow_scheduler_granularity: Positive = 120, "S of run time before cooperative yield (CFS scheduler)", ignored ASYNC;
        core_workflow_execution_repository: Text = "core.repositories.sqlalchemy_workflow_execution_repository.SQLAlchemyWorkflowExecutionRepository", "Import path of run repository (sqlalchemy | celery | logstore variant)", ignored PYTHON_PATH;
        core_workflow_node_execution_repository: Text = "core.repositories.sqlalchemy_workflow_node_execution_repository.SQLAlchemyWorkflowNodeExecutionRepository", "Import path of node-execution repository", ignored PYTHON_PATH;
        graph_engine_max_workers: Positive = 10, "Engine worker threads max", ignored ASYNC;
        graph_engine_min_workers: Positive = 1, "Engine worker threads min", ignored ASYNC;
        graph_engine_scale_down_idle_time: TenthOrMore = 5.0, "Idle s before removing worker", ignored ASYNC;
        graph_engine_scale_up_threshold: Positive = 3, "Queue depth to add worker", ignored ASYNC;
        http_request_max_connect_timeout: Positive = 10, "HTTP node connect timeout cap s";
        http_request_max_read_timeout: Positive = 600, "HTTP node read timeout cap s";
        http_request_max_write_timeout: Positive = 600, "HTTP node write timeout cap s";
        http_request_node_max_binary_size: Positive = 10_485_760, "HTTP node binary response cap";
        http_request_node_max_text_size: Positive = 1_048_576, "HTTP node text response cap";
        http_request_node_ssl_verify: Flag = true, "Verify TLS in HTTP node";
        human_input_global_timeout_seconds: Positive = 604800, "Max age of a paused form";
        max_submit_count: Positive = 100, "Thread pool submit cap of old engine", ignored ASYNC;
        max_variable_size: Positive = 204800, "Bytes cap of a variable";
        template_transform_max_length: Positive = 400000, "Max template output chars";
        trigger_url: Text = "http://localhost:5001", "Base of /triggers URLs";
        webhook_request_body_max_size: Positive = 10_485_760, "Webhook body bytes (413 above)";
        web_form_submit_rate_limit_max_attempts: Positive = 30, "Public human-input form requests per window and IP";
        web_form_submit_rate_limit_window_seconds: Positive = 60, "That window";
        workflow_call_max_depth: Positive = 5, "Workflow-as-tool nesting cap";
        workflow_file_upload_limit: Positive = 10, "Files per workflow input";
        workflow_max_execution_steps: Positive = 500, "Node step cap per run";
        workflow_max_execution_time: Positive = 1200, "Seconds cap per run";
        workflow_node_execution_storage: Text = "rdbms", "rdbms | hybrid storage of node executions";
        workflow_variable_truncation_array_length: Positive = 1000, "Array items kept";
        workflow_variable_truncation_max_size: Positive = 1_024_000, "Bytes above which stored variables are truncated";
        workflow_variable_truncation_string_length: Positive = 100000, "String length kept";

        // Code sandbox
        code_execution_api_key: Text = "dify-sandbox", "Sandbox key";
        code_execution_connect_timeout: Float = 10.0, "Sandbox connect s";
        code_execution_endpoint: HttpUrl = "http://sandbox:8194/", "Sandbox base";
        code_execution_pool_keepalive_expiry: Float = 5.0, "Sandbox keepalive s";
        code_execution_pool_max_connections: Positive = 100, "Sandbox pool";
        code_execution_pool_max_keepalive_connections: Positive = 20, "Sandbox keepalive";
        code_execution_read_timeout: Float = 60.0, "Sandbox read s";
        code_execution_ssl_verify: Flag = true, "Verify sandbox TLS";
        code_execution_write_timeout: Float = 10.0, "Sandbox write s";
        code_max_depth: Positive = 5, "Code output nesting";
        code_max_number: Positive = 9_223_372_036_854_775_807, "Code output number max";
        code_max_number_array_length: Positive = 1000, "Code output number[] length";
        code_max_object_array_length: Positive = 30, "Code output object[] length";
        code_max_precision: Positive = 20, "Code output float digits";
        code_max_string_array_length: Positive = 30, "Code output string[] length";
        code_max_string_length: Positive = 400000, "Code output string length";
        code_min_number: Negative = -9_223_372_036_854_775_807, "Code output number min";

        // Outbound requests
        ssrf_default_connect_time_out: PositiveFloat = 5.0, "Connect timeout s";
        ssrf_default_max_retries: Positive = 3, "Outbound retries";
        ssrf_default_read_time_out: PositiveFloat = 5.0, "Read timeout s";
        ssrf_default_time_out: PositiveFloat = 5.0, "Pool timeout s";
        ssrf_default_write_time_out: PositiveFloat = 5.0, "Write timeout s";
        ssrf_pool_keepalive_expiry: Float = 5.0, "Outbound keepalive s";
        ssrf_pool_max_connections: Positive = 100, "Outbound pool size";
        ssrf_pool_max_keepalive_connections: Positive = 20, "Outbound keepalive";
        ssrf_proxy_all_url: MaybeText = None, "Proxy for all outbound";
        ssrf_proxy_https_url: MaybeText = None, "Proxy for https";
        ssrf_proxy_http_url: MaybeText = None, "Proxy for http";

        // Models and moderation
        model_lb_enabled: Flag = false, "Model load balancing feature";
        moderation_buffer_size: Positive = 300, "Chars buffered by output moderation";

        // Plugins
        endpoint_url_template: Text = "http://localhost:5002/e/{hook_id}", "Plugin endpoint URL with {hook_id}";
        inner_api: Flag = false, "Enable /inner/api/enterprise and /billing";
        inner_api_key: MaybeText = None, "Their X-Inner-Api-Key";
        inner_api_key_for_plugin: Text = "inner-api-key", "X-Inner-Api-Key expected from daemon";
        plugin_based_token_counting_enabled: Flag = false, "Ask plugin daemon for token counts (else 0)";
        plugin_daemon_key: Text = "plugin-api-key", "X-Api-Key to daemon; empty 404s the plugin inner API";
        plugin_daemon_timeout: Float = 600.0, "Daemon request timeout s (None = unlimited)";
        plugin_daemon_url: HttpUrl = "http://localhost:5002/", "Plugin daemon base";
        plugin_max_bundle_size: Positive = 188_743_680, "Bytes per bundle";
        plugin_max_file_size: Positive = 52_428_800, "Bytes per plugin-produced file";
        plugin_max_package_size: Positive = 15_728_640, "Bytes per plugin package";
        plugin_model_schema_cache_ttl: Positive = 3600, "Redis TTL of model schemas s";
        plugin_remote_install_host: Text = "localhost", "Host shown for remote debug";
        plugin_remote_install_port: Positive = 5003, "Port shown for remote debug";
        tool_icon_cache_max_age: Positive = 3600, "Cache-Control max-age of icons";

        // Knowledge bases
        annotation_import_file_size_limit: Natural = 2, "MB annotation CSV";
        annotation_import_max_concurrent: Positive = 2, "Parallel imports per tenant";
        annotation_import_max_records: Positive = 10000, "Rows max";
        annotation_import_min_records: Positive = 1, "Rows min";
        annotation_import_rate_limit_per_hour: Positive = 20, "Imports per tenant per hour";
        annotation_import_rate_limit_per_minute: Positive = 5, "Imports per tenant per minute";
        batch_upload_limit: Natural = 20, "Documents per indexing request";
        child_chunks_preview_number: Positive = 50, "Child chunks shown in preview";
        dataset_max_segments_per_request: Natural = 0, "Service API segment cap; 0 = none";
        dataset_operator_enabled: Flag = false, "features.dataset_operator_enabled";
        dsl_export_encrypt_dataset_id: Flag = true, "AES-encrypt dataset ids in exported DSL";
        etl_type: Text = "dify", "dify | Unstructured; changes allowed document extensions";
        indexing_max_segmentation_tokens_length: Positive = 4000, "Max chunk tokens";
        keyword_data_source_type: Text = "database", "database | object storage for keyword tables";
        scarf_no_analytics: MaybeText = Some("false"), "Unstructured telemetry opt-out", ignored NO_TELEMETRY;
        tenant_isolated_task_concurrency: Int = 1, "Parallel isolated indexing/pipeline tasks per tenant";
        unstructured_api_key: MaybeText = Some(""), "Unstructured key";
        unstructured_api_url: MaybeText = None, "Unstructured server; also enables ppt";

        // Beat: what runs when
        api_token_last_used_update_interval: Int = 30, "Minutes";
        celery_beat_scheduler_time: Int = 1, "N in day_of_month */N of the cleanup crons";
        create_tidb_service_job_enabled: Flag = false, "Allow cluster creation job", ignored VECTOR_STORE;
        enable_api_token_last_used_update_task: Flag = true, "Beat: flush api token usage";
        enable_check_upgradable_plugin_task: Flag = true, "Beat: plugin auto-upgrade every 15 min (needs MARKETPLACE_ENABLED)";
        enable_clean_embedding_cache_task: Flag = false, "Beat: purge embeddings cache";
        enable_clean_messages: Flag = false, "Beat: purge expired messages";
        enable_clean_unused_datasets_task: Flag = false, "Beat: drop indexes of idle datasets";
        enable_create_tidb_serverless_task: Flag = false, "Beat: pre-create TiDB clusters hourly", ignored VECTOR_STORE;
        enable_datasets_queue_monitor: Flag = false, "Beat: queue monitor";
        enable_human_input_timeout_task: Flag = true, "Beat: expire human-input forms";
        enable_mail_clean_document_notify_task: Flag = false, "Beat: Monday 10:00 mail on disabled documents";
        enable_trigger_provider_refresh_task: Flag = true, "Beat: refresh trigger subscriptions";
        enable_update_tidb_serverless_status_task: Flag = false, "Beat: poll TiDB clusters every 10 min", ignored VECTOR_STORE;
        enable_workflow_run_cleanup_task: Flag = false, "Beat: purge sandbox workflow runs daily 00:00";
        enable_workflow_schedule_poller_task: Flag = true, "Beat: schedule-trigger poller";
        human_input_timeout_task_interval: Positive = 1, "Minutes";
        sandbox_expired_records_clean_batch_max_interval: Positive = 200, "Max random pause ms between batches";
        tidb_serverless_number: Positive = 500, "Idle clusters to keep", ignored VECTOR_STORE;
        trigger_provider_credential_threshold_seconds: Int = 3600, "Refresh credentials this early";
        trigger_provider_refresh_batch_size: Int = 200, "Rows per page";
        trigger_provider_refresh_interval: Int = 1, "Minutes";
        trigger_provider_subscription_threshold_seconds: Int = 3600, "Refresh subscriptions this early; lock TTL = max(300, this)";
        workflow_schedule_max_dispatch_per_tick: Int = 0, "Dispatch cap per tick; 0 = none";
        workflow_schedule_poller_batch_size: Int = 100, "Schedules fetched per batch";
        workflow_schedule_poller_interval: Int = 1, "Minutes";

        // Clean-up and retention
        plan_pro_clean_day_setting: Positive = 7, "Idle days second pass (sandbox tenants)";
        plan_sandbox_clean_day_setting: Positive = 30, "Idle days (all tenants in first pass) / embedding cache age";
        plan_sandbox_clean_message_day_setting: Positive = 30, "Legacy message age";
        sandbox_expired_records_clean_batch_size: Positive = 1000, "Rows per cleanup batch";
        sandbox_expired_records_clean_graceful_period: Natural = 21, "Days after subscription end before cleanup";
        sandbox_expired_records_clean_task_lock_ttl: Positive = 90000, "Redis lock TTL s";
        sandbox_expired_records_retention_days: Positive = 30, "Age limit";
        workflow_log_cleanup_batch_size: Int = 100, "Rows per cleanup batch";
        workflow_log_cleanup_enabled: Flag = false, "Beat: clean_workflow_runlogs_precise daily 02:00";
        workflow_log_cleanup_specific_workflow_ids: Text = "", "Comma list to restrict cleanup";
        workflow_log_retention_days: Int = 30, "Age limit of workflow logs";

        // Explore catalogue, templates, marketplace, updates
        check_update_url: Text = "https://updates.dify.ai", "Version check endpoint; empty disables";
        enable_explore_banner: Flag = false, "Explore banners feature";
        enable_trial_app: Flag = false, "Explore trial apps feature";
        hosted_fetch_app_templates_mode: Text = "remote", "remote | db | builtin explore catalogue";
        hosted_fetch_app_templates_remote_domain: Text = "https://tmpl.dify.ai", "Template host";
        hosted_fetch_pipeline_templates_mode: Text = "remote", "remote | database | builtin pipeline templates";
        hosted_fetch_pipeline_templates_remote_domain: Text = "https://tmpl.dify.ai", "Template host";
        marketplace_api_url: HttpUrl = "https://marketplace.dify.ai/", "Marketplace base";
        marketplace_enabled: Flag = true, "Marketplace features";
        position_provider_excludes: Text = "", "Comma list: hide providers";
        position_provider_includes: Text = "", "Comma list: only these providers";
        position_provider_pins: Text = "", "Comma list: model providers first";
        position_tool_excludes: Text = "", "Comma list: hide tools";
        position_tool_includes: Text = "", "Comma list: only these tools";
        position_tool_pins: Text = "", "Comma list: tools first";

        // Logging
        log_dateformat: MaybeText = None, "Text log date pattern";
        log_file: MaybeText = None, "Rotating log file path";
        log_file_backup_count: Positive = 5, "Rotated files kept";
        log_file_max_size: Positive = 20, "MB per log file";
        log_format: Text = "%(asctime)s.%(msecs)03d %(levelname)s [%(threadName)s] [%(filename)s:%(lineno)d] %(trace_id)s - %(message)s", "Text log pattern (also Celery worker log format)";
        log_level: Text = "INFO", "Root log level";
        log_output_format: LogOutput = "text", "text | json";
        log_tz: MaybeText = Some("UTC"), "Time zone of text logs and of Celery beat";

        // Hosted quotas of the cloud edition
        hosted_anthropic_api_base: MaybeText = None, "Anthropic API base URL";
        hosted_anthropic_api_key: MaybeText = None, "Anthropic API key";
        hosted_anthropic_paid_enabled: Flag = false, "Anthropic paid quota offered";
        hosted_anthropic_paid_models: Text = ANTHROPIC_MODELS, "Anthropic models usable on paid quota";
        hosted_anthropic_trial_enabled: Flag = false, "Anthropic trial quota offered";
        hosted_anthropic_trial_models: Text = ANTHROPIC_MODELS, "Anthropic models usable on trial quota";
        hosted_azure_openai_api_base: MaybeText = None, "azure_openai API base URL";
        hosted_azure_openai_api_key: MaybeText = None, "azure_openai API key";
        hosted_azure_openai_enabled: Flag = false, "Hosted Azure OpenAI switch";
        hosted_azure_openai_quota_limit: Natural = 200, "Hosted Azure OpenAI quota";
        hosted_deepseek_api_base: MaybeText = None, "Deepseek API base URL";
        hosted_deepseek_api_key: MaybeText = None, "Deepseek API key";
        hosted_deepseek_api_organization: MaybeText = None, "Deepseek organization id";
        hosted_deepseek_paid_enabled: Flag = false, "Deepseek paid quota offered";
        hosted_deepseek_paid_models: Text = "deepseek-chat,deepseek-reasoner", "Deepseek models usable on paid quota";
        hosted_deepseek_trial_enabled: Flag = false, "Deepseek trial quota offered";
        hosted_deepseek_trial_models: Text = "deepseek-chat,deepseek-reasoner", "Deepseek models usable on trial quota";
        hosted_gemini_api_base: MaybeText = None, "Gemini API base URL";
        hosted_gemini_api_key: MaybeText = None, "Gemini API key";
        hosted_gemini_api_organization: MaybeText = None, "Gemini organization id";
        hosted_gemini_paid_enabled: Flag = false, "Gemini paid quota offered";
        hosted_gemini_paid_models: Text = "gemini-2.5-flash,gemini-2.0-flash,gemini-2.0-flash-lite,", "Gemini models usable on paid quota";
        hosted_gemini_trial_enabled: Flag = false, "Gemini trial quota offered";
        hosted_gemini_trial_models: Text = "gemini-2.5-flash,gemini-2.0-flash,gemini-2.0-flash-lite,", "Gemini models usable on trial quota";
        hosted_minimax_enabled: Flag = false, "Minimax switch";
        hosted_model_credit_config: Text = "", "Model:credits,... price list (default 1)";
        hosted_moderation_enabled: Flag = false, "Hosted moderation switch";
        hosted_moderation_providers: Text = "", "Comma list of moderated providers";
        hosted_openai_api_base: MaybeText = None, "Openai API base URL";
        hosted_openai_api_key: MaybeText = None, "Openai API key";
        hosted_openai_api_organization: MaybeText = None, "Openai organization id";
        hosted_openai_paid_enabled: Flag = false, "Openai paid quota offered";
        hosted_openai_paid_models: Text = OPENAI_MODELS, "Openai models usable on paid quota";
        hosted_openai_trial_enabled: Flag = false, "Openai trial quota offered";
        hosted_openai_trial_models: Text = OPENAI_MODELS, "Openai models usable on trial quota";
        hosted_pool_credits: Int = 200, "Trial credit pool written for each new tenant";
        hosted_spark_enabled: Flag = false, "Spark switch";
        hosted_tongyi_api_key: MaybeText = None, "Tongyi API key";
        hosted_tongyi_paid_enabled: Flag = false, "Tongyi paid quota offered";
        hosted_tongyi_paid_models: Text = "", "Tongyi models usable on paid quota";
        hosted_tongyi_trial_enabled: Flag = false, "Tongyi trial quota offered";
        hosted_tongyi_trial_models: Text = "", "Tongyi models usable on trial quota";
        hosted_tongyi_use_international_endpoint: Flag = false, "Hosted Tongyi international endpoint";
        hosted_xai_api_base: MaybeText = None, "Xai API base URL";
        hosted_xai_api_key: MaybeText = None, "Xai API key";
        hosted_xai_api_organization: MaybeText = None, "Xai organization id";
        hosted_xai_paid_enabled: Flag = false, "Xai paid quota offered";
        hosted_xai_paid_models: Text = "grok-3,grok-3-mini,grok-3-mini-fast", "Xai models usable on paid quota";
        hosted_xai_trial_enabled: Flag = false, "Xai trial quota offered";
        hosted_xai_trial_models: Text = "grok-3,grok-3-mini,grok-3-mini-fast", "Xai models usable on trial quota";
        hosted_zhipuai_enabled: Flag = false, "Zhipuai switch";
    }
}
