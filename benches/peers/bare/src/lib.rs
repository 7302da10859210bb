//! The limits of what any library can reach: a plain loop that awaits one task after another, and tasks that are side
//! by side in memory, without what makes a library correct.

mod side_by_side;

use std::hint::black_box;

use futures::{StreamExt, stream};
use harness::{Contender, consume, floor, scheme};

pub use side_by_side::side_by_side;

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
scheme!(Consume, |tasks, _size| {
    let consumer = async |_, result| _ = black_box(result);
    let mut count = 0;
    for task in tasks {
        consumer(count, task.await).await;
        count += 1;
    }
    count
});

/// Returns the loop, which keeps all results.
pub fn one_by_one() -> Contender {
    floor::<Await>("bare .await, one by one")
}

/// Returns a stream of results, none of which is kept.
pub fn stream() -> Contender {
    floor::<Then>("futures then, one by one")
}

/// Returns the loop with a consumer, which keeps no result.
pub fn for_each() -> Contender {
    floor::<Consume>("bare .await, consumed one by one")
}
