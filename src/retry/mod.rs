//! Retries: whether to try again, and when.
//!
//! [`retry()`](crate::retry()) tries any task again, and so do [operations](crate::operation) with their streams, by the same
//! policies.
//!
//! ```text
//! an attempt has failed with an error of some category, and the Rate is paused if the error asks for a delay
//!   |
//!   |  Retry: is any of `max_retries` left, and of `attempts` if it counts against those? Fatal errors have none
//!   |-- no ------------------------------------------> the end; for an operation, the next stream, with new retries
//!   |  closures of `should_retry`: do all allow it?
//!   |-- no ------------------------------------------> the same
//!   |  the delay: that of the first closure of `delay` that knows one,
//!   |    or else what the error asks for (`retry_after`, up to `max_delay`),
//!   |    or else Strategy, with jitter
//!   |  total time: would the attempt still start in time?
//!   |-- no ------------------------------------------> the end; for an operation, the next stream, if there is time for it
//!   |  Budget: is there a token for it, if it is shared?
//!   |-- no ------------------------------------------> the end, or the next stream
//!   v
//! another attempt after the delay, and when the Rate lets it start
//! ```

// `Retries::decide` puts these questions.

mod classify;
mod counts;
mod decision;
mod error;
mod future;
pub(crate) mod handlers;
mod jitter;
mod policy;
mod strategy;

use core::future::Future;

use crate::time::Timer;
pub use classify::{Category, Classification, Classify};
use counts::Counts;
#[cfg(feature = "operation")]
pub(crate) use decision::{Closures, Retries};
pub use error::{FailedTry, GiveUp, RetryError};
pub use future::RetryFuture;
pub use handlers::RetryHandler;
use jitter::Jitter;
pub(crate) use policy::Plan;
pub use policy::Retry;
pub use strategy::Strategy;

/// Runs a task, and runs it again if it fails, as often and after such delays as the policy says.
///
/// `open` makes the task of each attempt. It is a closure that returns a future of a `Result`, and may borrow.
///
/// ```
/// use std::time::Duration;
/// use abreast::{Retry, retry};
///
/// struct Client;
///
/// impl Client {
///     async fn fetch(&self, url: &str) -> Result<String, std::io::Error> {
///         // ...
/// #        Ok(url.to_uppercase())
///     }
/// }
///
/// #[tokio::main]
/// async fn main() {
///     let run = tokio::spawn(async {
///         let (client, url) = (Client, String::from("/health"));
///         retry(Retry::recommended(), tokio::time::sleep, || client.fetch(&url))
///             .total_time(Duration::from_secs(30))
///             .on_retry(|failed| eprintln!("attempt {}: {}", failed.attempt, failed.error))
///             .await
///     });
///     assert_eq!(run.await.unwrap().unwrap(), "/HEALTH");
/// }
/// ```
///
/// It is itself a task, so that each of many is tried again by itself. Clones of a policy with a
/// [`Budget`](crate::Budget) share it, so that all of them together do not call a service that is down twice as often:
///
/// ```
/// use std::{io, time::Duration};
/// use abreast::retry::{Category, Classification};
/// use abreast::{Budget, Retry, parallel, retry};
///
/// # async fn fetch(id: u32) -> Result<u32, io::Error> {
/// #     if id == 3 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(id) }
/// # }
/// # smol::block_on(async {
/// let policy = Retry::exponential().budget(Budget::percent(5));
/// # let policy = policy.base_delay(Duration::from_millis(1));
/// let result = parallel((0..10).map(|id| {
///     retry(policy.clone(), smol::Timer::after, move || fetch(id)).classify(Classification::of)
/// }))
/// .await;
/// assert_eq!(result.success_count(), 9);
/// assert_eq!(result[3].error().unwrap().failed[0].category, Category::Network);
/// # });
/// ```
///
/// The closure is called for each attempt. So an attempt owns a clone of what it needs, or borrows what is outside of
/// the closure, as above. What the closure itself holds may change from one attempt to the next, but an attempt cannot
/// borrow it, as an `async` closure would:
///
/// ```
/// use abreast::{Retry, retry};
/// # async fn send(_: String, attempt: u32) -> Result<u32, String> { Ok(attempt) }
///
/// # smol::block_on(async {
/// let (text, mut attempts) = (String::from("hello"), 0);
/// let sent = retry(Retry::recommended(), smol::Timer::after, move || {
///     attempts += 1;
///     send(text.clone(), attempts)
/// });
/// assert_eq!(sent.await, Ok(1));
/// # });
/// ```
///
/// Without [`classify`](RetryFuture::classify), every error is retried, up to [`attempts`](Retry::attempts) times.
///
/// # Order
/// An attempt starts on the first poll. It is dropped before its error is classified, before closures are called, and
/// before the delay begins. Of what follows an error, the [module](mod@crate::retry) has a drawing.
///
/// # Errors
/// [`RetryError`], with the errors of all attempts, and with the reason why there was no other.
///
/// # Cancel safety
/// Dropping it drops the attempt and the timer at once. The errors of the attempts before are lost, unless
/// [`on_retry`](RetryFuture::on_retry) has kept them.
///
/// # Panics
/// A panic of the task, a closure or the timer passes through to whoever polls this future, which must not be polled
/// again.
///
/// # Polls and allocations
/// Each attempt is polled once when it starts, and once per wake. An attempt that follows at once is left to another
/// poll, which this future wakes itself for. The timer is asked only for delays that are not zero and, if there is a
/// limit to the total time, once something is waited for. No allocations but those for the list of errors.
pub fn retry<F, Fut, M, T, E>(policy: Retry, timer: M, open: F) -> RetryFuture<F, Fut, M, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    M: Timer,
{
    let Retry {
        plan,
        predicates: (),
    } = policy;
    RetryFuture::new(plan, timer, open)
}
