//! Closures that open streams.
//!
//! ```text
//!                     open                   close
//!   Streams      no stream -----> a stream -----> no stream
//!
//!                      the future is ready: Ok
//!   Connection   Connecting -------------------> Connected: yields what its stream yields
//!                   '--------------------------> yields the error, with which the attempt ends
//!                      the future is ready: Err
//! ```

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::{Source, Tokens};
use crate::retry::{Classification, Classify};

/// Opens a stream each time that it is called: a closure that becomes a [`Source`].
///
/// Every `FnMut() -> Stream` does, and so does every `FnMut() -> Future<Output = Result<Stream, E>>`, for streams that
/// must first connect. The streams yield `Result<impl AsRef<str>, E>`, or `Result<C, E>` for an operation on
/// [chunks](crate::operation::Operation::chunks) `C`. The parameter `Via` distinguishes the two, and the compiler finds
/// it.
///
/// ```
/// use abreast::operation::Operation;
/// use futures::stream;
///
/// # smol::block_on(async {
/// let at_hand = Operation::new(|| stream::iter(["Hel", "lo"].map(Ok::<_, String>)));
/// assert_eq!(at_hand.run().await?.content, "Hello");
///
/// async fn connect() -> Result<impl futures::Stream<Item = Result<String, String>>, String> {
///     Ok(stream::iter([Ok("Hello".to_owned())]))
/// }
/// assert_eq!(Operation::new(connect).run().await?.content, "Hello");
/// # Ok::<_, abreast::operation::OperationFailure<String>>(())
/// # }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not open a stream of results",
    label = "not a source of tokens",
    note = "pass a closure without arguments that returns a `Stream` of `Result<impl AsRef<str>, E>`",
    note = "or one that returns a future of `Result<S, E>`, where `S` is such a stream"
)]
pub trait OpenStream<Via> {
    /// The error of its streams.
    type Error;
    /// The items of its streams.
    type Chunk;
    /// The streams, which connect first if they must.
    type Stream: Stream<Item = Result<Self::Chunk, Self::Error>>;
    /// The source of text that it becomes, if the chunks are text.
    #[doc(hidden)]
    type Source;

    #[doc(hidden)]
    fn open(&mut self) -> Self::Stream;

    #[doc(hidden)]
    fn into_source(self) -> Self::Source;
}

/// Says that a closure returns its stream at once: see [`OpenStream`].
#[derive(Clone, Copy, Debug)]
pub enum Opens {}

/// Says that a closure must first connect: see [`OpenStream`].
#[derive(Clone, Copy, Debug)]
pub enum Connects {}

impl<F, St, C, E> OpenStream<Opens> for F
where
    F: FnMut() -> St,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;
    type Stream = St;
    type Source = Streams<Opener<F, Opens>, St>;

    fn open(&mut self) -> St {
        self()
    }

    fn into_source(self) -> Self::Source {
        Streams::new(self, AsText)
    }
}

impl<F, Fut, St, C, E> OpenStream<Connects> for F
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;
    type Stream = Connection<Fut, St>;
    type Source = Streams<Opener<F, Connects>, Connection<Fut, St>>;

    fn open(&mut self) -> Connection<Fut, St> {
        let state = ConnectionState::Connecting { future: self() };
        Connection { state }
    }

    fn into_source(self) -> Self::Source {
        Streams::new(self, AsText)
    }
}

pin_project! {
    /// Connects first, and then yields what its stream yields: the stream of a closure that returns a future of a
    /// stream.
    pub struct Connection<Fut, St> {
        #[pin]
        state: ConnectionState<Fut, St>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum ConnectionState<Fut, St> {
        Connecting { #[pin] future: Fut },
        Connected { #[pin] stream: St },
    }
}

impl<Fut, St, C, E> Stream for Connection<Fut, St>
where
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<C, E>>,
{
    type Item = Result<C, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<C, E>>> {
        let mut state = self.project().state;
        loop {
            let connected = match state.as_mut().project() {
                StateProjection::Connected { stream } => return stream.poll_next(cx),
                StateProjection::Connecting { future } => ready!(future.poll(cx)),
            };
            // The stream takes the place of the future that it comes from, and is polled at once.
            match connected {
                Ok(stream) => state.set(ConnectionState::Connected { stream }),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// A closure, with the way in which it [opens a stream](OpenStream).
pub struct Opener<F, Via> {
    open: F,
    via: PhantomData<fn() -> Via>,
}

/// Tells the text of a chunk: [`AsText`], or the closure that was given to
/// [`Operation::chunks`](crate::operation::Operation::chunks).
#[diagnostic::on_unimplemented(
    message = "the streams do not yield text, but `{C}`",
    label = "the items of the stream must be `Result<impl AsRef<str>, E>`",
    note = "for chunks of another type, say what their text is: `Operation::chunks(open, |chunk: &Chunk| chunk.text.as_deref())`"
)]
pub trait TextOf<C> {
    /// Returns the text of a chunk, if it is one of text.
    fn text_of<'c>(&self, chunk: &'c C) -> Option<&'c str>;
}

/// Takes chunks that are text as they are: [`TextOf`] the tokens of
/// [`Operation::new`](crate::operation::Operation::new).
#[derive(Clone, Copy, Debug)]
pub struct AsText;

impl<C: AsRef<str>> TextOf<C> for AsText {
    #[inline]
    fn text_of<'c>(&self, chunk: &'c C) -> Option<&'c str> {
        Some(chunk.as_ref())
    }
}

/// Stands in for the text of a fallback on the same chunks, whose text is told by the first source. It is not a
/// function of the chunk, as an operation whose type names one through a projection would not be `Send` in an `async`
/// block.
pub(in crate::operation) struct NoText;

impl<C> TextOf<C> for NoText {
    fn text_of<'c>(&self, _: &'c C) -> Option<&'c str> {
        None
    }
}

impl<C, X: Fn(&C) -> Option<&str>> TextOf<C> for X {
    #[inline]
    fn text_of<'c>(&self, chunk: &'c C) -> Option<&'c str> {
        self(chunk)
    }
}

pin_project! {
    /// The source that [`Operation::new`](crate::operation::Operation::new) and
    /// [`Operation::chunks`](crate::operation::Operation::chunks) make of a closure: an [`Opener`], its open stream,
    /// and what tells the text of a chunk.
    pub struct Streams<O, St, X = AsText> {
        opener: O,
        #[pin]
        stream: Option<St>,
        text: X,
    }
}

impl<F, Via, St, X> Streams<Opener<F, Via>, St, X> {
    pub(in crate::operation) const fn new(open: F, text: X) -> Self {
        Self {
            opener: Opener {
                open,
                via: PhantomData,
            },
            stream: None,
            text,
        }
    }
}

impl<F, Via, St, X> Tokens for Streams<Opener<F, Via>, St, X>
where
    F: OpenStream<Via, Stream = St>,
    St: Stream<Item = Result<F::Chunk, F::Error>>,
    X: TextOf<F::Chunk>,
{
    type Error = F::Error;
    type Chunk = F::Chunk;

    fn open(self: Pin<&mut Self>, _: usize) {
        let mut this = self.project();
        // Opened before it is put into place, so that a panic leaves nothing open.
        let stream = this.opener.open.open();
        this.stream.set(Some(stream));
    }

    fn close(self: Pin<&mut Self>) {
        self.project().stream.set(None);
    }

    #[inline]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<F::Chunk, F::Error>>> {
        let stream = self.project().stream.as_pin_mut();
        stream.expect("a stream is open").poll_next(cx)
    }

    #[inline]
    fn text<'c>(&self, chunk: &'c F::Chunk) -> Option<&'c str> {
        self.text.text_of(chunk)
    }
}

impl<O, St, X> Source for Streams<O, St, X>
where
    Self: Tokens<Error: Classify>,
{
    fn classify(&self, error: &Self::Error) -> Classification {
        Classification::of(error)
    }
}

impl_debug! { Opener<F, Via> {} }
impl_debug!(Connection<Fut, St> |self| {
    is_connected: matches!(self.state, ConnectionState::Connected { .. }),
});
impl_debug!(Streams<O, St, X> |self| { is_open: self.stream.is_some() });
