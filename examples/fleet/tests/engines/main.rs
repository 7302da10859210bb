//! The promises of a fleet, kept by each engine under each runtime: with real servers and real worker processes.

mod plans;
mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fleet::queue::{Delivery, Error, GiveBack, Queue};
use fleet::site::{self, Site};
use fleet::work::{self, Work};
use fleet::worker::{self, Settings};
use fleet::{PostgresQueue, RedisQueue, Runtime};
use futures::FutureExt;
use futures::channel::oneshot;
use rustix::process::Signal;

use support::{Fleet, Store, held, until_ended, waits};

/// Runs every test with an engine and a runtime.
macro_rules! with_each {
    ($($module:ident: $store:ident, $runtime:ident;)*) => {$(
        mod $module {
            use super::*;

            with_each! { @tests $store, $runtime,
                no_more_held_than_slots lease 2000,
                a_killed_worker_loses_nothing lease 1000,
                a_paused_worker_loses_its_leases lease 500,
                long_jobs_keep_their_leases lease 1000,
                the_server_may_restart lease 1000,
                a_short_freeze_fails_nothing lease 10000,
                a_frozen_server_delays_no_shutdown lease 1000,
                poisoned_jobs_end_as_dead_letters lease 2000,
                jobs_that_kill_workers_are_buried lease 300,
                shutdown_gives_back_unfinished_jobs lease 5000,
                two_coordinators_submit_each_job_once lease 2000,
                the_first_result_stays lease 2000,
                late_reports_change_nothing lease 100,
            }
        }
    )*};
    (@tests $store:ident, $runtime:ident, $($test:ident lease $lease:literal,)*) => {$(
        #[test]
        fn $test() {
            support::run::<$store, _>(Runtime::$runtime, $lease, super::$test);
        }
    )*};
}

with_each! {
    redis_on_smol: RedisQueue, Smol;
    redis_on_tokio: RedisQueue, Tokio;
    postgres_on_smol: PostgresQueue, Smol;
    postgres_on_tokio: PostgresQueue, Tokio;
}

/// A queue that compares what a worker takes with what the server says.
struct Checked<'a, S> {
    queue: S,
    fleet: &'a Fleet<S>,
    slots: u64,
    /// The largest number of jobs that the server has seen this worker hold.
    peak: AtomicU64,
}

impl<S: Store> Checked<'_, S> {
    async fn held(&self) -> Result<u64, Error> {
        Ok(held(&self.fleet.queue.counts().await?, "checked"))
    }
}

impl<S: Store> Queue for Checked<'_, S> {
    async fn take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        // Only this call makes it more.
        let before = self.held().await?;
        assert!(
            before + limit as u64 <= self.slots,
            "{limit} wanted besides {before}"
        );
        let batch = self.queue.take(limit).await?;
        assert!(batch.len() <= limit);
        self.peak.fetch_max(self.held().await?, Ordering::Relaxed);
        Ok(batch)
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<bool, Error> {
        self.queue.acknowledge(delivery).await
    }

    async fn give_back(&self, delivery: &Delivery, reason: &GiveBack) -> Result<bool, Error> {
        self.queue.give_back(delivery, reason).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<bool, Error> {
        self.queue.extend(delivery).await
    }
}

async fn no_more_held_than_slots<S: Store>(fleet: Fleet<S>) {
    // Some fail at times, so that what was given back is counted, too.
    let work = (0..300).map(|job| match job % 10 {
        0 => Work::Fail,
        _ => Work::Wait(Duration::from_millis(job % 7)),
    });
    fleet.submit(work).await;
    let queue = Checked {
        queue: fleet.connect("checked"),
        fleet: &fleet,
        slots: 16,
        peak: AtomicU64::new(0),
    };
    let settings = Settings {
        slots: 16,
        lease: fleet.lease,
        backoff: Duration::from_millis(10),
        ..Settings::default()
    };
    let runtime = fleet.runtime;
    let timer = runtime.timer();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = worker::run(&queue, &timer, &settings, stopped.map(drop), |job| {
        let results = &queue.queue;
        async move { work::perform(&job, runtime, "", results).await }
    });
    let watching = async {
        let counts = fleet.until_drained().await;
        drop(stop);
        counts
    };
    let (report, counts) = futures::join!(running, watching);
    assert_eq!((report.done, report.dead), (270, 30));
    assert_eq!((counts.done, counts.dead), (270, 30));
    // The window was full at times, or the test would show nothing.
    assert_eq!(queue.peak.into_inner(), 16);
}

async fn a_killed_worker_loses_nothing<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(400, 100)).await;
    for name in ["a", "b", "c"] {
        fleet.start_worker(name, &[]);
    }
    fleet
        .until("busy", |counts| {
            ["a", "b", "c"].iter().all(|name| held(counts, name) > 0)
        })
        .await;
    fleet.until_held("b", 8).await;

    fleet.kill("b");
    let killed = Instant::now();
    // What it had sent before it died still counts. What is left when the first lease ends is redelivered.
    let left = Cell::new(0);
    fleet
        .until("redelivered", |counts| {
            if counts.expired() == 0 {
                left.set(held(counts, "b"));
            }
            held(counts, "b") == 0
        })
        .await;
    // Workers look for ended leases five times a second. The rest is for a busy machine.
    assert!(killed.elapsed() < fleet.lease + Duration::from_secs(3));

    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.dead), (400, 0));
    assert!(left.get() > 0, "it was idle");
    assert!(
        counts.expired() >= left.get(),
        "{left:?} were left: {counts:?}"
    );
    fleet.assert_waited(400).await;
    fleet.stop("a").await;
    fleet.stop("c").await;
}

async fn a_paused_worker_loses_its_leases<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(8, 200)).await;
    fleet.start_worker("a", &[]);
    fleet.until_held("a", 8).await;
    // As in a long swap or a frozen machine: it believes to have the jobs when it wakes up.
    fleet.signal("a", Signal::STOP);
    fleet.start_worker("b", &[]);
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.redelivered), (8, 8));

    fleet.signal("a", Signal::CONT);
    fleet.stop("a").await;
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.dead), (8, 0));
    fleet.assert_waited(8).await;
}

async fn long_jobs_keep_their_leases<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(8, 3500)).await;
    fleet.start_worker("a", &[]);
    fleet.until_held("a", 8).await;
    // It has nothing to do but to look for ended leases.
    fleet.start_worker("b", &[]);
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.redelivered), (8, 0));
}

async fn the_server_may_restart<S: Store>(mut fleet: Fleet<S>) {
    // Some take so long that they run while the server is away.
    fleet.submit(waits(8, 4000).chain(waits(592, 30))).await;
    fleet.start_worker("a", &[]);
    fleet.start_worker("b", &[]);
    let before = fleet.until("under way", |counts| counts.done > 100).await;
    fleet.server.crash().expect("it runs");
    fleet.server.restart().expect("it starts again");

    let counts = fleet.until("up again", |_| true).await;
    assert!(counts.done >= before.done, "the server forgot: {counts:?}");
    assert!(counts.outstanding() > 0, "it was in the middle");
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.dead), (600, 0));
    fleet.assert_waited(600).await;
    fleet.stop("a").await;
    fleet.stop("b").await;
}

async fn a_short_freeze_fails_nothing<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(200, 20)).await;
    fleet.start_worker("a", &[]);
    fleet.until("under way", |counts| counts.done > 20).await;
    fleet.server.freeze().expect("it runs");
    // Longer than the client of Redis waits for a reply unless told otherwise.
    fleet.runtime.sleep(Duration::from_millis(900)).await;
    fleet.server.thaw().expect("it runs");
    let counts = fleet.until_drained().await;
    assert_eq!(
        (counts.done, counts.failed, counts.redelivered),
        (200, 0, 0)
    );
    fleet.stop("a").await;
}

async fn a_frozen_server_delays_no_shutdown<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(4, 60_000)).await;
    fleet.start_worker("a", &["--grace", "200"]);
    // It has free slots, so that it is taking more when the server stops to answer.
    fleet.until_held("a", 4).await;
    fleet.server.freeze().expect("it runs");
    let stopped = Instant::now();
    fleet.stop("a").await;
    // A command is given up after five seconds, and what became of a job is told for as long as its lease.
    assert!(stopped.elapsed() < Duration::from_secs(15));

    // What it could not give back comes back by itself.
    fleet.server.thaw().expect("it runs");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut taken = 0;
    while taken < 4 {
        assert!(Instant::now() < deadline, "{taken} came back");
        taken += fleet.queue.take(8).await.map_or(0, |batch| batch.len());
    }
}

async fn poisoned_jobs_end_as_dead_letters<S: Store>(mut fleet: Fleet<S>) {
    fleet
        .submit(waits(200, 5).chain([Work::Fail, Work::Panic]))
        .await;
    for name in ["a", "b"] {
        fleet.start_worker(name, &["--attempts", "3", "--backoff", "20"]);
    }
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.dead), (200, 2));
    // Each poisoned job took three attempts, and nothing else failed.
    assert_eq!((counts.failed, counts.redelivered), (6, 4));
    let mut letters = fleet
        .queue
        .dead_letters()
        .await
        .expect("the server is there");
    letters.sort();
    let letters: Vec<_> = letters
        .iter()
        .map(|(job, error)| (*job, error.as_str()))
        .collect();
    let expected = [(200, "it always fails"), (201, "panicked: the job says so")];
    assert_eq!(letters, expected);
    fleet.assert_waited(200).await;
    fleet.stop("a").await;
    fleet.stop("b").await;
}

async fn jobs_that_kill_workers_are_buried<S: Store>(mut fleet: Fleet<S>) {
    fleet.submit(waits(50, 5).chain([Work::Abort])).await;
    for name in ["a", "b", "c"] {
        // With one slot, nobody else's job is lost with the worker, and counted as an attempt.
        fleet.start_worker(name, &["--attempts", "2", "--slots", "1"]);
    }
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.dead), (50, 1));
    let letters = fleet
        .queue
        .dead_letters()
        .await
        .expect("the server is there");
    assert_eq!(letters, [(50, "its workers died".to_owned())]);
    let dead = ["a", "b", "c"].map(|name| fleet.status(name).is_some());
    assert_eq!(dead.iter().filter(|is_dead| **is_dead).count(), 2);
}

async fn shutdown_gives_back_unfinished_jobs<S: Store>(mut fleet: Fleet<S>) {
    let an_hour = Work::Wait(Duration::from_secs(3600));
    fleet.submit(waits(4, 300).chain(vec![an_hour; 4])).await;
    fleet.start_worker("a", &["--grace", "1500"]);
    fleet.until_held("a", 8).await;
    let stopped = Instant::now();
    fleet.stop("a").await;
    assert!(stopped.elapsed() < Duration::from_secs(10));

    // What could be done in time is done. The rest is back at once, as if it had never been tried.
    let counts = fleet.until("stopped", |_| true).await;
    assert_eq!((counts.done, counts.unfinished, counts.held()), (4, 4, 0));
    let mut taken = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    while taken.len() < 4 && Instant::now() < deadline {
        taken.extend(fleet.queue.take(8).await.expect("the server is there"));
    }
    let attempts: Vec<_> = taken.iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [1; 4]);
}

async fn two_coordinators_submit_each_job_once<S: Store>(mut fleet: Fleet<S>) {
    let site = Site::start().expect("there is a free port");
    let address = site.address().to_string();
    for name in ["a", "b"] {
        fleet.start_worker(name, &["--site", &address, "--slots", "64"]);
    }
    // Both submit the pages from 300 to 500.
    let mut first = fleet.start("coordinate", &["--first", "0", "--jobs", "500"]);
    let mut second = fleet.start("coordinate", &["--first", "300", "--jobs", "500"]);
    for coordinator in [&mut first, &mut second] {
        let status = until_ended(fleet.runtime, coordinator).await;
        assert!(status.success(), "{status}");
    }
    // The first may have been done before the second had begun, but now both are.
    let counts = fleet.until_drained().await;
    assert_eq!((counts.submitted, counts.done, counts.dead), (800, 800, 0));
    let pages: Vec<_> = (0..800).collect();
    let results = fleet
        .queue
        .results(&pages)
        .await
        .expect("the server is there");
    for (page, result) in pages.into_iter().zip(results) {
        assert_eq!(result, Some(site::content(page)));
    }
}

async fn the_first_result_stays<S: Store>(fleet: Fleet<S>) {
    assert!(
        fleet
            .queue
            .record(1, "first")
            .await
            .expect("the server is there")
    );
    assert!(
        !fleet
            .queue
            .record(1, "second")
            .await
            .expect("the server is there")
    );
    let results = fleet
        .queue
        .results(&[2, 1])
        .await
        .expect("the server is there");
    assert_eq!(results, [None, Some("first".to_owned())]);
}

async fn late_reports_change_nothing<S: Store>(fleet: Fleet<S>) {
    fleet.submit(waits(1, 0)).await;
    let (late, quick) = (fleet.connect("late"), fleet.connect("quick"));
    let first = one(&late).await;
    // It does not extend its lease, so that the other gets the job.
    let second = one(&quick).await;
    assert_eq!((first.job, first.attempt), (second.job.clone(), 1));
    assert_eq!(second.attempt, 2);

    let first = Delivery {
        job: second.job.clone(),
        attempt: 1,
        receipt: first.receipt,
    };
    let error = String::new();
    let after = Duration::ZERO;
    let reports = [
        late.extend(&first).await,
        late.acknowledge(&first).await,
        late.give_back(&first, &GiveBack::Unfinished).await,
        late.give_back(
            &first,
            &GiveBack::Dead {
                error: error.clone(),
            },
        )
        .await,
        late.give_back(&first, &GiveBack::Retry { after, error })
            .await,
    ];
    assert!(
        reports
            .into_iter()
            .all(|report| matches!(report, Ok(false)))
    );
    assert!(
        quick
            .acknowledge(&second)
            .await
            .expect("the server is there")
    );
    assert!(
        !quick
            .acknowledge(&second)
            .await
            .expect("the server is there")
    );
    let counts = fleet.until_drained().await;
    assert_eq!((counts.done, counts.failed, counts.redelivered), (1, 0, 1));
}

/// Takes the one job that there is, as soon as it may be taken.
async fn one<S: Store>(queue: &S) -> Delivery {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let batch = queue.take(1).await.expect("the server is there");
        if let Some(delivery) = batch.into_iter().next() {
            return delivery;
        }
        assert!(Instant::now() < deadline, "no job comes");
    }
}
