//! What all benchmarks share: the tasks that are run, the outside world that wakes them, and what is measured.
//!
//! Each library is used in a crate of its own, below `peers`, so that the code made for one does not depend on another.
//! Such a crate implements [`Scheme`] once for each way to run many tasks, and hands it out as a [`Contender`].
//!
//! ```text
//!  peers/*: a Scheme  ->  measure::<Scheme>  ->  Contender { name, run: fn(Job, Meter) -> f64 }
//!                            |        |
//!                         tasks     host: polls, and wakes from outside (board, threads)
//! ```

pub mod alloc;
mod board;
mod chunks;
mod contender;
mod host;
mod meter;
mod scheme;
mod set;
mod threads;
mod workload;

pub use board::yield_now;
pub use chunks::{each_chunk, each_race};
pub use contender::{Contender, Role, SCANS, floor, peer, subject, variant};
pub use host::{block_on, drive};
pub use meter::{Meter, allocations, nanoseconds, parent_polls, peak_bytes, polls};
pub use scheme::{Scheme, consume, values};
pub use set::{Set, collect, first_success, roll};
pub use workload::{Job, Run, Task, TaskResult, Workload, measure};
