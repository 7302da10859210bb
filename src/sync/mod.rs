//! What pools, task groups and operations share to work across threads.

pub(crate) mod lock;
pub(crate) mod oneshot;
pub(crate) mod panic;

pub(crate) use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) use lock::Lock;
pub(crate) use oneshot::Oneshot;
