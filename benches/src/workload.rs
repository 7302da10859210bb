//! What the tasks do while they are run.

use std::future::Future;
use std::sync::Arc;

use crate::board::{drive, wait, yield_now};
use crate::host::block_on;
use crate::session::Contender;

/// A task of a benchmark. Runtimes that spawn want it `Send` and `'static`.
pub(crate) trait Task: Future<Output = Result<usize, usize>> + Send + 'static {}

impl<F: Future<Output = Result<usize, usize>> + Send + 'static> Task for F {}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// W1: every task is ready on its first poll.
    Ready,
    /// W2: every task wakes itself once.
    Yield,
    /// W3 and W4: every task waits to be woken from outside. Whenever nothing else is to be done, so many random ones
    /// are woken.
    Wake { burst: usize },
    /// All tasks take turns at one lock, and yield while they hold it.
    Lock,
}

impl Workload {
    /// The largest size for those that scan all that they hold for each wake: `cap`, unless wakes come all at once.
    pub(crate) fn cap(self, cap: usize) -> usize {
        match self {
            Self::Ready | Self::Yield => usize::MAX,
            Self::Wake { .. } | Self::Lock => cap,
        }
    }
}

/// A way to run many tasks.
pub(crate) trait Scheme {
    /// Runs all tasks, and keeps their results. What `size` limits depends on the verb. Returns the number of results.
    fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> impl Future<Output = usize>;

    /// Runs the future of [`run`](Self::run) where it belongs.
    fn host<F: Future>(future: F) -> F::Output {
        block_on(future)
    }
}

/// How much of which work.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) workload: Workload,
    /// The `size` of the [`Scheme`].
    pub(crate) size: usize,
    pub(crate) tasks: usize,
}

/// What is measured of a piece of work.
pub(crate) type Meter = fn(&mut dyn FnMut()) -> f64;

/// A contender that is a [`Scheme`].
pub(crate) type Entry = Contender<Run>;
pub(crate) type Run = fn(Job, Meter) -> f64;

/// Runs `job` under `S`, and has `meter` measure it.
pub(crate) fn measure<S: Scheme>(job: Job, meter: Meter) -> f64 {
    let tasks = 0..job.tasks;
    match job.workload {
        Workload::Ready => metered::<S, _>(tasks.map(|index| async move { Ok(index) }), job, meter),
        Workload::Yield => {
            let yields = |index| async move {
                yield_now().await;
                Ok(index)
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

fn metered<S, F>(tasks: impl Iterator<Item = F>, job: Job, meter: Meter) -> f64
where
    S: Scheme,
    F: Task,
{
    let mut tasks = Some(tasks);
    meter(&mut || {
        let run = S::run(tasks.take().expect("a meter runs the work once"), job.size);
        let results = match job.workload {
            Workload::Wake { burst } => S::host(drive(run, 0, burst)),
            _ => S::host(run),
        };
        assert_eq!(results, job.tasks, "every task has a result");
    })
}
