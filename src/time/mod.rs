//! Timers, timeouts and clocks.
//!
//! There is no timer in this crate. Whatever waits takes a [`Timer`], and the `sleep` function of every runtime is one:
//! `tokio::time::sleep`, `smol::Timer::after`, `async_std::task::sleep`, or a closure of your own. Tests take theirs
//! from a `VirtualClock` (feature `test-util`), and then neither wait nor depend on how fast the machine is.
//!
//! ```
//! use std::time::Duration;
//! use abreast::{Timer, timeout};
//!
//! // Whatever the runtime, and its future when called.
//! async fn patient(timer: impl Timer) -> bool {
//!     let slow = timer.sleep(Duration::from_millis(1));
//!     timeout(Duration::from_secs(5), timer.by_ref(), slow).await.is_ok()
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     assert!(patient(tokio::time::sleep).await);
//!     assert!(patient(smol::Timer::after).await);
//! }
//! ```

mod clock;
mod sleep;
mod timeout;
mod timer;
#[cfg(feature = "test-util")]
mod virtual_clock;

pub(crate) use clock::{Clock, Moment, Stopwatch};
pub(crate) use sleep::Sleep;
pub use timeout::{Elapsed, TimeoutFuture, TimeoutOr, timeout};
pub use timer::{Timer, TimerRef};
#[cfg(feature = "test-util")]
pub use virtual_clock::{VirtualClock, VirtualSleep, VirtualTimer};
