//! Keeps panics of handlers and rules from operations. Without `std` they pass through.

use alloc::string::String;

#[cfg(not(feature = "std"))]
#[inline]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    Ok(f())
}

/// What panics is told of, or never looked at again.
#[cfg(feature = "std")]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => Some(String::from(*message)),
            None => payload.downcast_ref::<String>().cloned(),
        };
        // A payload may panic when it is dropped, and so may what that one panics with.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        dropped.unwrap_or_else(core::mem::forget);
        message.unwrap_or_else(|| String::from("with a payload that is no text"))
    })
}
