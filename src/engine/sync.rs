//! The atomics that the ready set is built on, in one place: the loom model puts loom's in theirs.

pub(crate) use core::sync::atomic::{AtomicUsize, Ordering};
pub(crate) use futures::task::AtomicWaker;
