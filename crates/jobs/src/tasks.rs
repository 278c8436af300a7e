//! The tasks of the server: names, queues and parameters as the Python side declares them.
//!
//! Jobs of one name may come from either side, with positional or named arguments; [`Task::params`] tells which
//! position is which name.

/// A kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Its name on the wire.
    pub name: &'static str,
    /// The queue it goes to unless the caller says otherwise.
    pub queue: &'static str,
    /// Its parameters in the order of the Python function.
    pub params: &'static [&'static str],
}

macro_rules! tasks {
    ($($(#[$doc:meta])* $constant:ident = $name:literal on $queue:literal ($($param:ident),*);)*) => {
        $($(#[$doc])* pub const $constant: Task =
            Task { name: $name, queue: $queue, params: &[$(stringify!($param)),*] };)*

        /// All of them.
        pub const ALL: &[Task] = &[$($constant),*];
    };
}

tasks! {
    /// WAITING forms past expiration_time or created_at+HUMAN_INPUT_GLOBAL_TIMEOUT → timeout/expired, resume or stop run.
    HUMAN_INPUT_TIMEOUT = "human_input_form_timeout.check_and_resume" on "schedule_executor" (limit);
    /// Resume paused workflow/chatflow.
    RESUME_APP_EXECUTION = "resume_app_execution" on "workflow_based_app_execution" (payload);
    /// Resume async workflow from task dict.
    RESUME_WORKFLOW_EXECUTION = "resume_workflow_execution" on "celery" (task_data_dict);
    /// Fetch marketplace manifest, fan out per tenant.
    CHECK_UPGRADABLE_PLUGIN = "schedule.check_upgradable_plugin_task.check_upgradable_plugin_task" on "plugin" ();
    /// Delete embeddings older than PLAN_SANDBOX_CLEAN_DAY_SETTING, 100 at a time.
    CLEAN_EMBEDDING_CACHE = "schedule.clean_embedding_cache_task.clean_embedding_cache_task" on "dataset" ();
    /// MessagesCleanService under lock retention:clean_messages.
    CLEAN_MESSAGES = "schedule.clean_messages.clean_messages" on "retention" ();
    /// Drop indexes of idle datasets, disable documents.
    CLEAN_UNUSED_DATASETS = "schedule.clean_unused_datasets_task.clean_unused_datasets_task" on "dataset" ();
    /// Delete runs older than WORKFLOW_LOG_RETENTION_DAYS with message cascade; in-task sleeps 5/10 min on failed batch, abort at 3.
    CLEAN_WORKFLOW_RUNLOGS_PRECISE = "schedule.clean_workflow_runlogs_precise.clean_workflow_runlogs_precise" on "retention" ();
    /// Sandbox-plan run cleanup under lock.
    CLEAN_WORKFLOW_RUNS = "schedule.clean_workflow_runs_task.clean_workflow_runs_task" on "retention" ();
    /// TiDB cluster pool.
    CREATE_TIDB_SERVERLESS = "schedule.create_tidb_serverless_task.create_tidb_serverless_task" on "dataset" ();
    /// Mail owners (non-sandbox plan) about auto-disabled documents.
    MAIL_CLEAN_DOCUMENT_NOTIFY = "schedule.mail_clean_document_notify_task.mail_clean_document_notify_task" on "dataset" ();
    /// LLEN dataset ≥ threshold → alert mail.
    QUEUE_MONITOR = "schedule.queue_monitor_task.queue_monitor_task" on "monitor" ();
    /// Lock + fan out due trigger subscriptions.
    TRIGGER_PROVIDER_REFRESH = "schedule.trigger_provider_refresh_task.trigger_provider_refresh" on "trigger_refresh_publisher" ();
    /// Flush api_token_active:* to api_tokens.last_used_at.
    BATCH_UPDATE_API_TOKEN_LAST_USED = "schedule.update_api_token_last_used_task.batch_update_api_token_last_used" on "api_token" ();
    /// TiDB status poll.
    UPDATE_TIDB_SERVERLESS_STATUS = "schedule.update_tidb_serverless_status_task.update_tidb_serverless_status_task" on "dataset" ();
    /// Due workflow_schedule_plans (FOR UPDATE SKIP LOCKED) → group of run_schedule_trigger.
    POLL_WORKFLOW_SCHEDULES = "schedule.workflow_schedule_task.poll_workflow_schedules" on "schedule_poller" ();
    /// Index segments again.
    ADD_DOCUMENT_TO_INDEX = "tasks.add_document_to_index_task.add_document_to_index_task" on "dataset" (dataset_document_id);
    /// Vector upsert.
    ADD_ANNOTATION_TO_INDEX = "tasks.annotation.add_annotation_to_index_task.add_annotation_to_index_task" on "dataset" (annotation_id, question, tenant_id, app_id, collection_binding_id);
    /// Insert + index.
    BATCH_IMPORT_ANNOTATIONS = "tasks.annotation.batch_import_annotations_task.batch_import_annotations_task" on "dataset" (job_id, content_list, app_id, tenant_id, user_id);
    /// Vector delete.
    DELETE_ANNOTATION_INDEX = "tasks.annotation.delete_annotation_index_task.delete_annotation_index_task" on "dataset" (annotation_id, app_id, tenant_id, collection_binding_id);
    /// Drop annotation collection + setting.
    DISABLE_ANNOTATION_REPLY = "tasks.annotation.disable_annotation_reply_task.disable_annotation_reply_task" on "dataset" (job_id, app_id, tenant_id);
    /// Build annotation collection.
    ENABLE_ANNOTATION_REPLY = "tasks.annotation.enable_annotation_reply_task.enable_annotation_reply_task" on "dataset" (job_id, app_id, user_id, tenant_id, score_threshold, embedding_provider_name, embedding_model_name);
    /// Vector upsert.
    UPDATE_ANNOTATION_TO_INDEX = "tasks.annotation.update_annotation_to_index_task.update_annotation_to_index_task" on "dataset" (annotation_id, question, tenant_id, app_id, collection_binding_id);
    /// Run workflow in worker; events via event bus channel.
    WORKFLOW_BASED_APP_EXECUTION = "tasks.app_generate.workflow_execute_task.workflow_based_app_execution_task" on "workflow_based_app_execution" (payload);
    /// Run triggered workflow.
    EXECUTE_WORKFLOW_PROFESSIONAL = "tasks.async_workflow_tasks.execute_workflow_professional" on "workflow" (task_data_dict);
    /// Run triggered workflow.
    EXECUTE_WORKFLOW_SANDBOX = "tasks.async_workflow_tasks.execute_workflow_sandbox" on "workflow" (task_data_dict);
    /// Run triggered workflow.
    EXECUTE_WORKFLOW_TEAM = "tasks.async_workflow_tasks.execute_workflow_team" on "workflow" (task_data_dict);
    /// Vectors, segments, files.
    BATCH_CLEAN_DOCUMENT = "tasks.batch_clean_document_task.batch_clean_document_task" on "dataset" (document_ids, dataset_id, doc_form, file_ids);
    /// Create + index segments.
    BATCH_CREATE_SEGMENT_TO_INDEX = "tasks.batch_create_segment_to_index_task.batch_create_segment_to_index_task" on "dataset" (job_id, upload_file_id, dataset_id, document_id, tenant_id, user_id);
    /// Purge dataset.
    CLEAN_DATASET = "tasks.clean_dataset_task.clean_dataset_task" on "dataset" (dataset_id, tenant_id, indexing_technique, index_struct, collection_binding_id, doc_form, pipeline_id);
    /// Purge document.
    CLEAN_DOCUMENT = "tasks.clean_document_task.clean_document_task" on "dataset" (document_id, dataset_id, doc_form, file_id);
    /// Purge documents.
    CLEAN_NOTION_DOCUMENT = "tasks.clean_notion_document_task.clean_notion_document_task" on "dataset" (document_ids, dataset_id);
    /// Index one segment.
    CREATE_SEGMENT_TO_INDEX = "tasks.create_segment_to_index_task.create_segment_to_index_task" on "dataset" (segment_id, keywords);
    /// Rebuild.
    DEAL_DATASET_INDEX_UPDATE = "tasks.deal_dataset_index_update_task.deal_dataset_index_update_task" on "dataset" (dataset_id, action);
    /// Rebuild vectors.
    DEAL_DATASET_VECTOR_INDEX = "tasks.deal_dataset_vector_index_task.deal_dataset_vector_index_task" on "dataset" (dataset_id, action);
    /// Billing delete + mail; does NOT delete the account row.
    DELETE_ACCOUNT = "tasks.delete_account_task.delete_account_task" on "dataset" (account_id);
    /// Message/related rows.
    DELETE_CONVERSATION_RELATED_DATA = "tasks.delete_conversation_task.delete_conversation_related_data" on "conversation" (conversation_id);
    /// Index cleanup.
    DELETE_SEGMENT_FROM_INDEX = "tasks.delete_segment_from_index_task.delete_segment_from_index_task" on "dataset" (index_node_ids, dataset_id, document_id, segment_ids, child_node_ids);
    /// Index cleanup.
    DISABLE_SEGMENT_FROM_INDEX = "tasks.disable_segment_from_index_task.disable_segment_from_index_task" on "dataset" (segment_id);
    /// Index cleanup.
    DISABLE_SEGMENTS_FROM_INDEX = "tasks.disable_segments_from_index_task.disable_segments_from_index_task" on "dataset" (segment_ids, dataset_id, document_id);
    /// Re-import page.
    DOCUMENT_INDEXING_SYNC = "tasks.document_indexing_sync_task.document_indexing_sync_task" on "dataset" (dataset_id, document_id);
    /// Index documents.
    DOCUMENT_INDEXING = "tasks.document_indexing_task.document_indexing_task" on "dataset" (dataset_id, document_ids);
    /// Index documents, then pull tenant queue.
    NORMAL_DOCUMENT_INDEXING = "tasks.document_indexing_task.normal_document_indexing_task" on "dataset" (tenant_id, dataset_id, document_ids);
    /// Index documents, then pull tenant queue.
    PRIORITY_DOCUMENT_INDEXING = "tasks.document_indexing_task.priority_document_indexing_task" on "priority_dataset" (tenant_id, dataset_id, document_ids);
    /// Re-index.
    DOCUMENT_INDEXING_UPDATE = "tasks.document_indexing_update_task.document_indexing_update_task" on "dataset" (dataset_id, document_id);
    /// Re-index duplicates.
    DUPLICATE_DOCUMENT_INDEXING = "tasks.duplicate_document_indexing_task.duplicate_document_indexing_task" on "dataset" (dataset_id, document_ids);
    /// Re-index duplicates.
    NORMAL_DUPLICATE_DOCUMENT_INDEXING = "tasks.duplicate_document_indexing_task.normal_duplicate_document_indexing_task" on "dataset" (tenant_id, dataset_id, document_ids);
    /// Re-index duplicates.
    PRIORITY_DUPLICATE_DOCUMENT_INDEXING = "tasks.duplicate_document_indexing_task.priority_duplicate_document_indexing_task" on "priority_dataset" (tenant_id, dataset_id, document_ids);
    /// Index segment.
    ENABLE_SEGMENT_TO_INDEX = "tasks.enable_segment_to_index_task.enable_segment_to_index_task" on "dataset" (segment_id);
    /// Index segments.
    ENABLE_SEGMENTS_TO_INDEX = "tasks.enable_segments_to_index_task.enable_segments_to_index_task" on "dataset" (segment_ids, dataset_id, document_id);
    /// LLM summaries.
    GENERATE_SUMMARY_INDEX = "tasks.generate_summary_index_task.generate_summary_index_task" on "dataset_summary" (dataset_id, document_id, segment_ids);
    /// Mail: account delete/verify.
    MAIL_ACCOUNT_DELETION_CODE = "tasks.mail_account_deletion_task.send_account_deletion_verification_code" on "mail" (to, code, language);
    /// Mail: delete_account_task.
    MAIL_ACCOUNT_DELETED = "tasks.mail_account_deletion_task.send_deletion_success_task" on "mail" (to, language);
    /// Mail: change-email/reset.
    MAIL_CHANGE_EMAIL_COMPLETED = "tasks.mail_change_mail_task.send_change_mail_completed_notification_task" on "mail" (language, to);
    /// Mail: change-email.
    MAIL_CHANGE_EMAIL_CODE = "tasks.mail_change_mail_task.send_change_mail_task" on "mail" (language, to, code, phase);
    /// Mail: email-code-login (console, web).
    MAIL_EMAIL_CODE_LOGIN = "tasks.mail_email_code_login.send_email_code_login_mail_task" on "mail" (language, to, code);
    /// Mail form links.
    MAIL_HUMAN_INPUT = "tasks.mail_human_input_delivery_task.dispatch_human_input_email_task" on "mail" (form_id, node_title);
    /// Mail: inner API mail.
    MAIL_INNER = "tasks.mail_inner_task.send_inner_email_task" on "mail" (to, subject, body, substitutions);
    /// Mail: member invite.
    MAIL_INVITE_MEMBER = "tasks.mail_invite_member_task.send_invite_member_mail_task" on "mail" (language, to, token, inviter_name, workspace_name);
    /// Mail: owner-transfer.
    MAIL_OWNER_TRANSFER_NEW_OWNER = "tasks.mail_owner_transfer_task.send_new_owner_transfer_notify_email_task" on "mail" (language, to, workspace);
    /// Mail: owner-transfer.
    MAIL_OWNER_TRANSFER_OLD_OWNER = "tasks.mail_owner_transfer_task.send_old_owner_transfer_notify_email_task" on "mail" (language, to, workspace, new_owner_email);
    /// Mail: owner transfer start.
    MAIL_OWNER_TRANSFER_CODE = "tasks.mail_owner_transfer_task.send_owner_transfer_confirm_task" on "mail" (language, to, code, workspace);
    /// Mail: email-register.
    MAIL_REGISTER_CODE = "tasks.mail_register_task.send_email_register_mail_task" on "mail" (language, to, code);
    /// Mail: email-register, known address.
    MAIL_REGISTER_ACCOUNT_EXISTS = "tasks.mail_register_task.send_email_register_mail_task_when_account_exist" on "mail" (language, to, account_name);
    /// Mail: forgot-password.
    MAIL_RESET_PASSWORD_CODE = "tasks.mail_reset_password_task.send_reset_password_mail_task" on "mail" (language, to, code);
    /// Mail: forgot-password, unknown address.
    MAIL_RESET_PASSWORD_NO_ACCOUNT = "tasks.mail_reset_password_task.send_reset_password_mail_task_when_account_not_exist" on "mail" (language, to, is_allow_register);
    /// Send trace to provider.
    PROCESS_TRACE_TASKS = "tasks.ops_trace_task.process_trace_tasks" on "ops_trace" (file_info);
    /// Upgrade plugins of tenant.
    PROCESS_TENANT_PLUGIN_AUTOUPGRADE_CHECK = "tasks.process_tenant_plugin_autoupgrade_check_task.process_tenant_plugin_autoupgrade_check_task" on "plugin" (tenant_id, strategy_setting, upgrade_time_of_day, upgrade_mode, exclude_plugins, include_plugins);
    /// Run pipeline from uploaded json.
    PRIORITY_RAG_PIPELINE_RUN = "tasks.rag_pipeline.priority_rag_pipeline_run_task.priority_rag_pipeline_run_task" on "priority_pipeline" (rag_pipeline_invoke_entities_file_id, tenant_id);
    /// Run pipeline from uploaded json.
    RAG_PIPELINE_RUN = "tasks.rag_pipeline.rag_pipeline_run_task.rag_pipeline_run_task" on "pipeline" (rag_pipeline_invoke_entities_file_id, tenant_id);
    /// Continue indexing.
    RECOVER_DOCUMENT_INDEXING = "tasks.recover_document_indexing_task.recover_document_indexing_task" on "dataset" (dataset_id, document_id);
    /// Rebuild summaries.
    REGENERATE_SUMMARY_INDEX = "tasks.regenerate_summary_index_task.regenerate_summary_index_task" on "dataset_summary" (dataset_id, regenerate_reason, regenerate_vectors_only);
    /// Purge app rows; retry countdown 60 s ×3.
    REMOVE_APP_AND_RELATED_DATA = "tasks.remove_app_and_related_data_task.remove_app_and_related_data_task" on "app_deletion" (tenant_id, app_id);
    /// Index cleanup.
    REMOVE_DOCUMENT_FROM_INDEX = "tasks.remove_document_from_index_task.remove_document_from_index_task" on "dataset" (document_id);
    /// Re-index failed.
    RETRY_DOCUMENT_INDEXING = "tasks.retry_document_indexing_task.retry_document_indexing_task" on "dataset" (dataset_id, document_ids, user_id);
    /// Re-crawl.
    SYNC_WEBSITE_DOCUMENT_INDEXING = "tasks.sync_website_document_indexing_task.sync_website_document_indexing_task" on "dataset" (dataset_id, document_id);
    /// Invoke event + start workflows.
    DISPATCH_TRIGGERED_WORKFLOWS_ASYNC = "tasks.trigger_processing_tasks.dispatch_triggered_workflows_async" on "triggered_workflow_dispatcher" (dispatch_data);
    /// Refresh OAuth / subscription while lock key exists.
    TRIGGER_SUBSCRIPTION_REFRESH = "tasks.trigger_subscription_refresh_tasks.trigger_subscription_refresh" on "trigger_refresh_executor" (tenant_id, subscription_id);
    /// Storage cleanup.
    DELETE_DRAFT_VARIABLE_FILES = "tasks.workflow_draft_var_tasks.save_workflow_execution_task" on "workflow_draft_var" (deletions);
    /// Upsert run; retry countdown 60·2^n ×3.
    SAVE_WORKFLOW_EXECUTION = "tasks.workflow_execution_tasks.save_workflow_execution_task" on "workflow_storage" (execution_data, tenant_id, app_id, triggered_from, creator_user_id, creator_user_role);
    /// Upsert node execution; retry countdown 60·2^n ×3.
    SAVE_WORKFLOW_NODE_EXECUTION = "tasks.workflow_node_execution_tasks.save_workflow_node_execution_task" on "workflow_storage" (execution_data, tenant_id, app_id, triggered_from, creator_user_id, creator_user_role);
    /// Consume trigger quota, start workflow as tenant owner.
    RUN_SCHEDULE_TRIGGER = "tasks.workflow_schedule_tasks.run_schedule_trigger" on "schedule_executor" (schedule_id);
}

/// The queues the reference's worker consumes unless `CELERY_QUEUES` says otherwise. `monitor`,
/// `trigger_refresh_publisher` and `celery` are missing there although tasks go to them; our worker consumes
/// [`queues`] by default.
pub const REFERENCE_QUEUES: &str = "api_token,dataset,dataset_summary,priority_dataset,priority_pipeline,pipeline,mail,\
    ops_trace,app_deletion,plugin,workflow_storage,conversation,workflow,schedule_poller,schedule_executor,\
    triggered_workflow_dispatcher,trigger_refresh_executor,retention,workflow_based_app_execution";

/// Every queue a task of [`ALL`] goes to, without repetition.
#[must_use]
pub fn queues() -> Vec<&'static str> {
    let mut queues: Vec<&str> = ALL.iter().map(|task| task.queue).collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}

/// The task of that name.
#[must_use]
pub fn find(name: &str) -> Option<Task> {
    ALL.iter().copied().find(|task| task.name == name)
}

#[cfg(test)]
mod tests {
    use super::{ALL, MAIL_INVITE_MEMBER, find};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = ALL.iter().map(|task| task.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(find(MAIL_INVITE_MEMBER.name), Some(MAIL_INVITE_MEMBER));
    }
}
