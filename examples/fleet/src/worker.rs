//! A worker: a window over the jobs that it takes from a queue.
//!
//! Knows neither the engine of the queue nor the runtime, and spawns nothing.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::iter;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use abreast::{Timer, fall_through, parallel_stream, timeout};
use futures::future::{Either, FutureExt, Shared, select};
use futures::stream::{self, Stream, StreamExt};

use crate::queue::{Delivery, Error, GiveBack, Job, Queue};

/// How a worker goes about its jobs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The size of the window: how many jobs it holds at most.
    pub slots: usize,
    /// How long the engine leaves a job to a worker of which it hears nothing. Has to be the engine's own setting.
    pub lease: Duration,
    /// The number of attempts after which a job is dead.
    pub attempts: u32,
    /// The delay before the second attempt; each further one takes twice as long, up to the lease.
    pub backoff: Duration,
    /// How long running jobs may go on after the worker was told to stop.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 64,
            lease: Duration::from_secs(2),
            attempts: 4,
            backoff: Duration::from_millis(100),
            grace: Duration::from_secs(5),
        }
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    Done,
    Retried,
    Dead,
    Unfinished,
    /// The lease ended, so that the job is another worker's now.
    Lost,
}

/// The number of deliveries that ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub done: u64,
    pub retried: u64,
    pub dead: u64,
    pub unfinished: u64,
    pub lost: u64,
}

impl Report {
    fn count(&mut self, disposition: Disposition) {
        match disposition {
            Disposition::Done => self.done += 1,
            Disposition::Retried => self.retried += 1,
            Disposition::Dead => self.dead += 1,
            Disposition::Unfinished => self.unfinished += 1,
            Disposition::Lost => self.lost += 1,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            done,
            retried,
            dead,
            unfinished,
            lost,
        } = self;
        write!(
            f,
            "done {done}, retried {retried}, dead {dead}, unfinished {unfinished}, lost {lost}"
        )
    }
}

/// Runs jobs of `queue` by `handler`, until `stop` resolves and what runs has ended, or its time is up.
pub async fn run<Q, M, H, Fut, E>(
    queue: &Q,
    timer: &M,
    settings: &Settings,
    stop: impl Future<Output = ()>,
    handler: H,
) -> Report
where
    Q: Queue,
    M: Timer,
    H: Fn(Job) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let stop = stop.shared();
    // Every job listens to it, and it starts to count when the worker is told to stop.
    let deadline = async {
        stop.clone().await;
        timer.sleep(settings.grace).await;
    }
    .shared();
    let worker = Worker {
        queue,
        timer,
        settings,
        handler,
    };

    // The window asks for a job only when a slot is free. That is all the back-pressure there is, and all that is
    // needed.
    let jobs = worker
        .deliveries(stop.clone())
        .map(|(delivery, slot)| worker.attend(delivery, slot, deadline.clone()));
    let mut window = pin!(
        parallel_stream(jobs)
            .concurrency(settings.slots)
            .into_stream()
    );
    let mut report = Report::default();
    while let Some((_, Ok(disposition))) = window.next().await {
        report.count(disposition);
    }
    report
}

struct Worker<'a, Q, M, H> {
    queue: &'a Q,
    timer: &'a M,
    settings: &'a Settings,
    handler: H,
}

impl<Q: Queue, M: Timer, H> Worker<'_, Q, M, H> {
    /// Yields jobs as they are wanted, taken from the queue as many at a time as there are free slots.
    fn deliveries<S: Future<Output = ()>>(
        &self,
        stop: Shared<S>,
    ) -> impl Stream<Item = (Delivery, Slot)> {
        let slots = Slots::new(self.settings.slots);
        let batches = stream::unfold(0, move |mut failures: u32| {
            let (slots, stop) = (slots.clone(), stop.clone());
            async move {
                while stop.clone().now_or_never().is_none() {
                    let batch = match self.queue.take(slots.free()).await {
                        Ok(batch) => batch,
                        Err(error) => {
                            eprintln!("cannot take jobs: {error}");
                            self.timer.sleep(delay(RETRY, failures, PATIENCE)).await;
                            failures += 1;
                            continue;
                        }
                    };
                    failures = 0;
                    // An empty batch is the end of a wait: look whether to stop, and wait again.
                    if !batch.is_empty() {
                        let batch: Vec<_> = batch
                            .into_iter()
                            .map(|delivery| (delivery, slots.occupy()))
                            .collect();
                        return Some((stream::iter(batch), failures));
                    }
                }
                None
            }
        });
        batches.flatten()
    }

    /// Runs a job for as long as its lease and the deadline allow, and tells the queue how it ended.
    async fn attend<Fut, E>(
        &self,
        delivery: Delivery,
        slot: Slot,
        deadline: Shared<impl Future<Output = ()>>,
    ) -> Result<Disposition, Infallible>
    where
        H: Fn(Job) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        // If its workers died each time, nobody was left to count the attempts but the queue.
        let result = if delivery.attempt > self.settings.attempts {
            Some(Err("its workers died".to_owned()))
        } else {
            let job = async { (self.handler)(delivery.job.clone()).await };
            let work = pin!(AssertUnwindSafe(job).catch_unwind());
            let lost = pin!(self.keep_lease(&delivery));
            match select(work, select(lost, deadline)).await {
                Either::Left((Ok(Ok(())), _)) => Some(Ok(())),
                Either::Left((Ok(Err(error)), _)) => Some(Err(error.to_string())),
                Either::Left((Err(panic), _)) => Some(Err(message(&*panic))),
                Either::Right((Either::Left(_), _)) => return Ok(Disposition::Lost),
                Either::Right((Either::Right(_), _)) => None,
            }
        };

        // The work is over or has been dropped. The slot is free when the queue knows.
        let (was_leased, disposition) = match result {
            Some(Ok(())) => {
                let noted = self.persist(|| self.queue.acknowledge(&delivery));
                (noted.await, Disposition::Done)
            }
            Some(Err(error)) if delivery.attempt >= self.settings.attempts => {
                let dead = GiveBack::Dead { error };
                let noted = self.persist(|| self.queue.give_back(&delivery, &dead));
                (noted.await, Disposition::Dead)
            }
            Some(Err(error)) => {
                let Settings { backoff, lease, .. } = *self.settings;
                let after = delay(backoff, delivery.attempt - 1, lease);
                let retry = GiveBack::Retry { after, error };
                let noted = self.persist(|| self.queue.give_back(&delivery, &retry));
                (noted.await, Disposition::Retried)
            }
            None => {
                let noted = self.persist(|| self.queue.give_back(&delivery, &GiveBack::Unfinished));
                (noted.await, Disposition::Unfinished)
            }
        };
        drop(slot);
        Ok(if was_leased {
            disposition
        } else {
            Disposition::Lost
        })
    }

    /// Extends a lease again and again. Resolves when it has been lost.
    async fn keep_lease(&self, delivery: &Delivery) {
        loop {
            // The third attempt is still in time.
            self.timer.sleep(self.settings.lease / 3).await;
            match self.queue.extend(delivery).await {
                Ok(true) => {}
                Ok(false) => return,
                // Perhaps the next attempt gets through. If not, another worker may have the job before this one knows.
                Err(error) => eprintln!("cannot extend a lease: {error}"),
            }
        }
    }

    /// Repeats a command to the queue until the lease must be over, whether the attempts fail or hang. Returns
    /// whether the job was still leased.
    async fn persist<Fut>(&self, command: impl Fn() -> Fut) -> bool
    where
        Fut: Future<Output = Result<bool, Error>>,
    {
        let attempts = waits(self.settings.lease).map(|wait| {
            let command = &command;
            async move {
                if !wait.is_zero() {
                    self.timer.sleep(wait).await;
                }
                command().await
            }
        });
        let command = fall_through(attempts)
            .on_error(|error, _| eprintln!("cannot tell what became of a job: {error}"));
        let sleep = |duration| self.timer.sleep(duration);
        match timeout(self.settings.lease, sleep, command).await {
            Ok(result) => result.is_ok_and(|winner| winner.value),
            Err(_) => false,
        }
    }
}

/// The first and the longest delay after the queue could not be reached.
const RETRY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(1);

/// Returns a delay that doubles with each failure.
fn delay(first: Duration, failures: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << failures.min(16)).min(most)
}

/// Returns the waits before each attempt at something that has to succeed within `total`. There is none before the
/// first.
fn waits(total: Duration) -> impl Iterator<Item = Duration> {
    let doubling = (0..).map(|failures| delay(RETRY, failures, PATIENCE));
    let mut sum = Duration::ZERO;
    iter::once(Duration::ZERO)
        .chain(doubling)
        .take_while(move |wait| {
            sum += *wait;
            sum <= total
        })
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a message"))
}

/// Counts the slots that jobs occupy, be they running or about to.
#[derive(Clone)]
struct Slots {
    limit: usize,
    held: Arc<AtomicUsize>,
}

impl Slots {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Arc::default(),
        }
    }

    fn free(&self) -> usize {
        self.limit - self.held.load(Ordering::Relaxed)
    }

    fn occupy(&self) -> Slot {
        self.held.fetch_add(1, Ordering::Relaxed);
        Slot(Arc::clone(&self.held))
    }
}

/// An occupied slot, free again when it is dropped.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
