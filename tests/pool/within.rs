//! Shutting down with a deadline, on a clock of the test's own.

use std::future::pending;
use std::time::Duration;

use crate::support::{Board, Driver as Loop};
use abreast::pool::ShutdownReport;
use abreast::time::VirtualClock;
use abreast::{EndReason, JobError, Pool, PoolError, local_pool, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ABANDONED: Result<usize, JobError<&str>> = Err(JobError::Abandoned);
const SECOND: Duration = Duration::from_secs(1);

/// Returns the numbers of a report, as it is not for others to make.
fn numbers(report: ShutdownReport) -> [u64; 3] {
    [report.finished, report.dropped, report.never_started]
}

#[test]
fn time_up_drops_all_jobs() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let board = Board::new(5);
    let handles = [0, 1, 2, 3, 4].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert!(within.run().is_pending());

    clock.advance(SECOND);
    assert_eq!(numbers(within.finish()), [1, 2, 2]);
    assert!(board.is_dropped(3) && board.is_dropped(4), "at once");
    assert!(!board.is_dropped(1) && !board.is_dropped(2));
    assert_eq!(driver.wakes(), 1, "to drop the rest");
    driver.finish();
    assert_eq!(board.alive(), 0);
    assert_eq!(
        board.polls(1) + board.polls(2),
        2,
        "they are not polled again"
    );
    let results = handles.map(|handle| Loop::new(handle).finish());
    assert_eq!(results, [Ok(0), ABANDONED, ABANDONED, ABANDONED, ABANDONED]);
    let stats = pool.stats();
    assert_eq!((stats.total_executed, stats.total_abandoned), (1, 4));
    assert_eq!((stats.queue_length, stats.active_workers), (0, 0));
}

#[test]
fn ending_in_time_drops_nothing() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let before = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.run().is_pending());
    let handles = [2, 3].map(|n| pool.execute(async move { Ok::<_, ()>(n) }).unwrap());
    handles[1].cancel();
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    driver.finish();
    assert_eq!(numbers(within.finish()), [1, 0, 0]);
    assert_eq!(Loop::new(before).finish(), Ok(1));
}

#[test]
fn each_worker_drops_its_job() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    let clock = VirtualClock::new();
    let board = Board::new(2);
    let handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    // The third is idle, and the first was never polled.
    for worker in [1, 2] {
        assert!(workers[worker].run().is_pending());
    }
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    clock.advance(SECOND);
    assert_eq!(numbers(within.finish()), [0, 2, 0]);
    for mut worker in workers {
        worker.finish();
    }
    assert_eq!(board.alive(), 0);
    let results = handles.map(|handle| Loop::new(handle).finish());
    assert_eq!(results, [ABANDONED, ABANDONED]);
}

#[test]
fn drains_resolve_when_time_is_up() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    drop(pool.execute(pending::<Result<(), ()>>()).unwrap());
    assert!(driver.run().is_pending());
    let mut drain = Loop::new(pool.drain());
    let mut shutdown = Loop::new(pool.shutdown());
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(drain.run().is_pending() && shutdown.run().is_pending() && within.run().is_pending());
    clock.advance(SECOND);
    assert!(within.run().is_ready());
    assert!(drain.run().is_pending(), "until the job was dropped");
    driver.finish();
    drain.finish();
    shutdown.finish();
}

#[test]
fn a_dropped_deadline_drops_nothing() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let board = Board::new(1);
    let handle = pool.execute(board.task(0)).unwrap();
    assert!(driver.run().is_pending());
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    drop(within);
    clock.advance(SECOND);
    board.end(0, Ok(7));
    driver.finish();
    assert_eq!(Loop::new(handle).finish(), Ok(7));
}

#[test]
fn a_dropped_driver_counts_as_dropped() {
    let (pool, driver) = local_pool(1);
    let clock = VirtualClock::new();
    for _ in 0..3 {
        drop(pool.execute(pending::<Result<(), ()>>()).unwrap());
    }
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    drop(driver);
    assert_eq!(numbers(within.finish()), [0, 3, 0]);
}

#[test]
fn streams_end_when_time_is_up() {
    let (pool, driver) = Pool::builder().worker_count(1).build();
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let mut feed = Loop::new(pool.feed(futures::stream::iter(board.tasks())));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
    assert!(within.run().is_pending());
    clock.advance(SECOND);
    assert_eq!(numbers(within.finish()), [0, 1, 0]);
    driver.finish();
    assert!(feed.finish().is_err());
    assert_eq!(board.alive(), 0);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn deadlines_race_with_workers() {
    for round in 0..60 {
        let (pool, driver) = pool(2);
        let clock = VirtualClock::new();
        let threads: Vec<_> = driver
            .into_workers()
            .into_iter()
            .map(|worker| std::thread::spawn(|| futures::executor::block_on(worker)))
            .collect();
        let handles: Vec<_> = (0..20)
            .map(|n| {
                let task = async move {
                    crate::support::yield_times(n % 3).await;
                    if n == 19 {
                        pending::<()>().await;
                    }
                    Ok::<_, ()>(n)
                };
                pool.execute(task).unwrap()
            })
            .collect();
        let mut within = Loop::new(pool.shutdown().within(SECOND, clock.timer()));
        assert!(within.run().is_pending());
        (0..round).for_each(|_| std::hint::spin_loop());
        clock.advance(SECOND);
        let report = within.finish();
        assert!(numbers(report).iter().sum::<u64>() <= 20);
        for thread in threads {
            thread.join().unwrap();
        }
        for handle in handles {
            assert!(handle.is_finished());
        }
        let stats = pool.stats();
        assert_eq!(stats.total_executed + stats.total_abandoned, 20);
        assert!(stats.total_abandoned >= 1);
    }
}

#[test]
fn a_drain_ends_with_its_time() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let mut drain = Loop::new(pool.drain().within(SECOND, clock.timer()));
    assert!(drain.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    let refused = pool.execute(async { Ok::<_, ()>(()) });
    assert_eq!(refused.unwrap_err(), PoolError::Draining);

    clock.advance(SECOND);
    let report = drain.finish();
    assert_eq!((report.finished, report.running, report.queued), (1, 1, 1));
    assert_eq!(report.end_reason, EndReason::DeadlineElapsed);

    // The pool accepts again although the future is still there, and what was left goes on.
    let late = pool.execute(async { Ok::<_, ()>(7) }).unwrap();
    board.end(1, Ok(1));
    board.end(2, Ok(2));
    assert!(driver.run().is_pending());
    assert_eq!(
        handles.map(|handle| Loop::new(handle).finish()),
        [Ok(0), Ok(1), Ok(2)]
    );
    assert_eq!(Loop::new(late).finish(), Ok(7));
}

#[test]
fn a_drain_in_time_completes() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let clock = VirtualClock::new();
    let board = Board::new(1);
    let handle = pool.execute(board.task(0)).unwrap();
    let mut drain = Loop::new(pool.drain().within(SECOND, clock.timer()));
    assert!(driver.run().is_pending() && drain.run().is_pending());
    board.end(0, Ok(4));
    assert!(driver.run().is_pending());
    clock.advance(SECOND);
    let report = drain.finish();
    assert_eq!((report.finished, report.running, report.queued), (1, 0, 0));
    assert_eq!(report.end_reason, EndReason::Completed);
    assert_eq!(Loop::new(handle).finish(), Ok(4));
}

#[test]
fn a_dropped_drain_leaves_others() {
    let (pool, driver) = pool(1);
    let clock = VirtualClock::new();
    let mut bounded = Loop::new(pool.drain().within(SECOND, clock.timer()));
    let _endless = pool.drain();
    assert!(bounded.run().is_ready(), "nothing runs");
    let refused = pool.execute(async { Ok::<_, ()>(()) });
    assert_eq!(refused.unwrap_err(), PoolError::Draining);
    drop(driver);
}
