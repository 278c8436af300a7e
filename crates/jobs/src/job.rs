//! One call of a task.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::{JobFailure, JobsError};
use crate::tasks::{self, Task};

/// A task, its arguments, and how it travels.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Unique; stays the same over retries, so handlers can recognise a repetition.
    pub id: String,
    /// The task's name.
    pub task: String,
    /// The queue it goes to.
    pub queue: String,
    /// Positional arguments; ours use names, Python's callers often positions.
    pub args: Vec<Value>,
    /// Named arguments.
    pub kwargs: Map<String, Value>,
    /// Not before this.
    pub eta: Option<DateTime<Utc>>,
    /// Dropped if not started by then.
    pub expires: Option<DateTime<Utc>>,
    /// Failed attempts so far.
    pub retries: u32,
    /// Times the lease of an attempt ran out, because its process died.
    pub redeliveries: u32,
    /// When it was first enqueued; unknown for jobs of the Python side.
    pub enqueued_at: Option<DateTime<Utc>>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The job that caused it.
    pub parent_id: Option<String>,
    /// The first mistake made while building.
    mistake: Option<String>,
    /// Run this long after being enqueued.
    countdown: Option<Duration>,
}

impl Job {
    /// A call without arguments. The request id of the current task is taken along.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            task: task.name.to_owned(),
            queue: task.queue.to_owned(),
            args: Vec::new(),
            kwargs: Map::new(),
            eta: None,
            expires: None,
            retries: 0,
            redeliveries: 0,
            enqueued_at: None,
            request_id: net::request_id(),
            parent_id: None,
            mistake: None,
            countdown: None,
        }
    }

    /// For messages: a job of a task that may be unknown here.
    pub(crate) fn named(id: String, task: String, queue: String) -> Self {
        let mut job = Self::new(Task { name: "", queue: "", params: &[] });
        (job.id, job.task, job.queue) = (id, task, queue);
        job.request_id = None;
        job
    }

    /// Sets a named argument.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Serialize) -> Self {
        let known = tasks::find(&self.task).is_none_or(|task| task.params.contains(&name));
        match serde_json::to_value(value) {
            Ok(value) if known => {
                self.kwargs.insert(name.to_owned(), value);
            }
            Ok(_) => self.note(format!("{} has no parameter {name}", self.task)),
            Err(err) => self.note(format!("{name}: {err}")),
        }
        self
    }

    /// Sends it to another queue than the task's.
    #[must_use]
    pub fn on_queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// Runs it this long after being enqueued, not before.
    #[must_use]
    pub fn countdown(mut self, pause: Duration) -> Self {
        self.countdown = Some(pause);
        self
    }

    /// Runs it at that time, not before.
    #[must_use]
    pub fn at(mut self, eta: DateTime<Utc>) -> Self {
        self.eta = Some(eta);
        self
    }

    /// An argument by name, wherever the caller put it.
    ///
    /// # Errors
    /// [`JobFailure::Fatal`] if it is missing or of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, JobFailure> {
        match self.argument(name) {
            Some(value) => T::deserialize(value).map_err(|err| {
                JobFailure::fatal(format!("argument {name} of {}: {err}", self.task))
            }),
            None => Err(JobFailure::fatal(format!("{} lacks its argument {name}", self.task))),
        }
    }

    /// An argument that may be missing or null.
    ///
    /// # Errors
    /// [`JobFailure::Fatal`] if it is of another type.
    pub fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, JobFailure> {
        match self.argument(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.get(name).map(Some),
        }
    }

    fn argument(&self, name: &str) -> Option<&Value> {
        self.kwargs.get(name).or_else(|| {
            let params = tasks::find(&self.task)?.params;
            let position = params.iter().position(|param| *param == name)?;
            self.args.get(position)
        })
    }

    fn note(&mut self, mistake: String) {
        self.mistake.get_or_insert(mistake);
    }

    /// The job as it is enqueued at `now`.
    pub(crate) fn ready(mut self, now: DateTime<Utc>) -> Result<Self, JobsError> {
        if let Some(mistake) = self.mistake {
            return Err(JobsError::InvalidJob(mistake));
        }
        if let Some(pause) = self.countdown.take() {
            self.eta = Some(now + pause);
        }
        self.enqueued_at.get_or_insert(now);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Job;
    use crate::tasks::MAIL_INVITE_MEMBER;

    #[test]
    fn arguments_are_found_by_name_and_by_position() {
        let mut job = Job::new(MAIL_INVITE_MEMBER).set("token", "t");
        job.args = vec![json!("en-US"), json!("a@b.c")];
        assert_eq!(job.get::<String>("language").unwrap(), "en-US");
        assert_eq!(job.get::<String>("to").unwrap(), "a@b.c");
        assert_eq!(job.get::<String>("token").unwrap(), "t");
        assert!(job.get::<u8>("token").is_err());
        assert!(job.get::<String>("workspace_name").is_err());
        assert_eq!(job.find::<String>("workspace_name").unwrap(), None);
    }

    #[test]
    fn a_parameter_the_task_has_not_got_is_refused() {
        let job = Job::new(MAIL_INVITE_MEMBER).set("colour", "red");
        assert!(job.ready(chrono::Utc::now()).is_err());
    }
}
