//! Operations that are submitted from anywhere and run by a fixed number of workers.

mod builder;
mod driver;
mod error;
mod handle;
mod hub;
mod kind;
mod ledger;
mod lock;
mod panic;
mod slot;
mod stats;
mod submit;
mod task;
mod wait;
mod worker;

pub use builder::{PoolBuilder, PoolEvent};
pub use driver::{Driver, LocalDriver, RunUntil, Worker};
pub use error::{OperationError, PoolError};
pub use handle::{LocalOperationHandle, OperationHandle};
pub use kind::{Calls, Kind, Local, Runs, Shared};
pub use stats::{Ending, PoolStats};
pub use submit::{LocalPool, Pool, local_pool, pool};
pub use wait::{Drain, ExecuteWhenRoom, Shutdown};
