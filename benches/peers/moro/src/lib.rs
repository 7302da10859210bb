//! moro: structured concurrency on one thread.

use harness::{Contender, each_chunk, peer, scheme};

scheme!(Group, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        let scope = moro_local::async_scope!(|scope| {
            let handles: Vec<_> = chunk.map(|task| scope.spawn(task)).collect();
            let mut results = Vec::with_capacity(handles.len());
            for handle in handles {
                results.push(handle.await);
            }
            results
        });
        scope.await
    })
    .await
});

/// Returns its scope, with a handle for each task.
pub fn group() -> Contender {
    peer::<Group>("moro-local")
}
