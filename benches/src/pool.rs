//! `pool`, against what is spawned and held back by a semaphore. All handles are kept, and awaited when all is submitted.

use std::future::Future;
use std::sync::Arc;

use abreast::{Driver, Pool};
use futures::channel::oneshot;
use futures::{StreamExt, future};

use crate::host::{
    block_on, block_on_executor_threads, block_on_smol, block_on_tokio, block_on_tokio_threads,
    on_executor_threads, with_executor,
};
use crate::session::{Heading, Session, nanoseconds};
use crate::workload::{Entry, Job, Scheme, Task, Workload, measure};

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

struct Abreast;

impl Scheme for Abreast {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, workers: usize) -> usize {
        let (pool, mut driver) = abreast::pool(workers);
        driver.run_until(submit(pool, tasks)).await
    }
}

/// On the runtime that the peer is on: what a program that has one would do.
struct AbreastOnTokio;

impl Scheme for AbreastOnTokio {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, workers: usize) -> usize {
        let (pool, driver) = abreast::pool(workers);
        tokio::spawn(driver);
        submit(pool, tasks).await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio(future)
    }
}

fn spawn_spread(driver: Driver) {
    for worker in driver.into_workers() {
        tokio::spawn(worker);
    }
}

struct AbreastThreads;

impl Scheme for AbreastThreads {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, workers: usize) -> usize {
        let (pool, driver) = abreast::pool(workers);
        tokio::spawn(driver);
        submit(pool, tasks).await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio_threads(future)
    }
}

struct AbreastWorkers;

impl Scheme for AbreastWorkers {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, workers: usize) -> usize {
        let (pool, driver) = abreast::pool(workers);
        spawn_spread(driver);
        submit(pool, tasks).await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio_threads(future)
    }
}

async fn spawn_on_tokio<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
    let permits = Arc::new(tokio::sync::Semaphore::new(limit));
    let spawned: Vec<_> = tasks
        .map(|task| {
            let permits = permits.clone();
            tokio::spawn(async move {
                let _permit = permits.acquire_owned().await.expect("it is never closed");
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

struct Tokio;

impl Scheme for Tokio {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        spawn_on_tokio(tasks, limit).await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio(future)
    }
}

struct TokioThreads;

impl Scheme for TokioThreads {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        spawn_on_tokio(tasks, limit).await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio_threads(future)
    }
}

async fn with_permit<F: Task>(permits: Arc<async_lock::Semaphore>, task: F) -> F::Output {
    let _permit = permits.acquire_arc().await;
    task.await
}

struct LocalExecutor;

impl Scheme for LocalExecutor {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let permits = Arc::new(async_lock::Semaphore::new(limit));
        let spawn =
            |task| with_executor(|executor| executor.spawn(with_permit(permits.clone(), task)));
        let spawned: Vec<_> = tasks.map(spawn).collect();
        let mut results = Vec::new();
        for task in spawned {
            results.push(task.await);
        }
        results.len()
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_smol(future)
    }
}

struct ExecutorThreads;

impl Scheme for ExecutorThreads {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let permits = Arc::new(async_lock::Semaphore::new(limit));
        let spawn = |task| on_executor_threads().spawn(with_permit(permits.clone(), task));
        let spawned: Vec<_> = tasks.map(spawn).collect();
        let mut results = Vec::new();
        for task in spawned {
            results.push(task.await);
        }
        results.len()
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_executor_threads(future)
    }
}

/// What people build of parts: a channel of tasks into `for_each_concurrent`, and a oneshot for each result.
struct ForEachConcurrent;

impl Scheme for ForEachConcurrent {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let (queue, queued) = async_channel::unbounded();
        let run = queued.for_each_concurrent(
            limit,
            |(task, handle): (F, oneshot::Sender<_>)| async move {
                let _ = handle.send(task.await);
            },
        );
        let submit = async move {
            let handles: Vec<_> = tasks
                .map(|task| {
                    let (handle, result) = oneshot::channel();
                    let sent = queue.try_send((task, handle));
                    sent.expect("the queue is open");
                    result
                })
                .collect();
            drop(queue);
            let mut results = Vec::new();
            for handle in handles {
                results.push(handle.await);
            }
            results.len()
        };
        future::join(run, submit).await.1
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on(future)
    }
}

fn one_thread() -> Vec<Entry> {
    vec![
        Entry::subject("abreast pool", measure::<Abreast>),
        Entry::peer("(abreast pool, in a runtime)", measure::<AbreastOnTokio>),
        Entry::peer("tokio spawn + Semaphore", measure::<Tokio>),
        Entry::peer("async-executor + Semaphore", measure::<LocalExecutor>),
        Entry::peer(
            "for_each_concurrent over a channel",
            measure::<ForEachConcurrent>,
        ),
    ]
}

fn two_threads() -> Vec<Entry> {
    vec![
        Entry::subject("abreast pool", measure::<AbreastThreads>),
        Entry::peer(
            "(abreast pool, a task per worker)",
            measure::<AbreastWorkers>,
        ),
        Entry::peer("tokio spawn + Semaphore", measure::<TokioThreads>),
        Entry::peer("async-executor + Semaphore", measure::<ExecutorThreads>),
    ]
}

/// A table a workload and number of threads.
pub(crate) fn measure_all(session: &mut Session) {
    let tables = [
        ("pool W1, all ready", Workload::Ready, one_thread()),
        (
            "pool W2, each wakes itself once",
            Workload::Yield,
            one_thread(),
        ),
        (
            "pool W1, all ready, two threads",
            Workload::Ready,
            two_threads(),
        ),
        (
            "pool W2, each wakes itself once, two threads",
            Workload::Yield,
            two_threads(),
        ),
    ];
    let tasks = session.scale(20_000);
    for (title, workload, contenders) in tables {
        let heading = Heading {
            title,
            measure: "ns per operation",
            axis: "workers",
            columns: &[5, 64, 1024],
        };
        session.time(&heading, &contenders, |run, size| {
            let job = Job {
                workload,
                size,
                tasks,
            };
            run(job, nanoseconds) / tasks as f64
        });
    }
}
