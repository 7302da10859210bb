//! What pools, task groups and operations share to work across threads.

pub(crate) mod lock;
pub(crate) mod panic;

pub(crate) use lock::Lock;
