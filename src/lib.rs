//! Runs futures abreast: side by side, bounded in a rolling window, raced, one after another or in batches.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod batched;
mod engine;
mod observer;
mod outcome;
mod parallel;
mod race;
mod run;
mod sequential;
mod sink;
mod time;

pub use batched::{Batched, BatchedSettle, batched};
pub use observer::{Observer, Progress};
pub use outcome::{Failures, Outcome, ParallelResult, RaceError, TaskError};
pub use parallel::{Parallel, ParallelOptions, ParallelStream, parallel, parallel_stream};
pub use race::{Race, RaceResult, race};
pub use sequential::{Sequential, sequential};
