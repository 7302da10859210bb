//! The growable sets of futures that libraries offer, and what their users write around them.

use std::future::Future;

use crate::workload::{Task, TaskResult};

/// A set of futures that yields their outputs as they finish.
pub trait Set<F: Future> {
    /// Creates an empty set that is to hold up to `capacity` futures.
    fn with_capacity(capacity: usize) -> Self;

    /// Adds a future.
    fn push(&mut self, future: F);

    /// Waits for the next output. There is none if the set is empty.
    fn next(&mut self) -> impl Future<Output = Option<F::Output>>;
}

/// Runs a rolling window by hand: fills the set up to `limit`, and again after each output. Returns how many outputs
/// there were, all of which it keeps.
pub async fn roll<S: Set<F>, F: Future>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
    let mut set = S::with_capacity(limit);
    let mut tasks = tasks.fuse();
    for task in tasks.by_ref().take(limit) {
        set.push(task);
    }
    let mut outputs = Vec::new();
    while let Some(output) = set.next().await {
        outputs.push(output);
        if let Some(task) = tasks.next() {
            set.push(task);
        }
    }
    outputs.len()
}

fn fill<S: Set<F>, F: Future>(tasks: impl ExactSizeIterator<Item = F>) -> S {
    let mut set = S::with_capacity(tasks.len());
    for task in tasks {
        set.push(task);
    }
    set
}

/// Runs all tasks at once. Returns what they return, in the order in which they finish.
pub async fn collect<S: Set<F>, F: Task>(
    tasks: impl ExactSizeIterator<Item = F>,
) -> Vec<TaskResult> {
    let mut set: S = fill(tasks);
    let mut results = Vec::new();
    while let Some(result) = set.next().await {
        results.push(result);
    }
    results
}

/// Runs all tasks at once until one succeeds, and drops the others.
pub async fn first_success<S: Set<F>, F: Task>(
    tasks: impl ExactSizeIterator<Item = F>,
) -> Option<usize> {
    let mut set: S = fill(tasks);
    while let Some(result) = set.next().await {
        if let Ok(value) = result {
            return Some(value);
        }
    }
    None
}
