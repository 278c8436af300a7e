//! What this process knows of runs beside their rows: those it lost, and whether it may judge other processes.
//!
//! A run is marked in `dify_rs_running` from its beginning to its end. When a process dies, others end what it left
//! behind. A process that lives on may lose a run as well: the database stayed away at its end, or its request went away
//! halfway into its beginning. Its marks would be kept alive for ever, so such runs are remembered here until they are
//! ended in the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use db::running::Kind;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// How long a lost run is looked for: a row that was on its way when its writer gave up is there by then.
const LOOKED_FOR: Duration = Duration::from_secs(600);

/// Lost runs of this process, and its right to end runs of others. A clone shares them.
#[derive(Clone)]
pub struct Leases(Arc<Inner>);

struct Inner {
    lost: Mutex<HashMap<(Kind, Uuid), Instant>>,
    added: watch::Sender<()>,
    quiet_until: Mutex<Option<Instant>>,
}

impl Default for Leases {
    fn default() -> Self {
        Self(Arc::new(Inner {
            lost: Mutex::default(),
            added: watch::Sender::new(()),
            quiet_until: Mutex::default(),
        }))
    }
}

impl Leases {
    /// Takes a run into care before its row is written. Whoever drops the value without [`Held::settled`] has lost it.
    pub fn hold(&self, kind: Kind, id: Uuid) -> Held {
        // A run that goes on after a pause is not the part of it that was lost.
        self.lost().remove(&(kind, id));
        Held { leases: self.clone(), run: Some((kind, id)) }
    }

    /// Lost runs that are still looked for.
    #[must_use]
    pub fn lost_of(&self, kind: Kind) -> Vec<Uuid> {
        let mut lost = self.lost();
        lost.retain(|_, since| since.elapsed() < LOOKED_FOR);
        lost.keys().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect()
    }

    /// Forgets lost runs that have ended in the database.
    pub fn found(&self, kind: Kind, ids: &[Uuid]) {
        let mut lost = self.lost();
        for id in ids {
            lost.remove(&(kind, *id));
        }
    }

    /// Wakes who looks after lost runs when there is one more.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.added.subscribe()
    }

    /// Notes that the database did not answer: other processes could not say that they live either, so nobody is
    /// judged for the time of a lease.
    pub fn database_was_away(&self, lease: Duration) {
        *self.quiet_until() = Some(Instant::now() + lease);
    }

    /// Whether a process that was not seen for a lease is to be taken for dead.
    #[must_use]
    pub fn may_judge(&self) -> bool {
        self.quiet_until().is_none_or(|until| until <= Instant::now())
    }

    fn lost(&self) -> MutexGuard<'_, HashMap<(Kind, Uuid), Instant>> {
        self.0.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quiet_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.quiet_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run in this process's care.
#[must_use = "the run counts as lost when this is dropped"]
pub struct Held {
    leases: Leases,
    run: Option<(Kind, Uuid)>,
}

impl Held {
    /// The end of the run, or of this part of it, is on record.
    pub fn settled(mut self) {
        self.run = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(run) = self.run {
            self.leases.lost().insert(run, Instant::now());
            self.leases.0.added.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_lost_unless_it_is_settled() {
        let leases = Leases::default();
        let mut woken = leases.subscribe();
        let (settled, lost, other) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        leases.hold(Kind::Message, settled).settled();
        assert!(!woken.has_changed().unwrap());
        drop(leases.hold(Kind::Message, lost));
        drop(leases.hold(Kind::WorkflowRun, other));
        assert!(woken.has_changed().unwrap());
        woken.mark_unchanged();
        assert_eq!(leases.lost_of(Kind::Message), [lost]);
        // It goes on.
        let again = leases.hold(Kind::Message, lost);
        assert!(leases.lost_of(Kind::Message).is_empty());
        drop(again);
        leases.found(Kind::Message, &[lost]);
        assert!(leases.lost_of(Kind::Message).is_empty());
        assert_eq!(leases.lost_of(Kind::WorkflowRun), [other]);
    }

    #[test]
    fn nobody_is_judged_after_the_database_was_away() {
        let leases = Leases::default();
        assert!(leases.may_judge());
        leases.database_was_away(Duration::from_secs(60));
        assert!(!leases.may_judge());
        leases.database_was_away(Duration::ZERO);
        assert!(leases.may_judge());
    }
}
