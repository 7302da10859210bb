//! Sources of tokens: factories of streams, the primary one and its fallbacks.
//!
//! Sources are adaptors around one another, as iterators are. Each holds its open stream itself, so that an operation
//! names no type through a projection, which is what keeps it `Send` in an `async` block with borrowed data.
//!
//! ```text
//! Operation::new(a)               Streams(a, AsText)
//!     .classify(c)                With(Streams(a, AsText), ClassifyBy(c))
//!     .fallback(b)                Fallback(With(..), Streams(b, AsText))
//!     .on_event(f)                With(Fallback(..), OnEvent(f))
//!
//! Operation::chunks(a, text)      Streams(a, text)
//!     .on_chunk(f)                With(Streams(..), OnChunk(f))
//! ```

mod fallback;
mod first_token;
mod streams;

use core::pin::Pin;
use core::task::{Context, Poll};

use super::event::Event;
use crate::retry::Classification;
pub(super) use fallback::{Alike, Fallback, Fallbacks, Unlike};
pub use first_token::{FirstToken, FirstTokenOptions, FirstTokenStream, Races, first_token};
pub(super) use streams::NoText;
pub use streams::{AsText, Connection, Connects, OpenStream, Opener, Opens, Streams, TextOf};

/// Opens a stream of tokens for each attempt: the first parameter of an [`Operation`](super::Operation).
///
/// [`Operation::new`](super::Operation::new) makes one of a closure. The settings that take closures wrap it in others, so
/// that a function returns what it has set up by this trait:
///
/// ```
/// use abreast::operation::{Operation, Source};
/// use futures::stream;
///
/// fn ask(model: &'static str) -> Operation<impl Source<Error = String>> {
///     Operation::new(move || stream::iter([Ok(model)])).on_token(|token| print!("{token}"))
/// }
/// # assert_eq!(smol::block_on(ask("Hello")).unwrap().content, "Hello");
/// ```
///
/// It is implemented if it is known what kind of failures its errors are: they implement [`Classify`](super::Classify),
/// or [`classify`](super::Operation::classify) was called.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of tokens whose errors are classified",
    label = "not a classified source",
    note = "implement `Classify` for the error of the stream: `impl Classify for MyError {{}}` will do",
    note = "or call `.classify(|error| Category::Network)` right after `Operation::new`"
)]
pub trait Source: Tokens {
    #[doc(hidden)]
    fn classify(&self, error: &Self::Error) -> Classification;
}

/// Streams of tokens, and the handlers of what happens with them: a [`Source`] whose errors need not be classified yet.
pub trait Tokens {
    /// The error of its streams.
    type Error;
    /// The items of its streams: tokens of text, or chunks that may have some.
    type Chunk;

    /// Returns the number of sources: one, and one for each fallback.
    #[doc(hidden)]
    fn count(&self) -> usize {
        1
    }

    /// Opens a stream of the source at `index`, which is less than the count. No other stream is open.
    #[doc(hidden)]
    fn open(self: Pin<&mut Self>, index: usize);

    /// Drops the open stream, if there is one.
    #[doc(hidden)]
    fn close(self: Pin<&mut Self>);

    /// Polls the open stream.
    #[doc(hidden)]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Self::Chunk, Self::Error>>>;

    /// Returns the text of a chunk, if it is one of text.
    #[doc(hidden)]
    fn text<'c>(&self, chunk: &'c Self::Chunk) -> Option<&'c str>;

    /// Forgets what was kept of the attempt before.
    #[doc(hidden)]
    fn restart(self: Pin<&mut Self>) {}

    #[doc(hidden)]
    #[inline]
    fn on_chunk(self: Pin<&mut Self>, _: &Self::Chunk) {}

    /// Takes a chunk that nothing else needs any more.
    #[doc(hidden)]
    #[inline]
    fn consume(self: Pin<&mut Self>, chunk: Self::Chunk) {
        drop(chunk);
    }

    #[doc(hidden)]
    fn is_classified(&self) -> bool {
        false
    }

    #[doc(hidden)]
    fn wants_events(&self) -> bool {
        false
    }

    #[doc(hidden)]
    fn on_event(self: Pin<&mut Self>, _: &Event) {}

    #[doc(hidden)]
    fn on_token(self: Pin<&mut Self>, _: &str) {}
}
