//! Pools. All handles are kept, and awaited when all is submitted.

use abreast::Pool;
use harness::{Contender, Task, scheme, subject, variant};
use peer_tokio::{block_on, block_on_threads};

scheme!(Driven, |tasks, workers| {
    let (pool, mut driver) = abreast::pool(workers);
    driver.run_until(submit(pool, tasks)).await
});
// In the runtime that the peer is in: what a program that has one would do.
scheme!(Spawned on block_on, |tasks, workers| {
    let (pool, driver) = abreast::pool(workers);
    tokio::spawn(driver);
    submit(pool, tasks).await
});
scheme!(SpawnedOnThreads on block_on_threads, |tasks, workers| {
    let (pool, driver) = abreast::pool(workers);
    tokio::spawn(driver);
    submit(pool, tasks).await
});
scheme!(WorkersOnThreads on block_on_threads, |tasks, workers| {
    let (pool, driver) = abreast::pool(workers);
    for worker in driver.into_workers() {
        tokio::spawn(worker);
    }
    submit(pool, tasks).await
});

/// Submits all tasks, then awaits all handles.
async fn submit<F: Task>(pool: Pool, tasks: impl Iterator<Item = F>) -> usize {
    let handles: Vec<_> = tasks
        .map(|task| pool.execute(task).expect("the pool is open"))
        .collect();
    let mut results = Vec::new();
    for handle in handles {
        results.push(handle.await);
    }
    results.len()
}

/// Returns the pool on one thread.
pub fn pools() -> [Contender; 2] {
    [
        subject::<Driven>("abreast pool"),
        variant::<Spawned>("(abreast pool, spawned in tokio)"),
    ]
}

/// Returns the pool on two threads.
pub fn pools_on_threads() -> [Contender; 2] {
    [
        subject::<SpawnedOnThreads>("abreast pool"),
        variant::<WorkersOnThreads>("(abreast pool, a task per worker)"),
    ]
}
