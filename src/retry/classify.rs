//! Categories of errors.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::outcome::Failures;

/// The kind of failure that an error is, and so whether trying again may help.
///
/// | category | what belongs there | retried | counts against [`attempts`](super::Retry::attempts) |
/// |---|---|---|---|
/// | `Network` | connection refused, reset, dropped; names not resolved | yes | no |
/// | `Transient` | rate limits (429), faults of the server (5xx), both token timeouts | yes | no |
/// | `Model` | anything else, of a model or not | yes | yes |
/// | `Content` | a recoverable violation of a guardrail | yes | yes |
/// | `Fatal` | authentication, a violation that is not recoverable | never | |
///
/// All retries count against [`max_retries`](super::Retry::max_retries). Fallbacks are tried after every category.
///
/// ```
/// use abreast::retry::{Category, Classify};
/// use std::io;
///
/// assert_eq!(io::Error::from(io::ErrorKind::ConnectionReset).category(), Category::Network);
/// assert_eq!("no idea what it is".category(), Category::Model);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The connection failed.
    Network,
    /// It will pass: too many requests, a fault of the server, a timeout.
    Transient,
    /// It is not known what failed, or it was the model.
    Model,
    /// The content did not pass a guardrail, and may when it is asked for again.
    Content,
    /// Trying again would not help.
    Fatal,
}

impl Category {
    /// Returns the category of an HTTP status that is an error.
    ///
    /// | status | category |
    /// |---|---|
    /// | 408, 409, 425, 429, 5xx | `Transient`: the server was too slow, too busy, or at fault |
    /// | 400 to 405, 407, 410, 413, 414, 415, 422, 451 | `Fatal`: the same request would fail again |
    /// | all others | `Model` |
    ///
    /// ```
    /// use abreast::retry::Category;
    ///
    /// assert_eq!(Category::from_status(429), Category::Transient);
    /// assert_eq!(Category::from_status(529), Category::Transient);
    /// assert_eq!(Category::from_status(401), Category::Fatal);
    /// ```
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            400..=405 | 407 | 410 | 413..=415 | 422 | 451 => Self::Fatal,
            408 | 409 | 425 | 429 | 500..=599 => Self::Transient,
            _ => Self::Model,
        }
    }

    /// Returns this category, with the time after which the other side wants to be asked again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::retry::Category;
    ///
    /// let limited = Category::Transient.retry_after(Duration::from_secs(2));
    /// assert_eq!(limited.category, Category::Transient);
    /// assert_eq!(limited.retry_after, Some(Duration::from_secs(2)));
    /// ```
    #[must_use]
    pub const fn retry_after(self, delay: Duration) -> Classification {
        Classification {
            category: self,
            retry_after: Some(delay),
        }
    }

    /// Returns whether retries count against the attempts of the model.
    #[cfg(feature = "operation")]
    pub(crate) const fn is_of_model(self) -> bool {
        matches!(self, Self::Model | Self::Content)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Transient => "transient",
            Self::Model => "model",
            Self::Content => "content",
            Self::Fatal => "fatal",
        })
    }
}

/// A category, and when to try again.
///
/// A closure that is given to [`RetryFuture::classify`](super::RetryFuture::classify) or
/// [`Operation::classify`](crate::operation::Operation::classify) returns one; a [`Category`] turns into one.
///
/// ```
/// use abreast::retry::{Category, Classification};
///
/// assert_eq!(Classification::from(Category::Model).retry_after, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Classification {
    /// The category.
    pub category: Category,
    /// The time after which the other side wants to be asked again, if it said so.
    pub retry_after: Option<Duration>,
}

impl Classification {
    /// Returns what an error says of itself: a closure for [`RetryFuture::classify`](super::RetryFuture::classify).
    ///
    /// ```
    /// use std::io;
    /// use abreast::retry::{Category, Classification};
    ///
    /// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    /// assert_eq!(Classification::of(&refused), Category::Network.into());
    /// ```
    #[must_use]
    pub fn of<E: Classify>(error: &E) -> Self {
        Self {
            category: error.category(),
            retry_after: error.retry_after(),
        }
    }
}

impl From<Category> for Classification {
    fn from(category: Category) -> Self {
        Self {
            category,
            retry_after: None,
        }
    }
}

/// Says what kind of failure an error is.
///
/// Both methods have defaults, so `impl Classify for MyError {}` will do: everything is then retried as
/// [`Category::Model`].
///
/// ```
/// use std::time::Duration;
/// use abreast::retry::{Category, Classify};
///
/// enum ApiError {
///     Connection(std::io::Error),
///     Status { code: u16, retry_after: Option<Duration> },
/// }
///
/// impl Classify for ApiError {
///     fn category(&self) -> Category {
///         match self {
///             Self::Connection(_) => Category::Network,
///             Self::Status { code, .. } => Category::from_status(*code),
///         }
///     }
///
///     fn retry_after(&self) -> Option<Duration> {
///         match self {
///             Self::Status { retry_after, .. } => *retry_after,
///             Self::Connection(_) => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "it is not known what kind of failure `{Self}` is",
    label = "an error without a category",
    note = "implement `Classify` for it: `impl Classify for MyError {{}}` will do, as both methods have defaults",
    note = "or call `.classify(|error| Category::Network)` right after `Operation::new`"
)]
pub trait Classify {
    /// Returns the category; [`Category::Model`] unless said otherwise.
    fn category(&self) -> Category {
        Category::Model
    }

    /// Returns the time after which the other side wants to be asked again, if it said so.
    ///
    /// It is honoured up to [`max_delay`](super::Retry::max_delay).
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl Classify for Infallible {}
impl Classify for () {}
impl Classify for String {}
impl Classify for str {}

impl<E: Classify + ?Sized> Classify for &E {
    fn category(&self) -> Category {
        (**self).category()
    }

    fn retry_after(&self) -> Option<Duration> {
        (**self).retry_after()
    }
}

impl<E: Classify> Classify for Arc<E> {
    fn category(&self) -> Category {
        (**self).category()
    }

    fn retry_after(&self) -> Option<Duration> {
        (**self).retry_after()
    }
}

/// As the last error that is not [fatal](Category::Fatal); fatal if all are.
impl<E: Classify> Classify for Failures<E> {
    fn category(&self) -> Category {
        decisive(self).map_or(Category::Fatal, Classify::category)
    }

    fn retry_after(&self) -> Option<Duration> {
        decisive(self)?.retry_after()
    }
}

/// Returns the last error that is not fatal.
fn decisive<E: Classify>(failures: &Failures<E>) -> Option<&E> {
    let errors = failures.iter().map(|(_, error)| error);
    errors
        .filter(|error| error.category() != Category::Fatal)
        .last()
}

/// By its kind, not by its message.
#[cfg(feature = "std")]
impl Classify for std::io::Error {
    fn category(&self) -> Category {
        use std::io::ErrorKind::*;

        // The connection, what passes, and what a retry would not help. All else is the model's until proven otherwise.
        match self.kind() {
            ConnectionRefused | ConnectionReset | ConnectionAborted | NotConnected | BrokenPipe
            | UnexpectedEof | AddrNotAvailable | HostUnreachable | NetworkUnreachable
            | NetworkDown => Category::Network,
            TimedOut | Interrupted | WouldBlock | ResourceBusy => Category::Transient,
            PermissionDenied => Category::Fatal,
            _ => Category::Model,
        }
    }
}

/// As the `std::io::Error` that it is, or else [`Category::Model`].
impl Classify for Box<dyn Error + Send + Sync> {
    fn category(&self) -> Category {
        #[cfg(feature = "std")]
        if let Some(error) = self.downcast_ref::<std::io::Error>() {
            return error.category();
        }
        Category::Model
    }
}
