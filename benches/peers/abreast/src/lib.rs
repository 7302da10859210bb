//! abreast, the subject of the comparison.

mod operation;
mod pool;

use std::hint::black_box;

use harness::{Contender, consume, each_chunk, each_race, scheme, subject, values, variant};

pub use operation::{RunOperation, Tokens, operations};
pub use pool::{pools, pools_on_threads};

scheme!(Parallel, |tasks, limit| {
    abreast::parallel(tasks).concurrency(limit).await.len()
});
scheme!(Stream, |tasks, limit| {
    consume(abreast::parallel(tasks).concurrency(limit).into_stream()).await
});
scheme!(OrderedStream, |tasks, limit| {
    let tasks = abreast::parallel(tasks).concurrency(limit);
    consume(tasks.into_ordered_stream()).await
});
scheme!(ForEach, |tasks, limit| {
    let tasks = abreast::parallel(tasks).concurrency(limit);
    let consumed = tasks.for_each(async |_, result| _ = black_box(result));
    consumed.await.count
});
scheme!(OrderedForEach, |tasks, limit| {
    let tasks = abreast::parallel(tasks).concurrency(limit);
    let consumed = tasks.for_each(async |_, result| _ = black_box(result));
    consumed.ordered().await.count
});
scheme!(Race, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        Some(abreast::race(chunk).await.ok()?.value)
    })
    .await
});
scheme!(Batched, |tasks, size| {
    let values = abreast::batched(tasks, |task| task).batch_size(size).await;
    values.expect("no task fails").len()
});
scheme!(Gather, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        abreast::gather(chunk.collect::<Vec<_>>()).await
    })
    .await
});
scheme!(JoinAll, |tasks, size| {
    each_chunk(tasks, size, async |chunk| abreast::join_all(chunk).await).await
});
scheme!(TaskGroup, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        let group = abreast::task_group(async |group| {
            let handles: Vec<_> = chunk.map(|task| group.spawn(task)).collect();
            let mut results = Vec::with_capacity(handles.len());
            for handle in handles {
                results.push(handle.await);
            }
            Ok(results)
        });
        values(group.await)
    })
    .await
});

/// Returns `parallel`.
pub fn window() -> Contender {
    subject::<Parallel>("abreast parallel")
}

/// Returns `parallel` as a stream in the order in which tasks finish.
pub fn stream() -> Contender {
    subject::<Stream>("abreast into_stream")
}

/// Returns `parallel` as a stream in input order.
pub fn ordered_stream() -> Contender {
    subject::<OrderedStream>("abreast into_ordered_stream")
}

/// Returns `for_each`, in the order in which tasks finish and in input order.
pub fn for_each() -> [Contender; 2] {
    [
        subject::<ForEach>("abreast for_each"),
        variant::<OrderedForEach>("abreast for_each ordered"),
    ]
}

/// Returns `race`.
pub fn race() -> Contender {
    subject::<Race>("abreast race")
}

/// Returns `batched`.
pub fn batched() -> Contender {
    subject::<Batched>("abreast batched")
}

/// Returns `gather`, and `join_all` beside it.
pub fn gathers() -> [Contender; 2] {
    [
        subject::<Gather>("abreast gather"),
        variant::<JoinAll>("abreast join_all"),
    ]
}

/// Returns `task_group`.
pub fn group() -> Contender {
    subject::<TaskGroup>("abreast task_group")
}
