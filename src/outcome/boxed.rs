//! Causes in boxes, so that `?` takes the errors of runs wherever it takes any error; and how these errors tell their
//! cause.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

/// Boxes the causes in an error of this crate, so that it is an [`Error`] for `?`.
///
/// `TaskError<E>` is an `Error` only if `E` is one, and neither `String`, nor `&str`, nor `anyhow::Error`, nor `Box<dyn
/// Error>` is. Whatever turns into a boxed error turns into one by `.boxed()`, on the error or on the result that has
/// it. Then `?` converts it: in a function that returns `anyhow::Result`, or whose error is a `Box<dyn Error + Send +
/// Sync>`.
///
/// ```
/// use abreast::{BoxErrors, parallel, race};
/// use std::error::Error;
///
/// async fn fetch(id: u32) -> Result<u32, String> {
///     // ...
/// #    if id == 3 { Err("refused".into()) } else { Ok(id) }
/// }
///
/// async fn sum() -> Result<u32, Box<dyn Error + Send + Sync>> {
///     let first = race([1, 2].map(fetch)).await.boxed()?;
///     let all = parallel((1..=3).map(fetch)).await.into_result().boxed()?;
///     Ok(first.value + all.iter().sum::<u32>())
/// }
///
/// # smol::block_on(async {
/// let error = sum().await.unwrap_err();
/// assert_eq!(error.to_string(), "task 2 failed");
/// assert_eq!(error.source().unwrap().to_string(), "refused");
/// # });
/// ```
pub trait BoxErrors {
    /// The same error, or result, with a [`BoxError`] for each cause.
    type Boxed;

    /// Puts each cause into a box.
    fn boxed(self) -> Self::Boxed;
}

impl<T, X: BoxErrors> BoxErrors for Result<T, X> {
    type Boxed = Result<T, X::Boxed>;

    fn boxed(self) -> Self::Boxed {
        self.map_err(X::boxed)
    }
}

/// A cause in a box: see [`BoxErrors`].
///
/// It displays as what is in the box, and has its source. In the [`source()`](Error::source) of the error that it is
/// the cause of, the box is left out, so a search through the chain finds the type that a task has returned.
///
/// ```
/// use abreast::{BoxErrors, sequential};
/// use std::{error::Error, io};
///
/// # smol::block_on(async {
/// let tasks = [async { Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)) }];
/// let error = sequential(tasks).await.boxed().unwrap_err();
/// let source = error.source().unwrap().downcast_ref::<io::Error>();
/// assert_eq!(source.unwrap().kind(), io::ErrorKind::TimedOut);
/// let boxed: Box<dyn Error + Send + Sync> = error.into_error().unwrap().into_inner();
/// assert!(boxed.is::<io::Error>());
/// # });
/// ```
pub struct BoxError(Box<dyn Error + Send + Sync>);

impl BoxError {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// Returns what is in the box.
    #[must_use]
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }

    /// Takes the error out of the box that was made for it.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl fmt::Debug for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for BoxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Writes what has failed, and `{:#}` adds the cause.
///
/// The rule for every error of the crate: the cause is what [`source`](Error::source) returns, and so `{}` leaves it
/// out, or it would be printed twice with the chain. `{:#}` is for those that print one error alone, or whose cause is
/// no `Error`.
pub(crate) fn write_failure(
    f: &mut fmt::Formatter<'_>,
    what: fmt::Arguments<'_>,
    cause: &impl fmt::Display,
) -> fmt::Result {
    f.write_fmt(what)?;
    // The cause is told in its own long form, so that a chain of our errors is told to its end.
    if f.alternate() {
        write!(f, ": {cause:#}")?;
    }
    Ok(())
}

/// Returns the cause as the next link of the chain, without the box if it is in one.
pub(crate) fn source_of<E: Error + 'static>(cause: &E) -> &(dyn Error + 'static) {
    let cause: &(dyn Error + 'static) = cause;
    match cause.downcast_ref::<BoxError>() {
        Some(boxed) => boxed.get_ref(),
        None => cause,
    }
}
