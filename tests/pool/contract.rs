//! What a pool promises to whoever submits: results, order, the limit, the figures.

use std::error::Error;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use crate::support::{Board, Driver as Loop};
use abreast::{JobError, JobHandle, Pool, PoolError, PoolEvent, PoolOptions, local_pool, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Handle = JobHandle<usize, &'static str>;

fn submit(pool: &Pool, board: &Board, count: usize) -> Vec<Handle> {
    (0..count)
        .map(|index| pool.execute(board.task(index)).unwrap())
        .collect()
}

#[test]
fn handles_resolve_to_what_jobs_return() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let handles = submit(&pool, &board, 3);
    board.end(2, Ok(2));
    board.end(0, Err("no"));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    let results: Vec<_> = handles
        .into_iter()
        .map(|handle| Loop::new(handle).finish())
        .collect();
    assert_eq!(results, [Err(JobError::Failed("no")), Ok(1), Ok(2)]);
}

#[test]
fn jobs_start_in_order_of_acceptance() {
    let (pool, driver) = pool(3);
    let mut driver = Loop::new(driver);
    let board = Board::new(10);
    let handles = submit(&pool, &board, 10);
    assert!(handles.iter().map(JobHandle::id).eq(0..10));
    assert_eq!(
        board.total_polls(),
        0,
        "nothing runs before the driver is polled"
    );
    assert_eq!((pool.queue_length(), pool.active_workers()), (10, 0));

    assert!(driver.run().is_pending());
    assert_eq!((pool.queue_length(), pool.active_workers()), (7, 3));
    assert_eq!([0, 1, 2, 3].map(|index| board.polls(index)), [1, 1, 1, 0]);

    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(
        [0, 1, 2, 3, 4].map(|index| board.polls(index)),
        [1, 2, 1, 1, 0]
    );
    assert_eq!((pool.queue_length(), pool.active_workers()), (6, 3));
}

#[test]
fn one_poll_at_start_per_wake() {
    let (pool, driver) = pool(100);
    let mut driver = Loop::new(driver);
    let board = Board::new(100);
    let _handles = submit(&pool, &board, 100);
    assert!(driver.run().is_pending());
    assert_eq!(board.total_polls(), 100);
    for index in 0..100 {
        board.end(index, Ok(index));
    }
    assert!(driver.run().is_pending());
    assert_eq!(board.total_polls(), 200);
    assert_eq!(board.alive(), 0);
}

#[test]
fn submissions_wake_an_idle_driver_once() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    assert_eq!(driver.wakes(), 0);
    let board = Board::new(3);
    let _handles = submit(&pool, &board, 3);
    assert_eq!(driver.wakes(), 1);
    assert!(driver.run().is_pending());
    assert_eq!(pool.active_workers(), 2);
}

#[test]
fn a_handle_wakes_its_last_poller() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(1);
    let mut handle = submit(&pool, &board, 1).pop().unwrap();
    let mut first = Loop::new(&mut handle);
    assert!(first.poll().is_pending());
    assert!(first.poll().is_pending());
    let waker = first.waker().clone();
    drop(first);
    let mut second = Loop::new(&mut handle);
    assert!(second.poll().is_pending());
    board.end(0, Ok(5));
    assert!(driver.run().is_pending());
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.finish(), Ok(5));
    drop(waker);
}

#[test]
fn a_dropped_handle_stops_nothing() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let mut handles = submit(&pool, &board, 3);
    drop(handles.remove(2));
    assert!(driver.run().is_pending());
    drop(handles.remove(1));
    for index in 0..3 {
        board.end(index, Ok(index));
    }
    assert!(driver.run().is_pending());
    drop(handles);
    assert_eq!((board.dropped(), pool.stats().total_succeeded), (3, 3));
}

#[test]
fn unclaimed_outputs_are_dropped_by_workers() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let output = Arc::new(());
    let returned = output.clone();
    drop(pool.execute(async move { Ok::<_, ()>(returned) }).unwrap());
    assert!(driver.run().is_pending());
    assert_eq!(Arc::strong_count(&output), 1);
}

#[cfg(panic = "unwind")]
#[test]
fn the_figures_tell_all_that_happened() {
    let (pool, driver) = pool(3);
    let mut driver = Loop::new(driver);
    let board = Board::new(7);
    let handles = submit(&pool, &board, 7);
    board.end(0, Ok(0));
    board.end(1, Err("no"));
    handles[2].cancel();
    handles[6].cancel();
    let _panics = pool
        .execute(async { if true { panic!("it") } else { Ok::<(), ()>(()) } })
        .unwrap();
    assert!(driver.run().is_pending());
    board.end(3, Ok(3));
    assert!(driver.run().is_pending());
    board.end(4, Ok(3));
    assert!(driver.run().is_pending());
    let stats = pool.stats();
    assert_eq!(
        (
            stats.total_accepted,
            stats.total_executed,
            stats.total_abandoned
        ),
        (8, 7, 0)
    );
    assert_eq!((stats.total_succeeded, stats.total_failed), (3, 1));
    assert_eq!((stats.total_cancelled, stats.total_panicked), (2, 1));
    assert_eq!(
        (stats.queue_length, stats.active_workers, stats.worker_count),
        (0, 1, 3)
    );
    assert_eq!(
        (
            pool.queue_length(),
            pool.active_workers(),
            pool.worker_count()
        ),
        (0, 1, 3)
    );
    drop(driver);
    assert_eq!(
        (pool.stats().total_abandoned, pool.active_workers()),
        (1, 0)
    );
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn jobs_count_before_their_handles_resolve() {
    let (pool, driver) = pool(1);
    let threads: Vec<_> = driver
        .into_workers()
        .into_iter()
        .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
        .collect();
    for done in 1..=2000 {
        let handle = pool.execute(async { Ok::<_, ()>(()) }).unwrap();
        // Spins, to come across the moment at which the outcome is published.
        while !handle.is_finished() {
            std::hint::spin_loop();
        }
        assert_eq!(pool.stats().total_succeeded, done);
    }
    drop(pool);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_job_may_submit_others() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let inner = pool.clone();
    let outer = pool.execute(async move {
        let handle = inner.execute(async { Ok::<_, ()>(7) }).map_err(|_| ())?;
        drop(inner);
        Ok::<_, ()>(handle)
    });
    drop(pool);
    driver.finish();
    let inner = Loop::new(outer.unwrap()).finish().unwrap();
    assert_eq!(Loop::new(inner).finish(), Ok(7));
}

#[test]
fn local_builders_keep_their_settings() {
    let (pool, _driver) = Pool::builder().worker_count(3).local().build();
    assert_eq!(pool.worker_count(), 3);
}

#[test]
fn a_local_pool_takes_local_tasks() {
    let (pool, driver) = local_pool(2);
    let mut driver = Loop::new(driver);
    let log = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    for n in 0..5 {
        let log = log.clone();
        drop(pool.execute(async move {
            crate::support::yield_now().await;
            log.borrow_mut().push(n);
            Ok::<_, ()>(log)
        }));
    }
    assert!(driver.run().is_pending());
    assert_eq!((pool.stats().total_succeeded, pool.worker_count()), (5, 2));
    assert_eq!(log.take(), [0, 1, 2, 3, 4]);
    drop(pool);
    driver.finish();
}

#[test]
fn hooks_learn_of_starts_and_ends() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let hook = log.clone();
    let (pool, driver) = Pool::builder()
        .worker_count(1)
        .on_event(move |event| {
            let line = match event {
                PoolEvent::Started { id, .. } => format!("{id} started"),
                PoolEvent::Ended { id, outcome, .. } => format!("{id} {outcome:?}"),
                _ => unreachable!(),
            };
            hook.lock().unwrap().push(line);
        })
        .build();
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let handles = submit(&pool, &board, 3);
    board.end(0, Ok(0));
    board.end(1, Err("no"));
    handles[2].cancel();
    assert!(driver.run().is_pending());
    assert_eq!(
        *log.lock().unwrap(),
        [
            "2 Cancelled",
            "0 started",
            "0 Succeeded",
            "1 started",
            "1 Failed"
        ]
    );
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_hook_loses_nothing() {
    let (pool, driver) = Pool::builder()
        .worker_count(1)
        .on_event(|event| match event {
            PoolEvent::Started { id: 0, .. } | PoolEvent::Ended { id: 0, .. } => panic!("hook"),
            _ => {}
        })
        .build();
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let handles = submit(&pool, &board, 2);
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(catch_unwind(AssertUnwindSafe(|| driver.poll())).is_err());
    assert_eq!((board.total_polls(), pool.active_workers()), (0, 1));
    assert!(catch_unwind(AssertUnwindSafe(|| driver.poll())).is_err());
    assert!(driver.run().is_pending());
    let results: Vec<_> = handles
        .into_iter()
        .map(|handle| Loop::new(handle).finish())
        .collect();
    assert_eq!(results, [Ok(0), Ok(1)]);
    assert_eq!(
        (pool.stats().total_succeeded, pool.active_workers()),
        (2, 0)
    );
}

#[test]
fn local_hooks_need_no_send() {
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let hook = count.clone();
    let (pool, driver) = Pool::builder()
        .local()
        .on_event(move |_| hook.set(hook.get() + 1))
        .build();
    drop(pool.execute(async { Ok::<_, ()>(()) }));
    drop(pool);
    Loop::new(driver).finish();
    assert_eq!(count.get(), 2);
}

#[cfg(panic = "unwind")]
#[test]
fn limits_of_zero_panic() {
    fn message(f: impl FnOnce()) -> String {
        let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
        payload.downcast_ref::<&str>().unwrap().to_string()
    }
    assert!(message(|| drop(pool(0))).contains("pass at least 1"));
    assert!(message(|| drop(local_pool(0))).contains("pass at least 1"));
    assert!(message(|| drop(Pool::builder().worker_count(0))).contains("pass at least 1"));
    assert!(message(|| drop(Pool::builder().queue_capacity(0))).contains("pass at least 1"));
    let mut options = PoolOptions::new();
    options.worker_count = 0;
    assert!(message(|| drop(Pool::builder().options(options))).contains("pass at least 1"));
}

#[test]
fn options_replace_all_settings() {
    const SMALL: PoolOptions = PoolOptions::new().worker_count(2).queue_capacity(1);
    let (small, _driver) = Pool::builder().worker_count(7).options(SMALL).build();
    assert_eq!(small.worker_count(), 2);
    let _first = small.execute(async { Ok::<_, ()>(1) }).unwrap();
    let refused = small.execute(async { Ok::<_, ()>(2) });
    assert_eq!(refused.unwrap_err(), PoolError::Full);

    let (usual, _driver) = Pool::builder()
        .queue_capacity(1)
        .options(PoolOptions::default())
        .build();
    assert_eq!(usual.worker_count(), 5);
    for n in 0..100 {
        drop(usual.execute(async move { Ok::<_, ()>(n) }).unwrap());
    }
}

#[test]
fn errors_are_errors() {
    fn is_error<T: Error + Send + Sync + 'static>() {}
    is_error::<PoolError>();
    is_error::<JobError<std::io::Error>>();
    let error = JobError::Failed(std::io::Error::other("refused"));
    assert_eq!(error.source().unwrap().to_string(), "refused");
    assert!(JobError::<std::io::Error>::Cancelled.source().is_none());
}

#[test]
fn parts_are_send_and_sync() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Pool>();
    is_sync::<Pool>();
    is_send::<abreast::Driver>();
    is_send::<abreast::pool::Worker>();
    is_send::<Handle>();
    is_sync::<Handle>();
    is_send::<abreast::pool::Drain>();
    is_send::<abreast::pool::Shutdown>();
    is_send::<abreast::pool::ExecuteWhenRoom<usize, ()>>();
    is_send::<abreast::pool::RunUntil<'static, std::future::Ready<()>>>();
}

#[test]
#[should_panic(expected = "polled after it had resolved")]
fn polling_a_resolved_handle_panics() {
    let (pool, driver) = pool(1);
    let mut handle = Loop::new(pool.execute(async { Ok::<_, ()>(1) }).unwrap());
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(handle.poll(), Poll::Ready(Ok(1)));
    let _ = handle.poll();
}
