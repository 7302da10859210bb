//! Drains and shutdowns.

use std::sync::Arc;

use crate::support::{Board, Driver as Loop};
use abreast::{JobError, Pool, PoolError, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_drain_resolves_when_jobs_ended() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(drain.wakes(), 0);
    assert!(drain.run().is_pending());
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(drain.wakes(), 1);
    drain.finish();
    assert!(handles.iter().all(abreast::JobHandle::is_finished));
}

#[test]
fn draining_an_idle_pool_resolves() {
    let (pool, _driver) = pool(1);
    Loop::new(pool.drain()).finish();
    assert!(pool.execute(async { Ok::<_, ()>(1) }).is_ok());
}

#[test]
fn a_draining_pool_accepts_nothing() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let task = || async { Ok::<_, ()>(1) };
    let _handle = pool.execute(task()).unwrap();
    let mut first = Loop::new(pool.drain());
    let mut second = Loop::new(pool.drain());
    assert_eq!(pool.execute(task()).unwrap_err(), PoolError::Draining);
    assert!(first.run().is_pending() && second.run().is_pending());
    assert_eq!(pool.execute(task()).unwrap_err(), PoolError::Draining);
    assert!(driver.run().is_pending());
    first.finish();
    assert_eq!(pool.execute(task()).unwrap_err(), PoolError::Draining);
    second.finish();
    assert!(pool.execute(task()).is_ok());
}

#[test]
fn a_dropped_drain_reopens_the_pool() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let _first = pool.execute(board.task(0)).unwrap();
    assert!(driver.run().is_pending());
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Draining
    );
    drop(drain);
    drop(pool.drain());
    let second = pool.execute(board.task(1)).unwrap();
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(second).finish(), Ok(1));
}

#[test]
fn a_resolved_drain_may_be_dropped() {
    let (pool, _driver) = pool(1);
    let mut drain = Loop::new(pool.drain());
    drain.finish();
    assert!(pool.execute(async { Ok::<_, ()>(1) }).is_ok());
    drain.finish();
    drop(drain);
    assert!(pool.execute(async { Ok::<_, ()>(1) }).is_ok());
}

#[test]
fn jobs_cannot_submit_to_draining_pools() {
    let (pool, driver) = pool(1);
    let inner = pool.clone();
    let outer = pool.execute(async move {
        match inner.execute(async { Ok::<_, ()>(1) }) {
            Err(error) => Ok::<_, ()>(error),
            Ok(_) => Err(()),
        }
    });
    let mut drain = Loop::new(pool.drain());
    assert!(Loop::new(driver).run().is_pending());
    drain.finish();
    assert_eq!(Loop::new(outer.unwrap()).finish(), Ok(PoolError::Draining));
}

#[test]
fn a_cancellation_ends_a_drain() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    let mut drain = Loop::new(pool.drain());
    assert!(driver.run().is_pending() && drain.run().is_pending());
    handles[1].cancel();
    assert!(drain.run().is_pending());
    handles[0].cancel();
    assert!(
        drain.run().is_pending(),
        "its worker has not dropped it yet"
    );
    assert!(driver.run().is_pending());
    assert_eq!(drain.wakes(), 1);
    drain.finish();

    let handle = pool.execute(board.task(0)).unwrap();
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());
    handle.cancel();
    assert_eq!(drain.wakes(), 1);
    drain.finish();
}

#[test]
fn shutting_down_finishes_what_was_accepted() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    assert!(!pool.is_closed());
    let mut shutdown = Loop::new(pool.shutdown());
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Closed
    );
    assert!(pool.is_closed());
    assert!(shutdown.run().is_pending() && driver.run().is_pending());
    for index in 0..3 {
        board.end(index, Ok(index));
    }
    driver.finish();
    assert_eq!(shutdown.wakes(), 1);
    shutdown.finish();
    let results = handles.map(|handle| Loop::new(handle).finish());
    assert_eq!(results, [Ok(0), Ok(1), Ok(2)]);
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Closed
    );
    drop(driver);
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Closed
    );
}

#[test]
fn a_shutdown_wakes_an_idle_driver() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    let mut shutdown = Loop::new(pool.shutdown());
    assert_eq!(driver.wakes(), 1);
    shutdown.finish();
    driver.finish();
    driver.finish();
}

#[test]
fn shutdowns_may_overlap_and_repeat() {
    let (pool, driver) = pool(1);
    let board = Board::new(1);
    let _handle = pool.execute(board.task(0)).unwrap();
    let mut waiting: Vec<_> = (0..5).map(|_| Loop::new(pool.shutdown())).collect();
    let mut drain = Loop::new(pool.drain());
    for shutdown in &mut waiting {
        assert!(shutdown.run().is_pending());
    }
    assert!(drain.run().is_pending());
    board.end(0, Ok(0));
    Loop::new(driver).finish();
    for shutdown in &mut waiting {
        assert_eq!(shutdown.wakes(), 1);
        shutdown.finish();
    }
    drain.finish();
    Loop::new(pool.shutdown()).finish();
    Loop::new(pool.drain()).finish();
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Closed
    );
}

#[test]
fn a_dropped_shutdown_stays_closed() {
    let (pool, driver) = pool(1);
    drop(pool.shutdown());
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(1) }).unwrap_err(),
        PoolError::Closed
    );
    Loop::new(driver).finish();
}

#[test]
fn dropping_all_clones_finishes_the_queue() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let clone = pool.clone();
    drop(pool);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    drop(clone);
    assert!(driver.run().is_pending());
    board.end(1, Ok(1));
    driver.finish();
    assert_eq!(
        handles.map(|handle| Loop::new(handle).finish()),
        [Ok(0), Ok(1)]
    );
}

#[test]
fn the_last_clone_wakes_the_driver() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    drop(pool);
    assert_eq!(driver.wakes(), 1);
    driver.finish();
}

#[test]
fn a_pool_ends_with_its_jobs() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(1);
    let (task, clone) = (board.task(0), pool.clone());
    let handle = pool.execute(async move {
        let result = task.await;
        let next = clone.execute(async { Ok::<_, ()>(1) });
        assert!(next.is_ok(), "the pool is open as long as somebody has it");
        result
    });
    drop(pool);
    assert!(driver.run().is_pending());
    board.end(0, Ok(0));
    driver.finish();
    assert_eq!(Loop::new(handle.unwrap()).finish(), Ok(0));
}

#[test]
fn jobs_holding_pools_do_not_leak() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let kept = Arc::new(());
    let mut handles = Vec::new();
    for _ in 0..4 {
        let (clone, kept) = (pool.clone(), kept.clone());
        handles.push(pool.execute(async move {
            std::future::pending::<()>().await;
            drop((clone, kept));
            Ok::<_, ()>(())
        }));
    }
    drop(pool);
    assert!(driver.run().is_pending());
    assert_eq!(Arc::strong_count(&kept), 5);
    drop(driver);
    assert_eq!(Arc::strong_count(&kept), 1);
    for handle in handles {
        assert_eq!(
            Loop::new(handle.unwrap()).finish(),
            Err(JobError::Abandoned)
        );
    }
}

#[test]
fn an_unused_pool_does_not_leak() {
    let (pool, driver) = pool(2);
    let kept = Arc::new(());
    let held = (pool.clone(), kept.clone());
    let _ = pool.execute(async move {
        drop(held);
        Ok::<_, ()>(())
    });
    drop(pool);
    drop(driver);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn waiting_for_room_ends_in_refusal() {
    let task = || async { Ok::<_, ()>(1) };
    for refusal in ["drain", "shutdown", "driver"] {
        let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
        let _handle = pool.execute(task()).unwrap();
        let mut waiting: Vec<_> = (0..3)
            .map(|_| Loop::new(pool.execute_when_room(task())))
            .collect();
        assert!(waiting.iter_mut().all(|waiting| waiting.run().is_pending()));
        let (drain, shutdown);
        let error = match refusal {
            "drain" => {
                drain = pool.drain();
                let _keep = &drain;
                PoolError::Draining
            }
            "shutdown" => {
                shutdown = pool.shutdown();
                let _keep = &shutdown;
                PoolError::Closed
            }
            _ => {
                drop(driver);
                PoolError::Abandoned
            }
        };
        for waiting in &mut waiting {
            assert_eq!(waiting.wakes(), 1, "{refusal}");
            assert_eq!(waiting.finish().unwrap_err(), error);
        }
    }
}
