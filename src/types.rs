//! The types in the signatures of verbs, for programs that keep a verb in a field and so must name its type.
//!
//! | type | stands for |
//! |---|---|
//! | [`OnStart`], [`OnProgress`], [`OnComplete`], [`OnError`] | a closure that was given to the method of that name |
//! | [`MappedSource`] | the items and the handler of [`batched`](crate::batched()) |
//! | [`ChunkedItems`] | the chunks of [`batched_chunks`](crate::batched_chunks) |
//! | [`Paused`] | the pause of [`Batched::pause`](crate::Batched::pause) |
//! | [`Gated`], [`Admitted`] | the source and the tasks of a run that goes by a [`Limit`](crate::Limit) |
//! | [`LimitGate`], [`LeaveLimit`] | what a run keeps of that limit |
//! | [`AdaptiveGate`], [`MeasuredPass`], [`Learn`] | what a run and its tasks keep of an [`AdaptiveLimit`](crate::limit::AdaptiveLimit) |
//! | [`RateGate`], [`LeaveRate`] | what a run keeps of a [`Rate`](crate::Rate) |
//! | [`MapSource`] | the items and the handler of [`parallel_map`](crate::parallel_map) |
//! | [`Keyed`] | its items where there are keys |
//! | [`Weigh`], [`Cost`], [`Both`] | what its items wait for: a weight, a cost, and both of two |
//! | [`AtOnce`], [`Staggered`], [`OneByOne`] | when the next task starts in a [`race`](crate::race()), [staggered](crate::Race::stagger) or not, and in a [`fall_through`](crate::fall_through) |
//! | [`ClassifyBy`], [`ShouldRetry`], [`DelayBy`], [`OnRetry`] | a closure that was given to the method of that name of a [`RetryFuture`](crate::RetryFuture), or for `DelayBy` to [`delay`](crate::RetryFuture::delay) |
//! | [`Listed`], [`Mixed`] | the two kinds of [`RaceTasks`](crate::RaceTasks): lists, and tuples |
//! | [`AsFinished`], [`InOrder`] | the order of [`Parallel::into_stream`](crate::Parallel::into_stream) and of [`Parallel::into_ordered_stream`](crate::Parallel::into_ordered_stream) |
//! | [`Deadline`] | the signal of [`Parallel::deadline`](crate::Parallel::deadline) |
//! | [`Iter`], [`IntoIter`] | the iterators of [`ParallelResult`](crate::ParallelResult) |
//!
//! ```
//! use std::future::{Ready, ready};
//! use abreast::{Parallel, Progress, parallel, types::OnProgress};
//! use futures::stream;
//!
//! type Task = Ready<Result<u32, String>>;
//! type Tasks = stream::Iter<std::vec::IntoIter<Task>>;
//!
//! struct Download {
//!     run: Parallel<Tasks, Task, u32, String, ((), OnProgress<fn(Progress)>)>,
//! }
//!
//! let print: fn(Progress) = |progress| println!("{progress}");
//! let download = Download { run: parallel(vec![ready(Ok(1)), ready(Ok(2))]).on_progress(print) };
//! # assert!(smol::block_on(download.run).all_succeeded());
//! ```

pub use crate::batched::{ChunkedItems, MappedSource, Paused};
pub use crate::limit::{AdaptiveGate, Learn, LeaveLimit, LimitGate, MeasuredPass};
pub use crate::outcome::{IntoIter, Iter};
pub use crate::parallel::{Both, Cost, Keyed, MapSource, Weigh};
pub use crate::race::{AtOnce, Listed, Mixed, OneByOne, Staggered};
pub use crate::rate::{LeaveRate, RateGate};
pub use crate::retry::handlers::{ClassifyBy, DelayBy, OnRetry, ShouldRetry};
pub use crate::run::sink::{AsFinished, InOrder};
pub use crate::run::{Admitted, Deadline, Gated, OnComplete, OnError, OnProgress, OnStart};
