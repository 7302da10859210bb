//! Jobs that are submitted from anywhere and run by a fixed number of workers.
//!
//! ```
//! use abreast::Pool;
//!
//! #[tokio::main]
//! async fn main() {
//!     let builder = Pool::builder().worker_count(4).queue_capacity(100);
//!     let (pool, driver) = builder.build();
//!     let driver = tokio::spawn(driver);
//!
//!     // From anywhere: `Pool` is `Clone`, `Send` and `Sync`.
//!     let job = pool.execute(async { "6".parse::<u32>() }).expect("there is room");
//!     assert_eq!(job.await, Ok(6));
//!
//!     // What was accepted is finished, and then the driver ends.
//!     pool.shutdown().await;
//!     driver.await.unwrap();
//!     assert_eq!(pool.stats().total_succeeded, 1);
//! }
//! ```
//!
//! | | |
//! |---|---|
//! | [`pool`](crate::pool()), [`local_pool`], [`Pool::builder`] | create a pool |
//! | [`PoolBuilder`], [`PoolOptions`] | are its settings |
//! | [`Pool`], [`LocalPool`] | accept jobs |
//! | [`Pool::with_priority`], [`JobHandle::set_priority`] | have the urgent go first |
//! | [`Driver`], [`LocalDriver`], or a [`Worker`] for each | run them |
//! | [`JobHandle`], [`LocalJobHandle`] | resolve to what a job returns, or to a [`JobError`] |
//! | [`CancelOnDrop`] | cancels its job when it is dropped |
//! | [`Drain`], [`Shutdown`], [`ShutdownWithin`], [`ExecuteWhenRoom`], [`Feed`], [`RunUntil`] | are the futures of methods |
//! | [`ShutdownReport`], [`DrainReport`] | say what a shutdown or a drain has come to that was limited in time, or [`Reported`] and stopped |
//! | [`PoolStats`], [`PoolEvent`], [`JobOutcome`] | say what happens |
//! | `PoolTimes`, `Histogram` (feature `std`) | say how queue and run times are distributed |
//! | [`Kind`], [`Sendable`], [`Local`] | tell pools apart whose jobs are `Send` or not |

mod builder;
#[cfg(feature = "async-channel")]
mod channel;
mod driver;
mod error;
mod event;
mod feed;
mod gate;
mod gates;
mod handle;
mod inner;
mod job;
mod kind;
mod options;
mod pool;
mod rate;
mod span;
mod state;
mod stats;
mod stop;
#[cfg(feature = "std")]
mod times;
mod wait;
mod within;
mod worker;

pub use builder::PoolBuilder;
#[cfg(feature = "async-channel")]
pub use channel::{ChannelDriver, channel_pool};
pub use driver::{Driver, LocalDriver, RunUntil, Worker};
pub use error::{JobError, PoolError};
pub use event::PoolEvent;
pub use feed::Feed;
pub use handle::{CancelOnDrop, JobHandle, LocalJobHandle};
pub use kind::{Kind, Local, Sendable};
pub use options::PoolOptions;
pub use pool::{LocalPool, Pool};
#[cfg(feature = "operation")]
pub(crate) use span::JobSpan;
pub use stats::{DrainReport, JobOutcome, PoolStats, ShutdownReport};
pub use stop::Reported;
#[cfg(feature = "std")]
pub use times::{Histogram, PoolTimes};
pub use wait::{Drain, ExecuteWhenRoom, Shutdown};
pub use within::{DrainWithin, ShutdownWithin};

/// Creates a pool that runs at most `workers` jobs at any time, and the driver that runs it.
///
/// Jobs are submitted from anywhere, by [`execute`](Pool::execute). They run where the [`Driver`] is polled; nothing
/// is spawned by itself. For a limit to the queue and for hooks, see [`PoolBuilder`].
///
/// ```
/// use abreast::pool;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn fetch(page: u32) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(format!("page {page}"))
/// }
///
/// let (pool, driver) = pool(3);
/// let server = tokio::spawn(driver);
///
/// let first = pool.execute(fetch(1))?;
/// let second = pool.execute(fetch(2))?;
/// println!("{} and {}", first.await?, second.await?);
///
/// pool.shutdown().await;
/// server.await?;
/// # Ok(())
/// # }
/// ```
///
/// # Without `std`
/// A pool is shared by a lock that spins there, for a few instructions. So nothing of it may be used in an interrupt
/// handler, or a thread of a higher fixed priority on the same core, that may have interrupted others in their use of
/// it.
///
/// # Panics
/// If `workers` is 0: nothing could ever run.
#[track_caller]
pub fn pool(workers: usize) -> (Pool, Driver) {
    Pool::builder().worker_count(workers).build()
}

/// Creates a pool of tasks that stay on one thread, and so need not be `Send`: otherwise the same as
/// [`pool`](crate::pool()).
///
/// ```
/// use abreast::local_pool;
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = local_pool(3);
/// let sum = Rc::new(Cell::new(0));
/// for n in 1..=3 {
///     let sum = sum.clone();
///     _ = pool.execute(async move { Ok::<_, ()>(sum.set(sum.get() + n)) })?;
/// }
/// driver.run_until(pool.drain()).await;
/// assert_eq!(sum.get(), 6);
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
///
/// # Panics
/// If `workers` is 0: nothing could ever run.
#[track_caller]
pub fn local_pool(workers: usize) -> (LocalPool, LocalDriver) {
    Pool::builder().local().worker_count(workers).build()
}
