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
#[cfg(feature = "test-util")]
mod histogram;
mod limit;
mod panic;
mod priority;
#[cfg(feature = "test-util")]
mod rate;
mod row;
mod stop;
mod times;
#[cfg(feature = "test-util")]
mod within;
