//! Every verb over the same tasks, for the tests of what they all promise.

use std::future::{Future, ready};
use std::time::Duration;

use abreast::{
    RaceError, TaskError, batched, fall_through, parallel, parallel_stream, race, sequential,
};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream;

/// What became of the tasks that have a result, by index.
pub type Outputs<T, E> = Vec<(usize, Result<T, E>)>;

/// A verb that is going to run.
pub struct Run<'a, T, E> {
    pub name: &'static str,
    /// How many tasks run at most.
    pub window: usize,
    /// Whether an error ends it.
    pub fails_fast: bool,
    /// Whether a value ends it.
    pub races: bool,
    pub future: BoxFuture<'a, Outputs<T, E>>,
}

/// Returns the number of verbs in [`every_verb`].
pub fn verb_count() -> usize {
    every_verb(0, 1, |_| ready(Ok::<_, ()>(()))).len()
}

/// Returns all verbs over `make(0)`, `make(1)`, and so on up to `len`, with windows and batches of `window`.
pub fn every_verb<'a, M, Fut, T, E>(len: usize, window: usize, make: M) -> Vec<Run<'a, T, E>>
where
    M: Fn(usize) -> Fut + Clone + Send + 'a,
    Fut: Future<Output = Result<T, E>> + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    let tasks = || (0..len).map(make.clone());
    let rolling = || parallel(tasks()).concurrency(window);
    let fed = || parallel_stream(stream::iter(tasks())).concurrency(window);
    let in_batches = || batched(0..len, make.clone()).batch_size(window);
    let run = |name, future| Run {
        name,
        window,
        fails_fast: false,
        races: false,
        future,
    };
    let failing = |name, future| Run {
        fails_fast: true,
        ..run(name, future)
    };
    vec![
        run("parallel", rolling().map(by_index).boxed()),
        failing("parallel, failing fast", {
            rolling().fail_fast(true).map(by_index).boxed()
        }),
        run("parallel_stream", fed().map(by_index).boxed()),
        run("into_stream", rolling().into_stream().collect().boxed()),
        failing("into_stream, failing fast", {
            rolling().fail_fast(true).into_stream().collect().boxed()
        }),
        run(
            "into_ordered_stream",
            rolling().into_ordered_stream().collect().boxed(),
        ),
        run(
            "parallel_stream, into_ordered_stream",
            fed().into_ordered_stream().collect().boxed(),
        ),
        Run {
            window: len,
            races: true,
            ..run("race", race(tasks()).map(of_race).boxed())
        },
        Run {
            window: len,
            races: true,
            ..run("race, staggered", {
                let run = race(tasks()).stagger(Duration::ZERO, |_| ready(()));
                run.map(of_race).boxed()
            })
        },
        Run {
            window: 1,
            races: true,
            ..run("fall_through", fall_through(tasks()).map(of_race).boxed())
        },
        Run {
            window: 1,
            ..failing("sequential", sequential(tasks()).map(of_all).boxed())
        },
        failing("batched", in_batches().map(of_all).boxed()),
        run("settle", in_batches().settle().map(by_index).boxed()),
        run("settle, with pauses", {
            let run = in_batches().pause(Duration::ZERO, |_| ready(())).settle();
            run.map(by_index).boxed()
        }),
    ]
}

fn by_index<T, E>(result: abreast::ParallelResult<T, E>) -> Outputs<T, E> {
    let outcomes = result.into_iter().enumerate();
    outcomes
        .filter_map(|(index, outcome)| match outcome {
            abreast::Outcome::Succeeded(value) => Some((index, Ok(value))),
            abreast::Outcome::Failed(error) => Some((index, Err(error))),
            abreast::Outcome::Cancelled => None,
        })
        .collect()
}

fn of_all<T, E>(result: Result<Vec<T>, TaskError<E>>) -> Outputs<T, E> {
    match result {
        Ok(values) => values.into_iter().map(Ok).enumerate().collect(),
        Err(TaskError::Failed { index, error }) => vec![(index, Err(error))],
        Err(_) => vec![],
    }
}

fn of_race<T, E>(result: Result<abreast::RaceResult<T>, RaceError<E>>) -> Outputs<T, E> {
    match result {
        Ok(won) => vec![(won.winner_index, Ok(won.value))],
        Err(RaceError::AllFailed(failures)) => {
            let failures = failures.into_iter();
            failures.map(|(index, error)| (index, Err(error))).collect()
        }
        Err(_) => vec![],
    }
}
