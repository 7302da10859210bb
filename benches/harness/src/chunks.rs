//! Running the tasks chunk by chunk, all of a chunk at once.

use std::iter::Take;

use crate::board::hold_back;
use crate::workload::{Task, TaskResult};

/// Runs chunk after chunk of `size` tasks, and keeps what `run` returns. Returns how many results there were.
pub async fn each_chunk<I, R>(
    mut tasks: I,
    size: usize,
    mut run: impl AsyncFnMut(Take<&mut I>) -> Vec<R>,
) -> usize
where
    I: ExactSizeIterator<Item: Task>,
{
    let mut results = Vec::new();
    while tasks.len() > 0 {
        // The board wakes none of them before all of them wait.
        hold_back(size.min(tasks.len()));
        results.extend(run(tasks.by_ref().take(size)).await);
    }
    results.len()
}

/// Lets each chunk of `size` tasks race. Returns how many tasks were in races that had a winner.
pub async fn each_race<I>(
    mut tasks: I,
    size: usize,
    mut race: impl AsyncFnMut(Take<&mut I>) -> Option<usize>,
) -> usize
where
    I: ExactSizeIterator<Item: Task<Output = TaskResult>>,
{
    let mut racers = 0;
    while tasks.len() > 0 {
        let size = size.min(tasks.len());
        let rest = tasks.len() - size;
        hold_back(size);
        if race(tasks.by_ref().take(size)).await.is_some() {
            racers += size;
        }
        // A race may be decided before all of its racers have started. The others are not to run in the next one.
        while tasks.len() > rest {
            tasks.next();
        }
    }
    racers
}
