//! A queue with a capacity.

use crate::support::{Board, Driver as Loop};
use abreast::pool::ExecuteWhenRoom;
use abreast::{Driver, Pool, PoolError};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_full_queue_refuses_jobs() {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(2).build();
    let mut driver = Loop::new(driver);
    let board = Board::new(4);
    let _handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert_eq!(pool.execute(board.task(2)).unwrap_err(), PoolError::Full);
    assert_eq!(board.dropped(), 1, "the refused task is dropped");
    assert!(driver.run().is_pending());
    assert!(
        pool.execute(board.task(2)).is_ok(),
        "what runs needs no room"
    );
    assert_eq!(pool.execute(board.task(3)).unwrap_err(), PoolError::Full);
}

#[test]
fn waiting_submissions_enter_one_by_one() {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
    let mut driver = Loop::new(driver);
    let board = Board::new(5);
    let _handles = [0].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    let mut waiting: Vec<_> = (1..5)
        .map(|index| Loop::new(pool.execute_when_room(board.task(index))))
        .collect();
    let mut handles = Vec::new();
    for (turn, submission) in waiting.iter_mut().enumerate() {
        assert_eq!(submission.run().is_ready(), turn == 0);
    }
    waiting.remove(0);
    for turn in 0..3 {
        board.end(turn, Ok(turn));
        assert!(driver.run().is_pending());
        let woken: Vec<_> = waiting.iter().map(Loop::wakes).collect();
        assert_eq!(woken.iter().sum::<usize>(), 1, "one at a time");
        assert_eq!(woken[0], 1, "in the order in which they came");
        handles.push(waiting.remove(0).finish().unwrap());
        assert_eq!(pool.queue_length(), 1);
    }
    board.end(3, Ok(3));
    board.end(4, Ok(4));
    assert!(driver.run().is_pending());
    for (handle, value) in handles.into_iter().zip(2..) {
        assert_eq!(Loop::new(handle).finish(), Ok(value));
    }
}

#[test]
fn room_for_several_lets_several_in() {
    let (pool, driver) = Pool::builder().worker_count(2).queue_capacity(2).build();
    let mut driver = Loop::new(driver);
    let task = || async { Ok::<_, ()>(1) };
    let _handles = [pool.execute(task()).unwrap(), pool.execute(task()).unwrap()];
    let mut waiting = [(); 2].map(|()| Loop::new(pool.execute_when_room(task())));
    assert!(waiting.iter_mut().all(|waiting| waiting.run().is_pending()));
    assert!(driver.run().is_pending());
    for waiting in &mut waiting {
        assert_eq!(waiting.wakes(), 1);
        assert!(waiting.finish().is_ok());
    }
}

#[test]
fn a_cancelled_job_leaves_its_room() {
    let (pool, _driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
    let task = || async { Ok::<_, ()>(1) };
    let handle = pool.execute(task()).unwrap();
    let mut waiting = Loop::new(pool.execute_when_room(task()));
    assert!(waiting.run().is_pending());
    handle.cancel();
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.finish().is_ok());
}

#[test]
fn a_dropped_submission_passes_room_on() {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let _handle = pool.execute(board.task(0)).unwrap();
    let mut first = Loop::new(pool.execute_when_room(board.task(1)));
    let mut second = Loop::new(pool.execute_when_room(board.task(2)));
    assert!(first.run().is_pending() && second.run().is_pending());
    assert!(driver.run().is_pending());
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert!(board.is_dropped(1));
    assert_eq!(second.wakes(), 1);
    assert!(second.finish().is_ok());
}

#[test]
fn a_waiting_submission_keeps_pools_open() {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
    let mut driver = Loop::new(driver);
    let task = || async { Ok::<_, ()>(1) };
    let _handle = pool.execute(task()).unwrap();
    let mut waiting = Loop::new(pool.execute_when_room(task()));
    drop(pool);
    assert!(waiting.run().is_pending());
    assert!(driver.run().is_pending());
    let handle = waiting.finish().unwrap();
    drop(waiting);
    driver.finish();
    assert_eq!(Loop::new(handle).finish(), Ok(1));
}

type Waiting = ExecuteWhenRoom<usize, &'static str>;

/// Returns one worker that is busy, a full queue, and two that wait for room.
fn crowded(board: &Board) -> (Pool, Loop<Driver>, [Loop<Waiting>; 2]) {
    let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
    let mut driver = Loop::new(driver);
    drop(pool.execute(board.task(0)).unwrap());
    assert!(driver.run().is_pending());
    drop(pool.execute(board.task(1)).unwrap());
    let mut waiting = [2, 3].map(|index| Loop::new(pool.execute_when_room(board.task(index))));
    assert!(waiting.iter_mut().all(|waiting| waiting.run().is_pending()));
    (pool, driver, waiting)
}

#[test]
fn barging_in_costs_nobody_its_place() {
    let board = Board::new(5);
    let (pool, mut driver, [mut first, mut second]) = crowded(&board);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    let _barged = pool.execute(board.task(4)).unwrap();
    assert!(first.run().is_pending());
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert!(second.run().is_pending(), "the room is for the first");
    assert!(first.finish().is_ok());
    board.end(4, Ok(4));
    assert!(driver.run().is_pending());
    assert_eq!(second.wakes(), 1);
    assert!(second.finish().is_ok());
}

#[test]
fn newcomers_wait_behind_those_who_wait() {
    let board = Board::new(5);
    let (pool, mut driver, [mut first, second]) = crowded(&board);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    let mut newcomer = Loop::new(pool.execute_when_room(board.task(4)));
    assert!(newcomer.run().is_pending(), "the room is for the first");
    assert!(first.finish().is_ok());
    drop(second);
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(newcomer.wakes(), 1);
    assert!(newcomer.finish().is_ok());
}

#[test]
fn dropping_a_woken_waiter_wakes_another() {
    let board = Board::new(4);
    let (_pool, mut driver, [first, mut second]) = crowded(&board);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(second.wakes(), 0);
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.finish().is_ok());
}
