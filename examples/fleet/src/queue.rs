//! The seam between a worker and the engine that keeps its jobs.
//!
//! ```text
//!               take                    acknowledge
//!   waiting ───────────▶ leased to ─────────────────▶ done
//!      ▲                 a worker ──┐
//!      │                   │   ▲    │ extend
//!      │  give back, or    │   └────┘
//!      │  the lease ends   │        give back as dead
//!      └───────────────────┴────────────────────────▶ dead letters
//! ```
//!
//! A job belongs to the worker that took it for as long as its lease lasts. The worker extends the lease while it
//! works; if it dies, the lease ends and another worker takes the job. So a job may run twice, and its effect has to be
//! idempotent: [`Results::record`] keeps the first result of each job and ignores any other.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A piece of work that some worker is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The name of the job. A second job of the same name is the same job.
    pub id: u64,
    /// What there is to do, in words that the workers understand.
    pub work: String,
}

/// A job that a worker holds until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub job: Job,
    /// The number of attempts at this job so far, this one included: 1 for a new job.
    pub attempt: u32,
    /// The engine's name for the entry.
    pub receipt: String,
}

/// Why a worker gives a job back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiveBack {
    /// The worker has to stop. This was no attempt, and another worker may take the job at once.
    Unfinished,
    /// The attempt failed. The job may be taken again after a delay.
    Retry { after: Duration, error: String },
    /// No further attempt is worth it. The job goes to the dead letters.
    Dead { error: String },
}

/// Gives jobs to workers, each to one worker at a time.
///
/// This is all that a worker needs of an engine.
pub trait Queue: Send + Sync {
    /// Takes at most `limit` jobs, and waits a moment if there are none.
    ///
    /// # Cancel safety
    /// None: what a dropped future had taken stays leased to its worker, and comes back when the leases end.
    fn take(&self, limit: usize) -> impl Future<Output = Result<Vec<Delivery>, Error>> + Send;

    /// Reports that a job is done. Resolves to whether it was still leased to this worker.
    fn acknowledge(&self, delivery: &Delivery) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends the lease of a job that is not done. Resolves to whether it was still leased to this worker.
    fn give_back(
        &self,
        delivery: &Delivery,
        reason: &GiveBack,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Starts the lease anew. Resolves to whether the job was still leased to this worker.
    fn extend(&self, delivery: &Delivery) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Keeps what jobs have resulted in.
pub trait Results: Send + Sync {
    /// Keeps `result` unless the job has one already. Resolves to whether it was the first.
    fn record(&self, job: u64, result: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Returns the results of some jobs, in their order.
    fn results(
        &self,
        jobs: &[u64],
    ) -> impl Future<Output = Result<Vec<Option<String>>, Error>> + Send;
}

/// Fills a queue, and looks at it.
pub trait Admin: Send + Sync {
    /// Makes the queue, unless it exists.
    fn create(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Adds jobs, and ignores those that have been submitted before. Resolves to the number of new ones.
    fn submit(&self, jobs: &[Job]) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Counts the jobs by state, all at one moment.
    fn counts(&self) -> impl Future<Output = Result<Counts, Error>> + Send;

    /// Returns the dead letters: each job with the error of its last attempt.
    fn dead_letters(&self) -> impl Future<Output = Result<Vec<(u64, String)>, Error>> + Send;
}

/// The state of a queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of jobs ever submitted.
    pub submitted: u64,
    /// Jobs that no worker has taken yet.
    pub waiting: u64,
    /// Jobs that were given back, and wait for their next attempt.
    pub given_back: u64,
    /// The number of jobs that each worker holds, by name.
    pub in_flight: Vec<(String, u64)>,
    /// Jobs that were acknowledged.
    pub done: u64,
    /// Jobs in the dead letters.
    pub dead: u64,
    /// Attempts that failed, those of dead letters included.
    pub failed: u64,
    /// Jobs given back by workers that had to stop.
    pub unfinished: u64,
    /// Deliveries of jobs that had been delivered before.
    pub redelivered: u64,
}

impl Counts {
    /// Returns the number of jobs that all workers together hold.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.in_flight.iter().map(|(_, held)| held).sum()
    }

    /// Returns the number of jobs that are neither done nor dead.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.waiting + self.given_back + self.held()
    }

    /// Returns whether each job that was submitted is in exactly one state.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.submitted == self.outstanding() + self.done + self.dead
    }

    /// Returns the number of leases that ended with nobody having given the job back: their workers died, or could not
    /// be reached for too long.
    ///
    /// Each redelivery follows such an end, or a failure that was not the last, or a worker that had to stop.
    #[must_use]
    pub fn expired(&self) -> u64 {
        let given_back = self.failed.saturating_sub(self.dead) + self.unfinished;
        (self.redelivered + self.given_back).saturating_sub(given_back)
    }
}

/// What went wrong between a worker and the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("PostgreSQL: {}", with_cause(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("connecting: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the server does not answer")]
    Silent,
    /// A command that was run together with others.
    #[error("{0}")]
    Batch(Arc<Self>),
    #[error("not the address of a queue: {0}")]
    Address(String),
}

/// Returns an error's message with that of its cause: by itself it says no more than "db error".
fn with_cause(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
