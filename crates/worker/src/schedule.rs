//! Which schedules the settings switch on.

use config::Config;
use jobs::beat::Switches;

/// The switches of the schedule.
pub(crate) fn switches(config: &Config) -> Switches {
    let settings = &config.feature;
    let minutes = |is_on: bool, minutes: i64| is_on.then(|| u64::try_from(minutes).unwrap_or(1));
    let zone = settings.log_tz.as_deref().filter(|zone| !zone.is_empty()).unwrap_or("UTC");
    Switches {
        zone: zone.parse().unwrap_or_else(|_| {
            tracing::warn!(zone, "LOG_TZ is no time zone; schedules run in UTC");
            chrono_tz::Tz::UTC
        }),
        every_days: u32::try_from(settings.celery_beat_scheduler_time).unwrap_or(1).max(1),
        clean_embedding_cache: settings.enable_clean_embedding_cache_task,
        clean_unused_datasets: settings.enable_clean_unused_datasets_task,
        clean_messages: settings.enable_clean_messages,
        mail_clean_document_notify: settings.enable_mail_clean_document_notify_task,
        queue_monitor: settings.enable_datasets_queue_monitor.then(|| {
            // 0 stands for the default.
            let minutes = config.middleware.queue_monitor_interval;
            if minutes < 1.0 { 30 } else { minutes as u64 }
        }),
        human_input_timeout: minutes(
            settings.enable_human_input_timeout_task,
            settings.human_input_timeout_task_interval,
        ),
        check_upgradable_plugins: settings.enable_check_upgradable_plugin_task
            && settings.marketplace_enabled,
        workflow_log_cleanup: settings.workflow_log_cleanup_enabled,
        workflow_run_cleanup: settings.enable_workflow_run_cleanup_task,
        workflow_schedule_poller: minutes(
            settings.enable_workflow_schedule_poller_task,
            settings.workflow_schedule_poller_interval,
        ),
        trigger_provider_refresh: minutes(
            settings.enable_trigger_provider_refresh_task,
            settings.trigger_provider_refresh_interval,
        ),
        api_token_last_used: minutes(
            settings.enable_api_token_last_used_update_task,
            settings.api_token_last_used_update_interval,
        ),
    }
}
