//! async-executor: tasks that are spawned, and held back by a semaphore.

mod host;

use std::sync::Arc;

use async_lock::Semaphore;
use harness::{Contender, Task, each_chunk, peer, scheme};

use host::{block_on, block_on_threads, on_threads, spawn};

scheme!(Window on block_on, |tasks, limit| {
    let permits = Arc::new(Semaphore::new(limit));
    let mut spawned = Vec::new();
    for task in tasks {
        let permit = permits.acquire_arc().await;
        spawned.push(spawn(async move {
            let _permit = permit;
            task.await
        }));
    }
    join(spawned).await.len()
});
scheme!(Group on block_on, |tasks, size| {
    each_chunk(tasks, size, async |chunk| join(chunk.map(spawn).collect()).await).await
});
scheme!(Pool on block_on, |tasks, limit| {
    let permits = Arc::new(Semaphore::new(limit));
    let spawned = tasks.map(|task| spawn(with_permit(permits.clone(), task)));
    join(spawned.collect()).await.len()
});
scheme!(PoolOnThreads on block_on_threads, |tasks, limit| {
    let permits = Arc::new(Semaphore::new(limit));
    let spawned = tasks.map(|task| on_threads().spawn(with_permit(permits.clone(), task)));
    join(spawned.collect()).await.len()
});

async fn with_permit<F: Task>(permits: Arc<Semaphore>, task: F) -> F::Output {
    let _permit = permits.acquire_arc().await;
    task.await
}

async fn join<T>(spawned: Vec<async_executor::Task<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(spawned.len());
    for task in spawned {
        results.push(task.await);
    }
    results
}

/// Returns its rolling window.
pub fn window() -> Contender {
    peer::<Window>("async-executor + Semaphore")
}

/// Returns tasks that are spawned, without a semaphore.
pub fn group() -> Contender {
    peer::<Group>("async-executor")
}

/// Returns a pool on one thread.
pub fn pool() -> Contender {
    peer::<Pool>("async-executor + Semaphore")
}

/// Returns a pool on two threads.
pub fn pool_on_threads() -> Contender {
    peer::<PoolOnThreads>("async-executor + Semaphore")
}
