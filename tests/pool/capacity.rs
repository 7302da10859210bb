//! A queue with a capacity.

use crate::support::{Board, Driver as Loop};
use abreast::{Pool, PoolError};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_full_queue_refuses_what_does_not_wait() {
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
fn waiting_submissions_get_in_one_by_one_as_there_is_room() {
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
        let woken: Vec<_> = waiting.iter().map(crate::support::Driver::wakes).collect();
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
fn a_cancelled_operation_leaves_its_room_to_others() {
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
fn a_dropped_submission_passes_its_room_on_and_drops_its_task() {
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
fn a_submission_that_waits_keeps_the_pool_open() {
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
