//! Runs futures abreast: side by side, bounded in a rolling window, raced, one after another or in batches, on any async
//! runtime or none.
//!
//! | verb | runs | an error | order of results | resolves to |
//! |---|---|---|---|---|
//! | [`parallel()`] | at most [`concurrency`](Parallel::concurrency) at a time | is one outcome of many | input | [`ParallelResult`] |
//! | [`parallel().fail_fast(true)`](Parallel::fail_fast) | the same | drops what runs, starts no more, keeps what was done | input | [`ParallelResult`] |
//! | [`parallel_stream`] | the same, from an async stream | as with `parallel` | input | [`ParallelResult`] |
//! | [`.into_stream()`](Parallel::into_stream) | the same | is one item of many | as they end | a stream of `(index, result)` |
//! | [`.into_ordered_stream()`](Parallel::into_ordered_stream) | the same | is one item of many | input | a stream of `(index, result)` |
//! | [`race()`] | all at once | loses, while others run on | | the first success, which drops the rest; or [`RaceError`] with all errors |
//! | [`race().stagger()`](Race::stagger) | another after each delay or failure | starts the next | | the same |
//! | [`fall_through`] | one at a time, until one succeeds | starts the next | | the same |
//! | [`sequential()`] | one at a time | starts no more | input | all values, or [`TaskError`] with the first error |
//! | [`batched()`] | a batch at a time | drops its batch, starts no more | input | all values, or [`TaskError`] with the first error |
//! | [`batched().settle()`](Batched::settle) | a batch at a time | is one outcome of many | input | [`ParallelResult`] |
//! | [`gather`] | a tuple, an array or a `Vec` at once | is one output of many | as the set | all outputs |
//! | [`try_gather`] | the same | drops the rest | as the set | all values, or the first error |
//! | [`join_all`] | any futures, all at once or [so many](JoinAll::concurrency) at a time | is one output of many | input | all outputs |
//! | [`task_group`] | what is spawned into it, within its scope | drops the rest, starts no more | | the value of its body, or [`TaskGroupError`] with all errors that are known |
//! | [`timeout`] | one future | is its output | | the output, or [`Elapsed`] |
//! | [`paginate`] | one fetch of a page at a time | is the last item | as the pages | a stream of items |
//! | [`Operation`](operation::Operation) | one stream of tokens | is retried, or falls back | | its [`State`](operation::State), or [`OperationFailure`](operation::OperationFailure) with all errors |
//! | [`pool()`] | what is submitted from anywhere, by so many workers | is the result of one handle | | a [`JobHandle`] for each |
//! | [`Pool::feed`] | the tasks of a stream, as jobs of a pool | is counted | | nothing, when the stream has ended |
//! | [`channel_pool`] | the messages of a channel, by so many workers | is for the handler | | nothing, when all senders are gone |
//!
//! A *task* is a future of a `Result`, and a list of tasks is anything that iterates over such futures, pulled lazily.
//!
//! ```
//! use abreast::parallel;
//!
//! # smol::block_on(async {
//! # async fn fetch(url: &str) -> Result<String, std::io::Error> { Ok(url.to_uppercase()) }
//! let urls = ["/", "/about", "/news"];
//! let result = parallel(urls.iter().map(|url| fetch(url)))
//!     .concurrency(2)
//!     .on_progress(|progress| println!("{progress}"))
//!     .await;
//!
//! println!("{} fetched, {} failed", result.success_count(), result.failure_count());
//! for (index, error) in result.failures() {
//!     println!("{}: {error}", urls[index]);
//! }
//! # assert!(result.all_succeeded());
//! # });
//! ```
//!
//! Which one to use for what is told on a [page of its own](_patterns).
//!
//! # What all verbs have in common
//! - **They are plain futures.** They do nothing until polled, and work only while polled: no executor, no thread, no timer
//!   and no global is involved. Tasks run *concurrently* on the thread that polls, so they may borrow and need not be
//!   `Send`. To use several threads, spawn inside the tasks.
//! - **Drop is cancellation.** Dropping a verb drops all that it owns at once. Losers of a race and siblings of a failure
//!   have been dropped by the time that the future resolves.
//! - **One poll per wake.** A task is polled when it starts, and then once for each time that it was woken before.
//! - **Fairness.** A task is visited at most once in a pass over those that were woken, and a poll of the verb ends after a
//!   bounded number of polls of tasks.
//! - **Panics pass through.** If a caller catches one and polls again, the verb carries on, and only the task that panicked
//!   has no result.
//! - **Indices** are 0-based, in input order.
//!
//! # Features
//! | feature | default | adds | without it |
//! |---|---|---|---|
//! | `std` | yes | the clock: [`ParallelResult::duration`], [`PoolStats::total_duration`](PoolStats#structfield.total_duration) | nothing is measured: these are not there |
//! | | | a [`pool()`] keeps panics of jobs from its workers | they pass through to whoever polls |
//! | | | jitter that differs from process to process | it differs from operation to operation |
//! | `async-channel` | yes | [`channel_pool`]: jobs of one kind, sent through a channel | |
//! | `operation` | no | the module [`operation`]: streams of tokens. It brings six more crates, and takes twice the time to build | |
//! | `test-util` | no | `VirtualClock` in [`time`], for tests that wait without waiting; needs `std` | |
//! | `tracing` | no | a span for each operation | |
//!
//! Everything else is there without `std`: all verbs, both pools, timers, timeouts and operations.
//!
//! ## WebAssembly
//! For `wasm32-unknown-unknown`, the clock is the browser's. Nothing need be [`Send`], so tasks may hold JavaScript values
//! and await promises; what is spawned by `wasm_bindgen_futures::spawn_local` may be any verb or the driver of a
//! [`local_pool`]. Any function from a `Duration` to a future is a [`Timer`], such as `gloo_timers::future::sleep`. A panic
//! aborts there, so none is caught.
//!
//! ## Without `std`
//! Without default features the crate is `no_std` and needs `alloc`, and atomics of pointer size with compare-and-swap.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// What is shown must not warn when it is copied: above all, no result is left unused. Hidden lines may use what is shown.
#![doc(test(attr(deny(warnings), allow(dead_code, unused_variables))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[macro_use]
mod macros;

mod batched;
mod engine;
mod gather;
#[cfg(feature = "operation")]
pub mod operation;
mod outcome;
mod paginate;
mod parallel;
pub mod pool;
mod race;
mod run;
mod sequential;
mod sync;
mod task_group;
pub mod time;
pub mod types;

#[cfg(doc)]
#[path = "patterns.rs"]
pub mod _patterns;

pub use batched::{Batched, BatchedSettle, batched, batched_chunks};
pub use gather::{Gather, JoinAll, TryGather, gather, join_all, try_gather};
pub use outcome::{
    BoxError, BoxErrors, Failures, Outcome, ParallelResult, RaceError, TaskError, TaskOutput,
};
pub use paginate::{Paginate, paginate};
pub use parallel::{Parallel, ParallelOptions, ParallelStream, Values, parallel, parallel_stream};
#[cfg(feature = "async-channel")]
pub use pool::{ChannelDriver, channel_pool};
pub use pool::{
    Driver, JobError, JobHandle, LocalDriver, LocalJobHandle, LocalPool, Pool, PoolBuilder,
    PoolError, PoolEvent, PoolOptions, PoolStats, local_pool, pool,
};
pub use race::{FallThrough, Race, RaceResult, fall_through, race};
pub use run::{Observer, Progress};
pub use sequential::{Sequential, sequential};
pub use task_group::{
    BoxTask, Group, LocalBoxTask, LocalGroup, Origin, TaskGroup, TaskGroupError, TaskHandle,
    local_task_group, task_group,
};
pub use time::{Elapsed, TimeoutFuture, TimeoutOr, Timer, timeout};
