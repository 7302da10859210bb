//! tokio: tasks that are spawned, and held back by a semaphore.

mod host;

use std::sync::Arc;

use harness::{Contender, Task, TaskResult, each_chunk, each_race, peer, scheme};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use host::{block_on, block_on_threads};

scheme!(Window on block_on, |tasks, limit| {
    let permits = Arc::new(Semaphore::new(limit));
    let mut set = JoinSet::new();
    for task in tasks {
        let permit = permits.clone().acquire_owned().await;
        set.spawn(async move {
            let _permit = permit.expect("the semaphore is never closed");
            task.await
        });
    }
    set.join_all().await.len()
});
scheme!(Race on block_on, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        let mut set: JoinSet<TaskResult> = chunk.collect();
        while let Some(result) = set.join_next().await {
            if let Ok(Ok(value)) = result {
                set.shutdown().await;
                return Some(value);
            }
        }
        None
    })
    .await
});
scheme!(Join on block_on, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        chunk.collect::<JoinSet<_>>().join_all().await
    })
    .await
});
scheme!(Pool on block_on, |tasks, limit| spawn_all(tasks, limit).await);
scheme!(PoolOnThreads on block_on_threads, |tasks, limit| spawn_all(tasks, limit).await);

/// Spawns all tasks, then awaits all handles.
async fn spawn_all<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
    let permits = Arc::new(Semaphore::new(limit));
    let spawned: Vec<_> = tasks
        .map(|task| {
            let permits = permits.clone();
            tokio::spawn(async move {
                let permit = permits.acquire_owned().await;
                let _permit = permit.expect("the semaphore is never closed");
                task.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in spawned {
        results.push(task.await.expect("no task panics"));
    }
    results.len()
}

/// Returns its rolling window.
pub fn window() -> Contender {
    peer::<Window>("tokio JoinSet + Semaphore")
}

/// Returns a race around its set of tasks.
pub fn race() -> Contender {
    peer::<Race>("tokio JoinSet")
}

/// Returns its set of tasks.
pub fn join() -> Contender {
    peer::<Join>("tokio JoinSet")
}

/// Returns a pool on one thread.
pub fn pool() -> Contender {
    peer::<Pool>("tokio spawn + Semaphore")
}

/// Returns a pool on two threads.
pub fn pool_on_threads() -> Contender {
    peer::<PoolOnThreads>("tokio spawn + Semaphore")
}
