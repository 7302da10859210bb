//! Allocations, counted.

use std::future::Future;
use std::pin::Pin;

use crate::counting::{allocations, usage_of};
use crate::support::{Driver as Loop, yield_now};
use abreast::{Pool, local_pool, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn two_allocations_for_each_job() {
    const COUNT: usize = 1000;

    // Whether the pool is idle before each job,
    let (ping, driver) = pool(8);
    let mut driver = Loop::new(driver);
    let mut one = |pool: &abreast::Pool| {
        let mut handle = std::pin::pin!(
            pool.execute(async {
                yield_now().await;
                Ok::<_, ()>([0_u8; 100])
            })
            .unwrap()
        );
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(handle.as_mut().poll(&mut cx).is_pending());
        assert!(driver.run().is_pending());
        assert!(handle.as_mut().poll(&mut cx).is_ready());
    };
    one(&ping);
    let count = allocations(|| (0..COUNT).for_each(|_| one(&ping)));
    assert_eq!(count, 2 * COUNT);

    // ... or has a queue,
    let (crowd, driver) = pool(8);
    let mut driver = Loop::new(driver);
    let mut handles = Vec::with_capacity(COUNT);
    let mut round = || {
        let task = || async {
            yield_now().await;
            Ok::<_, ()>(5)
        };
        handles.extend((0..COUNT).map(|_| crowd.execute(task()).unwrap()));
        assert!(driver.run().is_pending());
        handles.clear();
    };
    round();
    assert_eq!(allocations(&mut round), 2 * COUNT);

    // ... or is of tasks that stay,
    let (local, driver) = local_pool(8);
    let mut driver = Loop::new(driver);
    let mut one = || {
        drop(local.execute(async { Ok::<_, ()>(5) }));
        assert!(driver.run().is_pending());
    };
    one();
    assert_eq!(allocations(|| (0..COUNT).for_each(|_| one())), 2 * COUNT);

    // ... or has a capacity, as long as there is room.
    let (bounded, driver) = Pool::builder().queue_capacity(4).build();
    let mut driver = Loop::new(driver);
    let mut one = || {
        drop(bounded.execute(async { Ok::<_, ()>(5) }));
        assert!(driver.run().is_pending());
    };
    one();
    assert_eq!(allocations(|| (0..COUNT).for_each(|_| one())), 2 * COUNT);

    // Figures and cancellations cost none, nor do clones.
    let handle = ping
        .execute(std::future::pending::<Result<(), ()>>())
        .unwrap();
    let count = allocations(|| {
        drop(ping.clone());
        assert_eq!(ping.stats().queue_length, 1);
        handle.cancel();
    });
    assert_eq!(count, 0);
}

/// All workers are busy, and what is submitted is cancelled before it starts, as timeouts do.
#[test]
fn cancelled_jobs_leave_no_memory() {
    for builder in [Pool::builder(), Pool::builder().queue_capacity(1)] {
        let (pool, driver) = builder.worker_count(1).build();
        let mut driver = Loop::new(driver);
        let _busy = pool
            .execute(std::future::pending::<Result<(), ()>>())
            .unwrap();
        assert!(driver.run().is_pending());
        let (usage, ()) = usage_of(|| {
            for _ in 0..100_000 {
                pool.execute(async { Ok::<_, ()>(1) }).unwrap().cancel();
                assert_eq!(pool.queue_length(), 0);
            }
        });
        assert!(usage.live < 1024 && usage.peak < 4096, "{usage:?}");
    }
}

#[test]
fn a_shrunken_queue_gives_memory_back() {
    let (pool, driver) = pool(1);
    let _last = pool
        .execute(std::future::pending::<Result<(), ()>>())
        .unwrap();
    let (usage, ()) = usage_of(|| {
        let handles: Vec<_> = (0..100_000)
            .map(|n| pool.execute(async move { Ok::<_, ()>(n) }).unwrap())
            .collect();
        handles.iter().for_each(abreast::JobHandle::cancel);
    });
    assert!(usage.live < 64 * 1024, "{usage:?}");
    drop(driver);
}

#[test]
fn ranked_jobs_leave_no_memory() {
    let (pool, mut driver) = pool(1);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut run = || assert!(Pin::new(&mut driver).poll(&mut cx).is_pending());
    let busy = pool
        .execute(std::future::pending::<Result<(), ()>>())
        .unwrap();
    run();
    let (usage, ()) = usage_of(|| {
        let handles: Vec<_> = (0..10_000)
            .map(|n| {
                let pool = pool.with_priority(n % 7);
                pool.execute(async move { Ok::<_, ()>(n) }).unwrap()
            })
            .collect();
        // Half of them are cancelled, and half are started.
        for pair in handles.chunks(2) {
            assert!(pair[1].set_priority(3));
            pair[0].cancel();
        }
        busy.cancel();
        while pool.queue_length() + pool.active_workers() > 0 {
            run();
        }
    });
    assert!(usage.live < 1024, "{usage:?}");

    // Without priorities, there are two allocations for each job again.
    let count = allocations(|| {
        drop(pool.execute(async { Ok::<_, ()>(1) }));
        run();
    });
    assert_eq!(count, 2);
}

#[test]
fn one_allocation_for_each_fed_job() {
    const COUNT: usize = 1000;
    let (pool, mut driver) = pool(8);
    let mut round = || {
        let tasks = (0..COUNT).map(|n| async move {
            yield_now().await;
            Ok::<_, ()>(n)
        });
        let feed = pool.feed(futures::stream::iter(tasks));
        Loop::new(driver.run_until(feed)).finish().unwrap();
        Loop::new(driver.run_until(pool.drain())).finish();
    };
    round();
    let count = allocations(&mut round);
    // Some more for the wakers and the lists of those who wait.
    assert!((COUNT..COUNT + 32).contains(&count), "{count}");
}

#[cfg(feature = "async-channel")]
#[test]
fn no_allocation_for_channel_jobs() {
    const COUNT: usize = 1000;
    let (jobs, driver) = abreast::channel_pool(8, COUNT, |n: usize| async move {
        yield_now().await;
        std::hint::black_box(n);
    });
    let mut driver = Loop::new(driver);
    let mut round = || {
        (0..COUNT).for_each(|n| jobs.try_send(n).unwrap());
        assert!(driver.run().is_pending());
        assert!(jobs.is_empty());
    };
    round();
    // The channel allocates what it waits by.
    assert!(allocations(&mut round) <= 2);
}
