//! The driver and its workers: wherever they run, and when they go.

use std::future::pending;
use std::sync::Arc;
use std::task::Poll;

use crate::support::{Board, Driver as Loop};
use abreast::{JobError, PoolError, pool};
#[cfg(panic = "unwind")]
use abreast::{Pool, PoolEvent};
use futures::executor::LocalPool;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ABANDONED: Result<usize, JobError<&str>> = Err(JobError::Abandoned);

#[test]
fn dropping_an_unpolled_driver_abandons_jobs() {
    let (pool, driver) = pool(2);
    let board = Board::new(3);
    let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
    let mut waiting = Loop::new(pool.drain());
    let mut shutdown = Loop::new(pool.shutdown());
    assert!(waiting.run().is_pending() && shutdown.run().is_pending());
    drop(driver);
    assert_eq!(board.alive(), 0);
    assert_eq!((waiting.wakes(), shutdown.wakes()), (1, 1));
    waiting.finish();
    shutdown.finish();
    assert_eq!(
        handles.map(|handle| Loop::new(handle).finish()),
        [ABANDONED; 3]
    );
    assert_eq!((pool.stats().total_abandoned, pool.queue_length()), (3, 0));
}

#[test]
fn dropping_a_driver_wakes_all_waiting() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(4);
    let mut handles: Vec<_> = (0..4)
        .map(|index| Loop::new(pool.execute(board.task(index)).unwrap()))
        .collect();
    assert!(handles.iter_mut().all(|handle| handle.run().is_pending()));
    let mut drain = Loop::new(pool.drain());
    assert!(driver.run().is_pending() && drain.run().is_pending());
    drop(driver);
    assert_eq!((board.alive(), drain.wakes()), (0, 1));
    drain.finish();
    for handle in &mut handles {
        assert_eq!(handle.wakes(), 1);
        assert_eq!(handle.finish(), ABANDONED);
    }
    assert_eq!(
        pool.execute(board.task(0)).unwrap_err(),
        PoolError::Abandoned
    );
    Loop::new(pool.drain()).finish();
    Loop::new(pool.shutdown()).finish();
    assert_eq!(pool.execute(board.task(0)).unwrap_err(), PoolError::Closed);
    let mut room = Loop::new(pool.execute_when_room(board.task(0)));
    assert_eq!(room.finish().unwrap_err(), PoolError::Closed);
}

#[test]
fn results_outlive_the_driver() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.run().is_pending());
    drop(driver);
    assert_eq!(Loop::new(handle).finish(), Ok(1));
}

#[test]
fn workers_run_one_job_each() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert_eq!(workers.len(), 3);
    let board = Board::new(5);
    let _handles = [0, 1, 2, 3].map(|index| pool.execute(board.task(index)).unwrap());
    for (busy, worker) in workers.iter_mut().enumerate() {
        assert_eq!(pool.active_workers(), busy);
        assert!(worker.run().is_pending());
    }
    assert_eq!((pool.active_workers(), pool.queue_length()), (3, 1));
    board.end(1, Ok(1));
    assert_eq!(
        workers.iter().map(Loop::wakes).collect::<Vec<_>>(),
        [0, 1, 0]
    );
    assert!(workers[1].run().is_pending());
    assert_eq!((board.polls(3), pool.queue_length()), (1, 0));
}

#[test]
fn a_submission_wakes_one_idle_worker() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    for woken in 1..=3 {
        drop(pool.execute(pending::<Result<(), ()>>()).unwrap());
        // `wakes` forgets, so each is looked at once, at the end of its round.
        let wakes: usize = workers.iter().map(Loop::wakes).sum();
        assert_eq!(wakes, 1, "submission {woken}");
    }
    drop(pool.execute(pending::<Result<(), ()>>()).unwrap());
    assert_eq!(
        workers.iter().map(Loop::wakes).sum::<usize>(),
        0,
        "nobody is idle"
    );
    for worker in &mut workers {
        assert!(worker.run().is_pending());
    }
    assert_eq!((pool.active_workers(), pool.queue_length()), (3, 1));
}

#[test]
fn the_last_worker_abandons_the_queue() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    let board = Board::new(5);
    let mut handles: Vec<_> = (0..5)
        .map(|index| Loop::new(pool.execute(board.task(index)).unwrap()))
        .collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());

    drop(workers.remove(0));
    assert_eq!(
        (board.dropped(), pool.active_workers(), pool.queue_length()),
        (1, 2, 2)
    );
    assert_eq!(handles[0].finish(), ABANDONED);
    assert!(handles[1].run().is_pending());

    board.end(1, Ok(1));
    assert!(workers[0].run().is_pending());
    assert_eq!(handles[1].finish(), Ok(1));
    assert_eq!(board.polls(3), 1);

    drop(workers.remove(0));
    assert_eq!(handles[3].finish(), ABANDONED);
    assert!(drain.run().is_pending() && handles[4].run().is_pending());
    drop(workers);
    assert_eq!(handles[2].finish(), ABANDONED);
    assert_eq!(handles[4].finish(), ABANDONED);
    drain.finish();
    assert_eq!(
        pool.execute(board.task(0)).unwrap_err(),
        PoolError::Abandoned
    );
    assert_eq!(pool.stats().total_abandoned, 4);
}

#[test]
fn a_dropped_worker_passes_wakes_on() {
    let (pool, driver) = pool(2);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    let woken = workers
        .iter()
        .position(|worker| worker.wakes() == 1)
        .unwrap();
    drop(workers.remove(woken));
    assert_eq!(workers[0].wakes(), 1);
    assert!(workers[0].run().is_pending());
    assert_eq!(Loop::new(handle).finish(), Ok(1));
}

#[test]
fn a_shutdown_ends_workers() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    let board = Board::new(1);
    let _handle = pool.execute(board.task(0)).unwrap();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    let mut shutdown = Loop::new(pool.shutdown());
    for idle in &mut workers[1..] {
        assert_eq!(idle.wakes(), 1);
        idle.finish();
    }
    assert!(workers[0].run().is_pending() && shutdown.run().is_pending());
    drop(workers.drain(1..));
    board.end(0, Ok(0));
    workers[0].finish();
    shutdown.finish();
}

#[test]
fn a_used_driver_splits_into_workers() {
    let (pool, driver) = pool(3);
    let mut driver = driver;
    let board = Board::new(6);
    let mut handles: Vec<_> = (0..2)
        .map(|index| pool.execute(board.task(index)).unwrap())
        .collect();
    let mut polled = Loop::new(&mut driver);
    assert!(polled.run().is_pending());
    drop(polled);
    // It is idle, with two jobs that stay with the first worker.
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    handles.extend((2..4).map(|index| pool.execute(board.task(index)).unwrap()));
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!([2, 3].map(|index| board.polls(index)), [1, 1]);
    handles.push(pool.execute(board.task(4)).unwrap());
    board.end(0, Ok(0));
    assert!(workers[0].run().is_pending());
    assert_eq!(board.polls(4), 0, "the first worker has more than one yet");
    board.end(1, Ok(1));
    assert!(workers[0].run().is_pending());
    assert_eq!(board.polls(4), 1);
}

#[test]
fn a_pool_runs_beside_a_future() {
    let (pool, mut driver) = pool(2);
    let board = Board::new(2);
    let handle = pool.execute(board.task(0)).unwrap();
    let mut beside = Loop::new(driver.run_until(handle));
    assert!(beside.run().is_pending());
    board.end(0, Ok(0));
    assert_eq!(beside.wakes(), 1);
    assert_eq!(beside.finish(), Ok(0));
    drop(beside);

    let mut left = pool.execute(board.task(1)).unwrap();
    let mut beside = Loop::new(driver.run_until(crate::support::yield_now()));
    beside.finish();
    drop(beside);
    assert_eq!(pool.active_workers(), 1, "what runs stays as it is");
    board.end(1, Ok(1));
    assert_eq!(Loop::new(driver.run_until(&mut left)).finish(), Ok(1));
    let mut closing = Loop::new(driver.run_until(pool.shutdown()));
    closing.finish();
}

#[test]
fn run_until_outlives_the_pool() {
    let (pool, mut driver) = pool(2);
    drop(pool);
    let mut beside = Loop::new(driver.run_until(async {
        crate::support::yield_times(3).await;
        1
    }));
    assert_eq!(beside.run(), Poll::Ready(1));
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn drivers_spawn_on_any_executor() {
    let threads = futures::executor::ThreadPool::builder()
        .pool_size(2)
        .create()
        .unwrap();
    let (shared, driver) = pool(2);
    driver.spawn_on(&threads).unwrap();
    let handle = shared.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert_eq!(smol::block_on(handle), Ok(1));

    let mut executor = LocalPool::new();
    let (local, driver) = abreast::local_pool(2);
    driver.spawn_on(&executor.spawner()).unwrap();
    let handle = local
        .execute(async { Ok::<_, ()>(std::rc::Rc::new(1)) })
        .unwrap();
    assert_eq!(*executor.run_until(handle).unwrap(), 1);
    let (shared, driver) = pool(2);
    driver.spawn_local_on(&executor.spawner()).unwrap();
    let handle = shared.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert_eq!(executor.run_until(handle), Ok(1));
}

#[test]
fn a_dead_executor_abandons_jobs() {
    let executor = LocalPool::new();
    let spawner = executor.spawner();
    drop(executor);
    let (pool, driver) = pool(2);
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.spawn_on(&spawner).unwrap_err().is_shutdown());
    assert_eq!(Loop::new(handle).finish(), Err(JobError::Abandoned));
}

#[test]
fn a_pool_keeps_no_driver_alive() {
    let (pool, driver) = pool(2);
    let mut executor = LocalPool::new();
    driver.spawn_on(&executor.spawner()).unwrap();
    let kept = Arc::new(());
    let held = kept.clone();
    let handle = pool.execute(async move {
        pending::<()>().await;
        drop(held);
        Ok::<_, ()>(1)
    });
    executor.run_until_stalled();
    assert_eq!(Arc::strong_count(&kept), 2);
    drop(executor);
    assert_eq!(Arc::strong_count(&kept), 1);
    assert_eq!(
        Loop::new(handle.unwrap()).finish(),
        Err(JobError::Abandoned)
    );
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn submissions_race_with_driver_drops() {
    for round in 0..40 {
        let (pool, driver) = pool(2);
        let submitters: Vec<_> = (0..3)
            .map(|_| {
                let pool = pool.clone();
                std::thread::spawn(move || {
                    let mut handles = Vec::new();
                    let error = loop {
                        match pool.execute(async { Ok::<_, ()>(1) }) {
                            Ok(handle) => handles.push(handle),
                            Err(error) => break error,
                        }
                    };
                    assert_eq!(error, PoolError::Abandoned);
                    for handle in handles {
                        let result = smol::block_on(handle);
                        assert!(matches!(result, Ok(1) | Err(JobError::Abandoned)));
                    }
                })
            })
            .collect();
        let mut driver = Loop::new(driver);
        for _ in 0..round % 8 {
            assert!(driver.poll().is_pending());
        }
        drop(driver);
        for submitter in submitters {
            submitter.join().unwrap();
        }
        let stats = pool.stats();
        assert_eq!(
            stats.total_accepted,
            stats.total_executed + stats.total_abandoned
        );
        smol::block_on(pool.drain());
    }
}

/// One that never ends, and more than one poll of the driver runs. Then the driver is split.
#[test]
fn endless_jobs_hold_up_no_other() {
    let (pool, mut driver) = pool(4);
    let _endless = pool.execute(pending::<Result<(), ()>>()).unwrap();
    let handles: Vec<_> = (0..600)
        .map(|n| pool.execute(async move { Ok::<_, ()>(n) }).unwrap())
        .collect();
    let mut polled = Loop::new(&mut driver);
    assert!(polled.poll().is_pending());
    drop(polled);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    for _ in 0..10 {
        assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    }
    assert!(handles.iter().all(abreast::JobHandle::is_finished));
}

#[test]
fn a_dropped_worker_takes_nothing_unstarted() {
    let (pool, driver) = pool(2);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    for n in 0..256 {
        drop(pool.execute(async move { Ok::<_, ()>(n) }).unwrap());
    }
    let board = Board::new(1);
    let last = pool.execute(board.task(0)).unwrap();
    assert!(workers[0].poll().is_pending());
    assert_eq!(board.polls(0), 0, "it was not started");
    drop(workers.remove(0));
    board.end(0, Ok(7));
    assert!(workers[0].run().is_pending());
    assert_eq!(Loop::new(last).finish(), Ok::<_, JobError<_>>(7));
}

/// What a hook does when a job has ended may take as long as it likes: other workers are there for what is next.
#[cfg(not(target_family = "wasm"))]
#[test]
fn idle_workers_replace_blocked_ones() {
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    let (begun, seen) = mpsc::channel();
    let (blocked, is_blocked) = mpsc::channel();
    let seen = Mutex::new(seen);
    let (pool, driver) = Pool::builder()
        .worker_count(2)
        .on_event(move |event| match event {
            PoolEvent::Started { id: 1, .. } => begun.send(()).unwrap(),
            PoolEvent::Ended { id: 0, .. } => {
                blocked.send(()).unwrap();
                let other = seen.lock().unwrap().recv_timeout(Duration::from_secs(10));
                assert!(other.is_ok(), "the second job did not start");
            }
            _ => {}
        })
        .build();
    let mut workers = driver.into_workers();
    let (second, mut first) = (workers.remove(1), Loop::new(workers.remove(0)));
    let _handles = [0, 1].map(|n| pool.execute(async move { Ok::<_, ()>(n) }).unwrap());
    let thread = std::thread::spawn(move || {
        is_blocked.recv().unwrap();
        smol::block_on(second);
    });
    assert!(first.run().is_pending());
    drop(pool);
    thread.join().unwrap();
}

/// The hook panics when a job starts, and the driver is split with its first worker busy.
#[cfg(panic = "unwind")]
#[test]
fn a_panicking_hook_strands_no_job() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let (pool, mut driver) = Pool::builder()
        .worker_count(2)
        .on_event(|event| assert!(!matches!(event, PoolEvent::Started { id: 1, .. })))
        .build();
    let board = Board::new(2);
    let _handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    let mut polled = Loop::new(&mut driver);
    assert!(catch_unwind(AssertUnwindSafe(|| polled.poll())).is_err());
    drop(polled);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!([0, 1].map(|index| board.polls(index)), [1, 1]);
}
