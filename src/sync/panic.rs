//! Keeps panics of foreign code from workers and operations. Without `std` they pass through.

use alloc::string::String;

/// The message of a panic.
#[derive(Debug)]
pub(crate) struct Panic(String);

impl Panic {
    pub(crate) fn into_message(self) -> String {
        self.0
    }
}

/// Creates what stands for a panic that was not caught, as there is no `std` to catch it with.
#[cfg(not(feature = "std"))]
pub(crate) fn uncaught() -> Panic {
    Panic(String::from(
        "it was not caught: that needs the feature `std`",
    ))
}

#[cfg(not(feature = "std"))]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    Ok(f())
}

/// Calls `f`, and returns its panic if there is one. What has panicked must not be used again, other than to be
/// dropped.
#[cfg(feature = "std")]
#[inline]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    catch_unwind(AssertUnwindSafe(f)).map_err(Panic::from_payload)
}

#[cfg(feature = "std")]
impl Panic {
    #[cold]
    fn from_payload(payload: alloc::boxed::Box<dyn core::any::Any + Send>) -> Self {
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => Some(String::from(*message)),
            None => payload.downcast_ref::<String>().cloned(),
        };
        // A payload may panic when it is dropped, and so may what that one panics with.
        let dropped = catch(|| drop(payload));
        drop(dropped);
        Self(message.unwrap_or_else(|| String::from("with a payload that is no text")))
    }
}
