//! A plain loop that awaits one task after another: the limit of what any library can reach.

use futures::{StreamExt, stream};
use harness::{Contender, consume, floor, scheme};

scheme!(Await, |tasks, _size| {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await);
    }
    results.len()
});
scheme!(Then, |tasks, _size| {
    consume(stream::iter(tasks).then(|task| task)).await
});

/// Returns the loop, which keeps all results.
pub fn one_by_one() -> Contender {
    floor::<Await>("bare .await, one by one")
}

/// Returns a stream of results, none of which is kept.
pub fn stream() -> Contender {
    floor::<Then>("futures then, one by one")
}
