//! The schedules of the server and their switches.

use chrono_tz::Tz;

use super::{BeatEntry, Schedule};
use crate::error::JobsError;
use crate::tasks::{self, Task};

/// Which schedules are on, and how often; defaults are the reference's.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "one per environment variable")]
pub struct Switches {
    /// `LOG_TZ`, in which crontabs are read.
    pub zone: Tz,
    /// `CELERY_BEAT_SCHEDULER_TIME`: clean-ups run every so many days of the month.
    pub every_days: u32,
    /// `ENABLE_CLEAN_EMBEDDING_CACHE_TASK`.
    pub clean_embedding_cache: bool,
    /// `ENABLE_CLEAN_UNUSED_DATASETS_TASK`.
    pub clean_unused_datasets: bool,
    /// `ENABLE_CLEAN_MESSAGES`.
    pub clean_messages: bool,
    /// `ENABLE_MAIL_CLEAN_DOCUMENT_NOTIFY_TASK`.
    pub mail_clean_document_notify: bool,
    /// `ENABLE_DATASETS_QUEUE_MONITOR`, and `QUEUE_MONITOR_INTERVAL` in minutes.
    pub queue_monitor: Option<u64>,
    /// `ENABLE_HUMAN_INPUT_TIMEOUT_TASK`, and `HUMAN_INPUT_TIMEOUT_TASK_INTERVAL` in minutes.
    pub human_input_timeout: Option<u64>,
    /// `ENABLE_CHECK_UPGRADABLE_PLUGIN_TASK` and `MARKETPLACE_ENABLED`.
    pub check_upgradable_plugins: bool,
    /// `WORKFLOW_LOG_CLEANUP_ENABLED`.
    pub workflow_log_cleanup: bool,
    /// `ENABLE_WORKFLOW_RUN_CLEANUP_TASK`.
    pub workflow_run_cleanup: bool,
    /// `ENABLE_WORKFLOW_SCHEDULE_POLLER_TASK`, and `WORKFLOW_SCHEDULE_POLLER_INTERVAL` in minutes.
    pub workflow_schedule_poller: Option<u64>,
    /// `ENABLE_TRIGGER_PROVIDER_REFRESH_TASK`, and `TRIGGER_PROVIDER_REFRESH_INTERVAL` in minutes.
    pub trigger_provider_refresh: Option<u64>,
    /// `ENABLE_API_TOKEN_LAST_USED_UPDATE_TASK`, and `API_TOKEN_LAST_USED_UPDATE_INTERVAL` in minutes.
    pub api_token_last_used: Option<u64>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            every_days: 1,
            clean_embedding_cache: false,
            clean_unused_datasets: false,
            clean_messages: false,
            mail_clean_document_notify: false,
            queue_monitor: None,
            human_input_timeout: Some(1),
            check_upgradable_plugins: true,
            workflow_log_cleanup: false,
            workflow_run_cleanup: false,
            workflow_schedule_poller: Some(1),
            trigger_provider_refresh: Some(1),
            api_token_last_used: Some(30),
        }
    }
}

/// The entries that are switched on.
///
/// # Errors
/// [`JobsError::Config`] if `every_days` makes no crontab.
pub fn standard(on: &Switches) -> Result<Vec<BeatEntry>, JobsError> {
    let mut entries = Vec::new();
    let mut add = |name, schedule, task| entries.push(BeatEntry { name, schedule, task });
    let days = on.every_days;
    let crontabs: [(bool, &'static str, String, Task); 7] = [
        (
            on.clean_embedding_cache,
            "clean_embedding_cache_task",
            format!("0 2 */{days} * *"),
            tasks::CLEAN_EMBEDDING_CACHE,
        ),
        (
            on.clean_unused_datasets,
            "clean_unused_datasets_task",
            format!("0 3 */{days} * *"),
            tasks::CLEAN_UNUSED_DATASETS,
        ),
        (on.clean_messages, "clean_messages", format!("0 4 */{days} * *"), tasks::CLEAN_MESSAGES),
        (
            on.mail_clean_document_notify,
            "mail_clean_document_notify_task",
            "0 10 * * 1".to_owned(),
            tasks::MAIL_CLEAN_DOCUMENT_NOTIFY,
        ),
        (
            on.check_upgradable_plugins,
            "check_upgradable_plugin_task",
            "*/15 * * * *".to_owned(),
            tasks::CHECK_UPGRADABLE_PLUGIN,
        ),
        (
            on.workflow_log_cleanup,
            "clean_workflow_runlogs_precise",
            "0 2 * * *".to_owned(),
            tasks::CLEAN_WORKFLOW_RUNLOGS_PRECISE,
        ),
        (
            on.workflow_run_cleanup,
            "clean_workflow_runs_task",
            "0 0 * * *".to_owned(),
            tasks::CLEAN_WORKFLOW_RUNS,
        ),
    ];
    for (is_on, name, line, task) in crontabs {
        if is_on {
            add(name, Schedule::cron(&line, on.zone)?, task);
        }
    }
    for (minutes, name, task) in [
        (on.queue_monitor, "datasets-queue-monitor", tasks::QUEUE_MONITOR),
        (on.human_input_timeout, "human_input_form_timeout", tasks::HUMAN_INPUT_TIMEOUT),
        (on.workflow_schedule_poller, "workflow_schedule_task", tasks::POLL_WORKFLOW_SCHEDULES),
        (on.trigger_provider_refresh, "trigger_provider_refresh", tasks::TRIGGER_PROVIDER_REFRESH),
        (
            on.api_token_last_used,
            "batch_update_api_token_last_used",
            tasks::BATCH_UPDATE_API_TOKEN_LAST_USED,
        ),
    ] {
        if let Some(minutes) = minutes {
            add(name, Schedule::minutes(minutes), task);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::{Switches, standard};

    #[test]
    fn the_default_schedules_are_the_references() {
        let names: Vec<&str> =
            standard(&Switches::default()).unwrap().iter().map(|entry| entry.name).collect();
        assert_eq!(
            names,
            [
                "check_upgradable_plugin_task",
                "human_input_form_timeout",
                "workflow_schedule_task",
                "trigger_provider_refresh",
                "batch_update_api_token_last_used"
            ]
        );
        let wrong = Switches { every_days: 0, clean_messages: true, ..Switches::default() };
        assert!(standard(&wrong).is_err());
    }
}
