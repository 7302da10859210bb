//! The types in the signatures of verbs, for programs that keep a verb in a field and so must name its type.
//!
//! | type | stands for |
//! |---|---|
//! | [`OnProgress`], [`OnComplete`], [`OnError`] | a closure that was given to the method of that name |
//! | [`MappedSource`] | the items and the handler of [`batched`](crate::batched()) |
//! | [`ChunkedItems`] | the chunks of [`batched_chunks`](crate::batched_chunks) |
//! | [`Paused`] | the pause of [`Batched::pause`](crate::Batched::pause) |
//! | [`AtOnce`], [`Staggered`], [`OneByOne`] | when the next task starts in a [`race`](crate::race()), [staggered](crate::Race::stagger) or not, and in a [`fall_through`](crate::fall_through) |
//! | [`Listed`], [`Mixed`] | the two kinds of [`RaceTasks`](crate::RaceTasks): lists, and tuples |
//! | [`AsFinished`], [`InOrder`] | the order of [`Parallel::into_stream`](crate::Parallel::into_stream) and of [`Parallel::into_ordered_stream`](crate::Parallel::into_ordered_stream) |
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
pub use crate::outcome::{IntoIter, Iter};
pub use crate::race::{AtOnce, Listed, Mixed, OneByOne, Staggered};
pub use crate::run::sink::{AsFinished, InOrder};
pub use crate::run::{OnComplete, OnError, OnProgress};
