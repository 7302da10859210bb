//! Streams in WebAssembly: previews of what a page asks for, four at a time, shown in the order in which they were
//! asked for.

#[cfg(target_family = "wasm")]
mod page;

use std::pin::pin;
use std::time::Duration;

use abreast::{Timer, parallel_stream, timeout};
use futures::{Stream, StreamExt};

/// Loads a preview of each address, and shows it when those before it have been shown. One that takes longer than five
/// seconds, or fails, has none.
///
/// Nothing in here is `Send`, and nothing knows the browser: tests pass a clock of their own.
pub async fn show_previews<F: Future<Output = Option<String>>>(
    addresses: impl Stream<Item = String>,
    timer: impl Timer,
    load: impl Fn(String) -> F,
    mut show: impl FnMut(usize, Option<String>),
) {
    let limit = Duration::from_secs(5);
    let tasks = addresses.map(|address| timeout(limit, timer.by_ref(), load(address)));
    let mut previews = pin!(parallel_stream(tasks).concurrency(4).into_ordered_stream());
    while let Some((index, preview)) = previews.next().await {
        show(index, preview.ok().flatten());
    }
}
