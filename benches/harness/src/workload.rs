//! What the tasks do while they are run.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;

use crate::board::{self, count_poll, wait, waiting, yield_now};
use crate::meter::Meter;
use crate::scheme::Scheme;
use crate::threads::{block_on_threads, wait_for_thread};

/// What a task returns: its index. In races some fail with it.
pub type TaskResult = Result<usize, usize>;

/// A task of a benchmark. Runtimes that spawn want it `Send` and `'static`.
pub trait Task: Future<Output = TaskResult> + Send + 'static {}

impl<F: Future<Output = TaskResult> + Send + 'static> Task for F {}

/// What each task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// W1: is ready on its first poll.
    Ready,
    /// W2: wakes itself once.
    Yield,
    /// W2 with a task of more than a KiB.
    YieldLarge,
    /// W3 and W4: waits to be woken from outside. Whenever nothing else is to be done, `burst` random tasks are woken.
    Wake {
        /// How many wakes come at a time.
        burst: usize,
    },
    /// Waits to be woken by one of so many threads.
    Threads {
        /// How many threads wake.
        threads: usize,
    },
    /// Takes its turn at one lock, and yields while holding it.
    Lock,
    /// Is ready on its first poll, and fails unless it is the last of its chunk.
    ReadyLast,
    /// Waits, one random task being woken at a time, and fails unless it is the last of its chunk to be woken.
    WakeLast,
}

impl Workload {
    /// Returns the largest size for those that scan all that they hold for each wake: `cap`, unless wakes come all at
    /// once.
    pub fn cap(self, cap: usize) -> usize {
        match self {
            Self::Ready | Self::ReadyLast | Self::Yield | Self::YieldLarge => usize::MAX,
            Self::Wake { .. } | Self::WakeLast | Self::Threads { .. } | Self::Lock => cap,
        }
    }

    fn burst(self) -> usize {
        match self {
            Self::Wake { burst } => burst,
            Self::WakeLast => 1,
            _ => 0,
        }
    }
}

/// How much of which work.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// What each task does.
    pub workload: Workload,
    /// The `size` of the [`Scheme`].
    pub size: usize,
    /// How many tasks there are in all.
    pub tasks: usize,
}

/// Runs a job, and returns what the meter measured.
pub type Run = fn(Job, Meter) -> f64;

/// Runs `job` under `S`, and has `meter` measure it.
pub fn measure<S: Scheme>(job: Job, meter: Meter) -> f64 {
    // The same wakes in the same order, whatever was measured before.
    board::reset();
    let Job { size, tasks, .. } = job;
    let tasks = 0..tasks;
    match job.workload {
        Workload::Ready => {
            let returns = |index| async move {
                count_poll();
                Ok(index)
            };
            metered::<S, _>(tasks.map(returns), job, meter)
        }
        Workload::ReadyLast => {
            let returns = move |index| async move {
                count_poll();
                if index % size == size - 1 {
                    Ok(index)
                } else {
                    Err(index)
                }
            };
            metered::<S, _>(tasks.map(returns), job, meter)
        }
        Workload::Yield => {
            let yields = |index| async move {
                yield_now().await;
                Ok(index)
            };
            metered::<S, _>(tasks.map(yields), job, meter)
        }
        Workload::YieldLarge => {
            let yields = |index| async move {
                let buffer = [index as u8; 1024];
                yield_now().await;
                Ok(index + usize::from(black_box(&buffer)[0] != index as u8))
            };
            metered::<S, _>(tasks.map(yields), job, meter)
        }
        Workload::Wake { .. } => {
            let waits = |index| async move {
                wait().await;
                Ok(index)
            };
            metered::<S, _>(tasks.map(waits), job, meter)
        }
        Workload::WakeLast => {
            let waits = |index| async move {
                wait().await;
                if waiting() == 0 {
                    Ok(index)
                } else {
                    Err(index)
                }
            };
            metered::<S, _>(tasks.map(waits), job, meter)
        }
        Workload::Threads { threads } => {
            let waits = move |index| async move {
                wait_for_thread(index % threads).await;
                Ok(index)
            };
            metered::<S, _>(tasks.map(waits), job, meter)
        }
        Workload::Lock => {
            let lock = Arc::new(tokio::sync::Mutex::new(()));
            let locks = move |index| {
                let lock = lock.clone();
                async move {
                    let _held = lock.lock().await;
                    yield_now().await;
                    Ok(index)
                }
            };
            metered::<S, _>(tasks.map(locks), job, meter)
        }
    }
}

fn metered<S, F>(tasks: impl ExactSizeIterator<Item = F>, job: Job, meter: Meter) -> f64
where
    S: Scheme,
    F: Task,
{
    let mut tasks = Some(tasks);
    meter(&mut || {
        let run = S::run(tasks.take().expect("a meter runs the work once"), job.size);
        let results = match job.workload {
            Workload::Threads { threads } => block_on_threads(run, threads),
            workload => S::host(run, workload.burst()),
        };
        assert_eq!(results, job.tasks, "every task has a result");
    })
}
