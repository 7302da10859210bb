//! What pools promise.

#[path = "../support/mod.rs"]
mod support;

mod cancel;
mod capacity;
#[cfg(feature = "async-channel")]
mod channel;
mod contract;
mod drain;
mod driver;
mod feed;
mod panic;
mod times;
#[cfg(feature = "test-util")]
mod within;
