//! Jobs that come in a row, more than a few: nothing tells them from those that come alone.

use std::sync::mpsc;

use crate::support::{Board, Driver as Loop};
use abreast::{JobError, JobHandle, Pool, PoolError, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// More than what the pool takes for a few.
const MANY: usize = 50;

fn submit(pool: &Pool, board: &Board, jobs: usize) -> Vec<JobHandle<usize, &'static str>> {
    (0..jobs)
        .map(|index| pool.execute(board.task(index)).unwrap())
        .collect()
}

#[test]
fn many_start_in_order() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let (started, log) = mpsc::channel();
    let submit = |urgent: bool| {
        let started = started.clone();
        let pool = if urgent {
            pool.with_priority(1)
        } else {
            pool.clone()
        };
        let handle = pool.execute(async move { started.send(urgent) }).unwrap();
        handle.id()
    };
    let ids: Vec<_> = (0..MANY).map(|_| submit(false)).collect();
    assert!(ids.into_iter().eq(0..MANY as u64));
    assert_eq!(submit(true), MANY as u64);
    assert!(driver.run().is_pending());
    let mut log = log.try_iter();
    assert_eq!(log.next(), Some(true), "the urgent one goes first");
    assert!(log.eq([false; MANY]));
}

#[test]
fn each_of_many_is_counted_at_once() {
    let (pool, driver) = pool(MANY);
    let mut driver = Loop::new(driver);
    let board = Board::new(2 * MANY);
    for index in 0..MANY {
        drop(pool.execute(board.task(index)).unwrap());
        assert_eq!(pool.queue_length(), index + 1);
    }
    assert!(driver.run().is_pending());
    let _handles = submit(&pool, &board, MANY);
    let stats = pool.stats();
    assert_eq!((stats.queue_length, stats.active_workers), (MANY, MANY));
    assert_eq!(stats.total_accepted, 2 * MANY as u64);
}

#[test]
fn each_of_many_wakes_an_idle_worker() {
    let (pool, driver) = pool(MANY);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    let board = Board::new(MANY);
    let _handles = submit(&pool, &board, MANY);
    assert!(workers.iter().all(|worker| worker.wakes() == 1));
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!((pool.active_workers(), pool.queue_length()), (MANY, 0));
}

#[test]
fn many_fill_a_queue_to_the_last_place() {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(MANY).build();
    let mut driver = Loop::new(driver);
    let board = Board::new(2 * MANY);
    let _handles = submit(&pool, &board, MANY);
    assert_eq!(pool.execute(board.task(0)).unwrap_err(), PoolError::Full);
    let mut waiting = Loop::new(pool.execute_when_room(board.task(MANY)));
    assert!(waiting.run().is_pending());
    assert!(driver.run().is_pending());
    assert_eq!(waiting.wakes(), 1);
    let _last = waiting.finish().unwrap();
    assert_eq!(pool.execute(board.task(0)).unwrap_err(), PoolError::Full);
    assert_eq!(pool.queue_length(), MANY);
}

#[test]
fn any_of_many_is_cancelled_at_once() {
    let (pool, driver) = pool(1);
    let board = Board::new(MANY);
    let mut handles = submit(&pool, &board, MANY);
    for (cancelled, handle) in handles.drain(MANY / 2..).rev().enumerate() {
        handle.cancel();
        assert_eq!(Loop::new(handle).finish(), Err(JobError::Cancelled));
        assert_eq!(pool.queue_length(), MANY - cancelled - 1);
    }
    assert_eq!(board.dropped(), MANY / 2);
    drop(driver);
    for handle in handles {
        assert_eq!(Loop::new(handle).finish(), Err(JobError::Abandoned));
    }
    assert_eq!(pool.stats().total_abandoned, (MANY / 2) as u64);
}

#[test]
fn a_drain_waits_for_many() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(MANY);
    let handles = submit(&pool, &board, MANY);
    let mut drain = Loop::new(pool.drain());
    assert_eq!(
        pool.execute(board.task(0)).unwrap_err(),
        PoolError::Draining
    );
    for index in 0..MANY {
        assert!(driver.run().is_pending() && drain.run().is_pending());
        board.end(index, Ok(index));
    }
    assert!(driver.run().is_pending());
    drain.finish();
    for (index, handle) in handles.into_iter().enumerate() {
        assert_eq!(Loop::new(handle).finish(), Ok(index));
    }
    let _again = submit(&pool, &Board::new(MANY), MANY);
    let _shutdown = pool.shutdown();
    assert_eq!(pool.execute(board.task(0)).unwrap_err(), PoolError::Closed);
}
