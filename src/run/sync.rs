//! What the waker of a consumer is built on, in one place: the loom model puts loom's in theirs.

pub(super) use core::sync::atomic::{AtomicBool, Ordering};
pub(super) use futures::task::AtomicWaker;
