//! The same work on every runtime, and on none.

use std::thread;

use crate::support::{Driver as Loop, yield_times};
use abreast::{Driver, Pool, PoolError, PoolStats};
use futures::executor::block_on;

const COUNT: usize = 300;

fn pool() -> (Pool, Driver) {
    Pool::builder().worker_count(7).queue_capacity(20).build()
}

/// Submits with back-pressure, cancels some, drains in the middle, and shuts down at the end.
async fn work(pool: Pool) -> PoolStats {
    let mut handles = Vec::new();
    for n in 0..COUNT {
        let task = async move {
            yield_times(n % 4).await;
            if n % 5 == 0 { Err(n) } else { Ok(n) }
        };
        handles.push(pool.execute_when_room(task).await.unwrap());
        if n == COUNT / 2 {
            pool.drain().await;
            assert!(handles.iter().all(abreast::JobHandle::is_finished));
        }
    }
    let never = pool
        .execute_when_room(std::future::pending::<Result<(), ()>>())
        .await
        .unwrap();
    never.cancel();
    assert!(never.await.is_err());
    for (n, handle) in handles.into_iter().enumerate() {
        match handle.await {
            Ok(value) => assert!(value == n && n % 5 != 0),
            Err(error) => assert_eq!(error.into_error(), Some(n)),
        }
    }
    pool.shutdown().await;
    assert_eq!(
        pool.execute(async { Ok::<_, ()>(()) }).unwrap_err(),
        PoolError::Closed
    );
    pool.stats()
}

fn check(stats: PoolStats) {
    assert_eq!(stats.total_succeeded, 240);
    assert_eq!(stats.total_failed, 60);
    assert_eq!((stats.total_cancelled, stats.total_executed), (1, 301));
    assert_eq!((stats.queue_length, stats.active_workers), (0, 0));
}

/// Spawns the driver as a task beside the work.
async fn beside(spawn: impl FnOnce(Driver)) {
    let (pool, driver) = pool();
    spawn(driver);
    check(work(pool).await);
}

/// Spawns a task for each worker.
async fn spread(mut spawn: impl FnMut(abreast::pool::Worker)) {
    let (pool, driver) = pool();
    for worker in driver.into_workers() {
        spawn(worker);
    }
    check(work(pool).await);
}

async fn scoped() {
    let (pool, mut driver) = pool();
    check(driver.run_until(work(pool)).await);
}

#[test]
fn on_smol() {
    smol::block_on(async {
        beside(|driver| smol::spawn(driver).detach()).await;
        spread(|worker| smol::spawn(worker).detach()).await;
        scoped().await;
    });
}

#[test]
fn on_tokio_with_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        beside(|driver| drop(tokio::spawn(driver))).await;
        spread(|worker| drop(tokio::spawn(worker))).await;
        scoped().await;
    });
}

#[test]
fn on_tokio_with_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    runtime.block_on(async {
        beside(|driver| drop(tokio::spawn(driver))).await;
        spread(|worker| drop(tokio::spawn(worker))).await;
        tokio::spawn(scoped()).await.unwrap();
    });
}

#[test]
fn on_async_std() {
    async_std::task::block_on(async {
        beside(|driver| drop(async_std::task::spawn(driver))).await;
        spread(|worker| drop(async_std::task::spawn(worker))).await;
        async_std::task::spawn(scoped()).await;
    });
}

#[test]
fn on_plain_threads() {
    block_on(beside(|driver| drop(thread::spawn(|| block_on(driver)))));
    block_on(spread(|worker| drop(thread::spawn(|| block_on(worker)))));
}

#[test]
fn on_a_bare_poll_loop() {
    Loop::new(scoped()).finish();
    let (pool, driver) = pool();
    let mut both = Loop::new(async { futures::join!(work(pool), driver).0 });
    check(both.finish());
}

#[test]
fn self_waking_jobs_leave_others_turns() {
    let (pool, driver) = abreast::pool(2);
    let spins = pool.execute(async {
        loop {
            crate::support::yield_now().await;
        }
        #[allow(unreachable_code)]
        Ok::<(), ()>(())
    });
    let spins = spins.unwrap();
    let other = async {
        for _ in 0..10 {
            crate::support::yield_now().await;
        }
        spins.cancel();
        drop(pool);
    };
    // Ends only if each poll of the driver comes to an end.
    block_on(async { futures::join!(driver, other) });
}
