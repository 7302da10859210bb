//! Shutdowns and drains that a signal ends.

use std::future::{pending, ready};

use crate::support::{Board, Driver as Loop};
use abreast::{EndReason, JobError, PoolError, pool};
use futures::channel::oneshot;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_signal_drops_all_jobs() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(4);
    let handles = [0, 1, 2, 3].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let (stop, stopped) = oneshot::channel::<()>();
    let mut shutdown = Loop::new(pool.shutdown().stop_on(stopped));
    assert!(shutdown.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert!(shutdown.run().is_pending());

    stop.send(()).unwrap();
    let report = shutdown.finish();
    assert_eq!(report.end_reason, EndReason::Stopped);
    let counts = [report.finished, report.dropped, report.never_started];
    assert_eq!(counts, [1, 2, 1]);
    driver.finish();
    assert_eq!(board.alive(), 0);
    let results = handles.map(|handle| Loop::new(handle).finish());
    let abandoned = || Err(JobError::Abandoned);
    assert_eq!(results, [Ok(0), abandoned(), abandoned(), abandoned()]);
}

#[test]
fn a_shutdown_completes_before_its_signal() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let six = pool.execute(async { Ok::<_, ()>(6) }).unwrap();
    let mut shutdown = Loop::new(pool.shutdown().stop_on(pending::<()>()));
    assert!(shutdown.run().is_pending());
    driver.finish();
    let report = shutdown.finish();
    assert_eq!(report.end_reason, EndReason::Completed);
    assert_eq!((report.finished, report.dropped), (1, 0));
    assert_eq!(Loop::new(six).finish(), Ok(6));
}

#[test]
fn what_has_ended_completes_a_shutdown() {
    let (pool, _driver) = pool(1);
    let report = Loop::new(pool.shutdown().stop_on(ready(()))).finish();
    assert_eq!(report.end_reason, EndReason::Completed);
    let report = Loop::new(pool.drain().stop_on(ready(()))).finish();
    assert_eq!(report.end_reason, EndReason::Completed);
}

#[test]
fn a_stopped_drain_drops_nothing() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let (stop, stopped) = oneshot::channel::<()>();
    let mut drain = Loop::new(pool.drain().stop_on(stopped));
    assert!(drain.run().is_pending());
    assert_eq!(
        pool.execute(ready(Ok::<_, ()>(0))).err(),
        Some(PoolError::Draining)
    );

    stop.send(()).unwrap();
    let report = drain.finish();
    assert_eq!(report.end_reason, EndReason::Stopped);
    assert_eq!((report.finished, report.running, report.queued), (0, 1, 1));
    // The drain is over, and its jobs are not.
    let third = pool.execute(ready(Ok::<_, ()>(7))).unwrap();
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    let results = handles.map(|handle| Loop::new(handle).finish());
    assert_eq!(results, [Ok(0), Ok(1)]);
    assert_eq!(Loop::new(third).finish(), Ok(7));
}

#[test]
fn a_dropped_drain_is_over() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let endless = pool.execute(pending::<Result<(), ()>>()).unwrap();
    assert!(driver.run().is_pending());
    drop(pool.drain().stop_on(pending::<()>()));
    let six = pool.execute(ready(Ok::<_, ()>(6))).unwrap();
    endless.cancel();
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(six).finish(), Ok(6));
}
