//! Runs futures side by side, on any async runtime or none: bounded in a rolling window, raced, in batches, in a group
//! or in a pool. Built on [`Future`], [`Stream`](futures::Stream) and [`Waker`](core::task::Waker) alone: no executor,
//! no threads, no timers, no `unsafe`.
//!
//! ```
//! use abreast::parallel;
//! # #[derive(Default)]
//! # struct Client;
//! # impl Client {
//! #     async fn get(&self, url: &str) -> Result<String, std::io::Error> { Ok(url.to_uppercase()) }
//! # }
//!
//! #[tokio::main]
//! async fn main() {
//!     let run = tokio::spawn(async {
//!         let client = Client::default();
//!         let urls = ["/", "/about", "/news"].map(String::from);
//!
//!         // At most 20 at a time. The closure borrows the client, and
//!         // the tasks borrow the URLs.
//!         let result = parallel(urls.iter().map(|url| client.get(url)))
//!             .concurrency(20)
//!             .on_progress(|progress| println!("{progress}"))
//!             .await;
//!
//!         for (index, error) in result.failures() {
//!             println!("{}: {error}", urls[index]);
//!         }
//!         result.into_successful_results()
//!     });
//!     println!("{} fetched", run.await.unwrap().len());
//! }
//! ```
//!
//! It is the same under smol, and with the timer of whatever runtime there is:
//!
//! ```
//! use std::time::Duration;
//! use abreast::{gather, race, timeout};
//! # async fn ask(mirror: &str) -> Result<String, std::io::Error> { Ok(mirror.to_uppercase()) }
//! # async fn weather() -> u32 { 7 }
//!
//! smol::block_on(async {
//!     // The first success wins; another starts after 50 ms, or when one fails.
//!     let delay = Duration::from_millis(50);
//!     let page = race(["a", "b", "c"].map(ask)).stagger(delay, smol::Timer::after);
//!     let weather = timeout(Duration::from_secs(1), smol::Timer::after, weather());
//!
//!     let (page, weather) = gather((page, weather)).await;
//!     println!("{:?}, {weather:?}", page.map(|page| page.value));
//! });
//! ```
//!
//! # Verbs
//! A *task* is a future of a `Result`, and a list of tasks is anything that iterates over such futures, pulled lazily.
//! What runs tasks is a *verb*: a function that returns a future, or in some cases a stream or a pool.
//!
//! | verb | runs | an error | order of results | resolves to |
//! |---|---|---|---|---|
//! | [`parallel()`] | at most [`concurrency`](Parallel::concurrency) at a time | is one outcome of many | input | [`ParallelResult`] |
//! | [`parallel().fail_fast(true)`](Parallel::fail_fast) | the same | drops what runs, starts no more, keeps what was done | input | [`ParallelResult`] |
//! | [`parallel_stream`] | the same, from an async stream | as with `parallel` | input | [`ParallelResult`] |
//! | [`parallel_map`] | a handler on items, at most [`concurrency`](Parallel::concurrency) at a time; by [weight](Parallel::weigh) and [cost](Parallel::cost) | is one outcome of many | input | [`ParallelResult`] |
//! | [`.per_key(n, key)`](Parallel::per_key) | the same, and at most `n` of a key: those in front wait, and others start meanwhile | is one outcome of many | input | [`ParallelResult`] |
//! | [`.stop_on(signal)`](Parallel::stop_on), [`.deadline(duration, timer)`](Parallel::deadline) | the same, until the signal is ready or the time is over; also [`sequential`](Sequential::stop_on), [`batched`](Batched::stop_on), [settled](BatchedSettle::stop_on) or not, [`join_all`](JoinAll::stop_on) and [task groups](TaskGroup::stop_on) | as without it | input | [`ParallelResult`], with what was done by then and [why](EndReason) it ended; of a group, [`TaskGroupResult`] |
//! | [`.limit(&limit)`](Parallel::limit) | at most as many as the [`Limit`] says, together with all who share it | is one outcome of many | input | [`ParallelResult`] |
//! | [`.adaptive(&limit, timer, classify)`](Parallel::adaptive) | the same, with a limit that [finds itself](limit::AdaptiveLimit) by durations and overloads | is one outcome of many | input | [`ParallelResult`] |
//! | [`.rate(&rate, timer)`](Parallel::rate) | at most as many per second as the [`Rate`] says, together with all who share it | is one outcome of many | input | [`ParallelResult`] |
//! | [`.into_stream()`](Parallel::into_stream) | the same | is one item of many | as they end | a stream of `(index, result)` |
//! | [`.into_ordered_stream()`](Parallel::into_ordered_stream) | the same | is one item of many | input | a stream of `(index, result)` |
//! | [`.for_each()`](Parallel::for_each) | the same, and a consumer of each result beside it | is for the consumer | as they end, or [input](ForEach::ordered) | [`Consumed`] |
//! | [`.try_for_each()`](Parallel::try_for_each) | the same | is for the consumer, whose own error drops the rest | the same | [`Consumed`], or the consumer's error |
//! | [`.on_start()`](Parallel::on_start), `.on_complete()`, `.on_error()`, `.on_progress()` | on each of these, on `sequential`, `batched` and `join_all`, and but for progress on races, closures that look on | is told to `.on_error()` | as they start, or end | |
//! | [`.observe(&mut times)`](Parallel::observe) | on the same, [`TaskTimes`]: measures how long each task waits and runs. For others, see [what looks on](_patterns#what-looks-on-and-what-stops) | | | |
//! | `traced(name, tasks)` | tasks for any verb, with a span of `tracing` for all of them and one for each | is the `outcome` of its span | | |
//! | [`race()`] | all at once | loses, while others run on | | the first success, which drops the rest; or [`RaceError`] with all errors |
//! | [`race().stagger()`](Race::stagger) | another after each delay, which may be [learned](Hedge), or failure | starts the next | | the same |
//! | [`race().quorum(n)`](Race::quorum) | all at once, or as the race says | loses, while others run on | success | the first `n` successes, which drop the rest; or [`QuorumError`] with all errors and values |
//! | [`fall_through`] | one at a time, until one succeeds | starts the next | | the same |
//! | [`sequential()`] | one at a time | starts no more | input | all values, or [`TaskError`] with the first error |
//! | [`batched()`] | a batch at a time | drops its batch, starts no more | input | all values, or [`TaskError`] with the first error |
//! | [`batched().settle()`](Batched::settle) | a batch at a time | is one outcome of many | input | [`ParallelResult`] |
//! | [`gather`] | a tuple, an array or a `Vec` at once | is one output of many | as the set | all outputs |
//! | [`try_gather`] | the same | drops the rest | as the set | all values, or the first error |
//! | [`join_all`] | any futures, all at once or [a few](JoinAll::concurrency) at a time | is one output of many | input | all outputs |
//! | [`task_group`] | what is spawned into it, within its scope | drops the rest, starts no more | | the value of its body, or [`TaskGroupError`] with all errors that are known |
//! | [`retry()`] | one task, again after each failure and a delay | is tried again, or the last | | the value, or [`RetryError`] with all errors |
//! | [`Retry::rate`] | the same, and attempts start at most as fast as a [`Rate`] says that others share | pauses the rate, if it asks for a delay | | the same |
//! | [`Retry::budget`], [`Hedge::budget`] | the same, or a race, with no more extra calls than the [`Budget`] has for all who share it | is final, if that is empty | | the same |
//! | [`timeout`] | one future | is its output | | the output, or [`Elapsed`] |
//! | [`paginate`] | one fetch of a page at a time | is the last item | as the pages | a stream of items |
//! | [`Operation`](operation::Operation) | one stream of tokens | is retried, or falls back | | its [`State`](operation::State), or [`OperationFailure`](operation::OperationFailure) with all errors |
//! | [`first_token`](operation::first_token) | streams of tokens at once, or another after each delay, until one has a token | loses, while others run on | | the stream of the winner, as a source of an `Operation` |
//! | [`pool()`] | what is submitted from anywhere, by a number of workers | is the result of one handle | | a [`JobHandle`] for each |
//! | [`Pool::with_priority`] | the same, and of what is queued the most urgent first; what waits gains urgency | the same | | the same |
//! | [`PoolBuilder::limit`] | the same, as many at a time as a [`Limit`] allows that others share; it may be set meanwhile | the same | | the same |
//! | [`PoolBuilder::rate`] | the same, and starts at most as many per second as a [`Rate`] says that others share | the same | | the same |
//! | [`Pool::drain`] and [`Pool::shutdown`], also [`.within(duration, timer)`](pool::Shutdown::within) or [`.stop_on(signal)`](pool::Shutdown::stop_on) | what was accepted, to the end or until the time is up or the signal ready | is the result of one handle | | nothing, or a report of what became of the jobs: [`DrainReport`](pool::DrainReport), [`ShutdownReport`](pool::ShutdownReport) |
//! | [`Pool::feed`] | the tasks of a stream, as jobs of a pool | is counted | | nothing, when the stream has ended |
//! | [`channel_pool`] | the messages of a channel, by a number of workers | is for the handler | | nothing, when all senders are gone |
//!
//! Tasks of different types go into a tuple for [`gather`], [`try_gather`] and [`race()`], and into one list by
//! [`boxed`](futures::FutureExt::boxed) for the others.
//!
//! # Errors and `?`
//! Most runs resolve to every outcome, so that nothing is lost. From there it is one call to a plain `Result`:
//!
//! ```
//! use abreast::{BoxErrors, parallel, race};
//! # async fn fetch(page: u32) -> anyhow::Result<String> { Ok(page.to_string()) }
//!
//! async fn fetch_all() -> anyhow::Result<()> {
//!     // The first task's own error.
//!     let pages: Vec<String> = parallel((1..=3).map(fetch)).await.into_values()?;
//!
//!     // An error that says which task it was. `boxed` is for tasks whose errors are `anyhow::Error`, `String` or a box.
//!     let pages = parallel((1..=3).map(fetch)).await.into_result().boxed()?;
//!     let first = race([1, 2].map(fetch)).await.boxed()?;
//!     Ok(())
//! }
//! # smol::block_on(fetch_all()).unwrap();
//! ```
//!
//! A block with `?` in it does not say which error it returns, as `?` converts it. So what takes such a block may ask for
//! "type annotations", and its last line is the place for them:
//!
//! ```
//! use abreast::parallel;
//! # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(page.to_string()) }
//!
//! # smol::block_on(async {
//! let tasks = (1..=3).map(|page| async move {
//!     let text = fetch(page).await?;
//!     Ok::<_, std::io::Error>(text.len())
//! });
//! assert!(parallel(tasks).await.all_succeeded());
//! # });
//! ```
//!
//! # Pages
//! | page | |
//! |---|---|
//! | [Patterns](_patterns) | which verb for what |
//! | [Comparison](_pages::compare) | the same in ten other crates, and reasons not to use this one |
//! | [Cookbook](_pages::cookbook) | ten small programs, each whole |
//! | [Topics](_pages::topics) | cancellation, shutting down, limits and rates, testing, threads, tracing |
//! | [Drops](_pages::cancel) | what had been started, what runs on and what is lost, for each verb |
//! | [From Python](_pages::python) | `asyncio` and operations of language models, block by block |
//! | [Why ..?](_pages::why) | the design, as questions |
//!
//! # What all verbs have in common
//! - **They are plain futures.** They do nothing until polled, and work only while polled: no executor, no thread and
//!   no timer is involved, and no global but a count of polls for each thread. Tasks run *concurrently* on the thread
//!   that polls, so they may borrow and need not be `Send`. To use several threads, spawn inside the tasks.
//! - **They are `Send`** if their parts are, closures that borrow included, so that they can be spawned. In `join!` and
//!   `try_join!`, a verb over such a closure must be in an `async` block of its own; in [`gather`] and [`try_gather`],
//!   it need not.
//! - **Drop is cancellation.** Dropping a verb drops all that it owns at once. Losers of a race and siblings of a
//!   failure have been dropped by the time that the future resolves.
//! - **One poll per wake.** A task is polled when it starts, and then once for each time that it was woken before.
//! - **Fairness.** A task is visited at most once in a pass over those that were woken, and a poll of the verb ends
//!   after a bounded number of polls of tasks.
//! - **Panics pass through.** If a caller catches one and polls again, the verb carries on, and only the task that
//!   panicked has no result.
//! - **Indices** are 0-based, in input order.
//!
//! # Features
//! | feature | default | adds | without it |
//! |---|---|---|---|
//! | `std` | yes | the clock: [`ParallelResult::duration`], [`PoolStats::total_duration`](PoolStats#structfield.total_duration) | nothing is measured: these are not there |
//! | | | [`Progress::rate`] and [`eta`](Progress::eta) by the clock | they go by the time that [`after`](Progress::after) was given |
//! | | | `Pool::times`: quantiles of queue and run times | |
//! | | | a [`pool()`] keeps panics of jobs from its workers | they pass through to whoever polls |
//! | | | jitter that differs from process to process | it differs from operation to operation |
//! | `async-channel` | yes | [`channel_pool`]: jobs of one kind, sent through a channel | |
//! | `operation` | no | the module [`operation`]: streams of tokens. It brings serde_json and five more crates, and takes twice the time to build | |
//! | `test-util` | no | `VirtualClock` in [`time`], for tests that wait without waiting; needs `std` | |
//! | `tracing` | no | `traced` and `Trace`: a span for a run, and one for each task; one for each job of a pool, within that of whoever submitted it; with `operation`, one for each operation, with figures by the names of OpenTelemetry | |
//!
//! Everything else is there without `std`: all verbs, both pools, retries, timers, timeouts and operations.
//!
//! ## WebAssembly
//! For `wasm32-unknown-unknown`, the clock is the browser's. Nothing need be [`Send`], so tasks may hold JavaScript
//! values and await promises; what is spawned by `wasm_bindgen_futures::spawn_local` may be any verb or the driver of a
//! [`local_pool`]. Any function from a `Duration` to a future is a [`Timer`], such as `gloo_timers::future::sleep`. A
//! panic aborts there, so none is caught.
//!
//! ## Without `std`
//! Without default features the crate is `no_std` and needs `alloc`, and atomics of pointer size with compare-and-swap.
//! So it does not build for `thumbv6m-none-eabi`, where `alloc` has neither `Arc` nor `Wake`.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// What is shown must not warn when it is copied: above all, no result is left unused. Hidden lines may use what is
// shown.
#![doc(test(attr(deny(warnings), allow(dead_code, unused_variables))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[macro_use]
mod macros;

mod batched;
mod budget;
mod engine;
mod gather;
pub mod limit;
#[cfg(feature = "operation")]
pub mod operation;
mod outcome;
mod paginate;
mod parallel;
pub mod pool;
mod race;
pub mod rate;
pub mod retry;
mod run;
mod sequential;
mod sync;
mod task_group;
pub mod time;
#[cfg(feature = "tracing")]
mod trace;
pub mod types;

#[cfg(doc)]
#[path = "patterns.rs"]
pub mod _patterns;

// Their code is tested by a member of the workspace, next to the crates that they compare with.
#[cfg(all(doc, not(doctest)))]
#[path = "pages.rs"]
pub mod _pages;

pub use batched::{Batched, BatchedSettle, batched, batched_chunks};
pub use budget::Budget;
pub use gather::{Gather, JoinAll, TryGather, gather, join_all, try_gather};
#[doc(inline)]
pub use limit::Limit;
pub use outcome::{
    BoxError, BoxErrors, EndReason, Failures, Outcome, ParallelResult, RaceError, TaskError,
    TaskOutput,
};
pub use paginate::{Paginate, paginate};
pub use parallel::{
    ForEach, Parallel, ParallelOptions, ParallelStream, TryForEach, Values, parallel, parallel_map,
    parallel_map_stream, parallel_stream,
};
#[cfg(feature = "async-channel")]
#[doc(inline)]
pub use pool::{ChannelDriver, channel_pool};
#[doc(inline)]
pub use pool::{
    Driver, JobError, JobHandle, LocalDriver, LocalJobHandle, LocalPool, Pool, PoolBuilder,
    PoolError, PoolEvent, PoolOptions, PoolStats, local_pool, pool,
};
pub use race::{
    FallThrough, Hedge, Quorum, QuorumError, Race, RaceResult, RaceTasks, StaggerDelay,
    fall_through, race,
};
#[doc(inline)]
pub use rate::Rate;
#[doc(inline)]
pub use retry::{Retry, RetryError, RetryFuture, retry};
pub use run::{Consumed, Observer, Progress, StopOn, TaskTime, TaskTimes};
pub use sequential::{Sequential, sequential};
pub use task_group::{
    BoxTask, Group, LocalBoxTask, LocalGroup, Origin, TaskGroup, TaskGroupError, TaskGroupResult,
    TaskHandle, local_task_group, task_group,
};
#[doc(inline)]
pub use time::{Elapsed, TimeoutFuture, TimeoutOr, Timer, timeout};
#[cfg(feature = "tracing")]
pub use trace::{Trace, Traced, TracedTask, traced, traced_stream};
