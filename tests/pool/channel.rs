//! Pools of one kind of job, sent through a channel.

use std::cell::RefCell;

use crate::support::{Board, Driver as Loop, yield_now};
use abreast::channel_pool;
use futures::future::FusedFuture;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn jobs_run_in_order_within_limits() {
    let board = Board::new(6);
    let (jobs, driver) = channel_pool(2, 3, |index| {
        let task = board.task(index);
        async move {
            let _ = task.await;
        }
    });
    let mut driver = Loop::new(driver);
    (0..3).for_each(|index| jobs.try_send(index).unwrap());
    assert!(jobs.try_send(3).is_err(), "the channel is full");
    assert!(driver.run().is_pending());
    assert_eq!((board.created(), jobs.len()), (2, 1));
    jobs.try_send(3).unwrap();
    assert_eq!(driver.wakes(), 0, "all workers are busy");
    board.end(1, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!([0, 1, 2, 3].map(|index| board.polls(index)), [1, 2, 1, 0]);
}

#[test]
fn it_ends_when_senders_are_gone() {
    let board = Board::new(2);
    let (jobs, driver) = channel_pool(1, 3, |index| {
        let task = board.task(index);
        async move {
            let _ = task.await;
        }
    });
    let mut driver = Loop::new(driver);
    (0..2).for_each(|index| jobs.clone().try_send(index).unwrap());
    drop(jobs);
    assert!(driver.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending() && !driver.future.is_terminated());
    board.end(1, Ok(0));
    driver.finish();
    driver.finish();
    assert!(driver.future.is_terminated());
}

#[test]
fn a_closed_channel_is_finished() {
    let log = RefCell::new(Vec::new());
    let (jobs, driver) = channel_pool(1, 3, |n| {
        log.borrow_mut().push(n);
        yield_now()
    });
    (0..3).for_each(|n| jobs.try_send(n).unwrap());
    jobs.close();
    Loop::new(driver).finish();
    assert_eq!(log.into_inner(), [0, 1, 2]);
}

#[test]
fn a_message_wakes_an_idle_driver() {
    let (jobs, driver) = channel_pool(2, 3, |()| yield_now());
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    jobs.try_send(()).unwrap();
    assert_eq!(driver.wakes(), 1);
    assert!(driver.run().is_pending());
    drop(jobs);
    assert_eq!(driver.wakes(), 1);
    driver.finish();
}

#[test]
fn a_dropped_driver_drops_all_jobs() {
    let board = Board::new(3);
    let (jobs, driver) = channel_pool(1, 3, |task: crate::support::Task| async move {
        let _ = task.await;
    });
    let mut driver = Loop::new(driver);
    for task in board.tasks() {
        jobs.try_send(task).unwrap();
    }
    assert!(driver.run().is_pending());
    drop(driver);
    assert_eq!(board.alive(), 0);
    assert!(jobs.is_closed() && jobs.is_empty());
    let mut send = Loop::new(jobs.send(board.task(0)));
    assert!(send.finish().is_err());
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_passes_and_others_run() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let done = RefCell::new(Vec::new());
    let (jobs, driver) = channel_pool(2, 5, |n| {
        assert_ne!(n, 0, "in the handler");
        let done = &done;
        async move {
            yield_now().await;
            assert_ne!(n, 1, "in the job");
            done.borrow_mut().push(n);
        }
    });
    let mut driver = Loop::new(driver);
    (0..4).for_each(|n| jobs.try_send(n).unwrap());
    drop(jobs);
    let mut panics = 0;
    while !driver.future.is_terminated() {
        panics += usize::from(catch_unwind(AssertUnwindSafe(|| driver.run())).is_err());
    }
    drop(driver);
    assert_eq!((panics, done.into_inner()), (2, vec![2, 3]));
}

/// A driver that was polled listens to the channel. Split, its busy first worker must not keep a wake to itself.
#[test]
fn a_used_driver_splits() {
    let board = Board::new(3);
    let source = board.clone();
    let (jobs, driver) = channel_pool(3, 5, move |index| {
        let task = source.task(index);
        async move {
            let _ = task.await;
        }
    });
    let mut driver = Loop::new(driver);
    jobs.try_send(0).unwrap();
    assert!(driver.run().is_pending());
    let driver = *std::pin::Pin::into_inner(driver.future);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert_eq!(workers.len(), 3);
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    (1..3).for_each(|index| jobs.try_send(index).unwrap());
    let wakes: Vec<_> = workers.iter().map(Loop::wakes).collect();
    assert_eq!(wakes, [0, 1, 1]);
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!([0, 1, 2].map(|index| board.polls(index)), [1, 1, 1]);
    drop(workers.remove(0));
    assert!(!jobs.is_closed());
    drop(workers);
    assert!(jobs.is_closed());
}

#[cfg(panic = "unwind")]
#[test]
fn limits_of_zero_panic() {
    use std::panic::catch_unwind;

    let message = |workers, capacity| {
        let made = catch_unwind(|| drop(channel_pool(workers, capacity, |()| async {})));
        made.unwrap_err()
            .downcast_ref::<&str>()
            .unwrap()
            .to_string()
    };
    assert!(message(0, 1).contains("pass at least 1"));
    assert!(message(1, 0).contains("pass at least 1"));
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn workers_spread_over_threads() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let sum = Arc::new(AtomicUsize::new(0));
    let total = sum.clone();
    let (jobs, driver) = channel_pool(4, 10, move |n| {
        let sum = sum.clone();
        async move {
            smol::future::yield_now().await;
            sum.fetch_add(n, Ordering::Relaxed);
        }
    });
    let threads: Vec<_> = driver
        .into_workers()
        .into_iter()
        .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
        .collect();
    for n in 1..=10_000 {
        jobs.send_blocking(n).unwrap();
    }
    drop(jobs);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(total.load(Ordering::Relaxed), 50_005_000);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn the_last_worker_empties_the_channel() {
    use crate::support::Tally;

    for _ in 0..200 {
        let tally = Tally::default();
        let (jobs, driver) = channel_pool(2, 10, |_: crate::support::Counted| yield_now());
        (0..10).for_each(|_| jobs.try_send(tally.make()).unwrap());
        let threads: Vec<_> = driver
            .into_workers()
            .into_iter()
            .map(|worker| std::thread::spawn(move || drop(worker)))
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!((tally.dropped(), jobs.is_closed()), (10, true));
    }
}
