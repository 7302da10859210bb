//! Closures that open streams.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::{Source, Tokens};
use crate::operation::classify::{Classification, Classify};

/// What becomes a [`Source`](super::Source): a closure that opens a stream, as often as it is called.
///
/// Every `FnMut() -> Stream` is one, and so is every `FnMut() -> Future<Output = Result<Stream, E>>`, for streams that must
/// first connect. The streams yield `Result<impl AsRef<str>, E>`, or `Result<C, E>` for an operation on
/// [chunks](crate::operation::Operation::chunks) `C`. The parameter `Via` distinguishes the two, and the compiler finds it.
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
pub trait IntoSource<Via> {
    /// The error of its streams.
    type Error;
    /// What its streams yield.
    type Chunk;
    /// What it becomes.
    type Source: OpenStream<Error = Self::Error, Chunk = Self::Chunk>;

    #[doc(hidden)]
    fn into_source(self) -> Self::Source;
}

/// Says that a closure returns its stream at once: see [`IntoSource`].
#[derive(Clone, Copy, Debug)]
pub enum Opens {}

/// Says that a closure must first connect: see [`IntoSource`].
#[derive(Clone, Copy, Debug)]
pub enum Connects {}

impl<F, St, C, E> IntoSource<Opens> for F
where
    F: FnMut() -> St,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;
    type Source = Streams<F, St>;

    fn into_source(self) -> Streams<F, St> {
        Streams {
            open: self,
            stream: None,
        }
    }
}

impl<F, Fut, St, C, E> IntoSource<Connects> for F
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;
    type Source = Connections<F, Fut, St>;

    fn into_source(self) -> Connections<F, Fut, St> {
        Connections {
            open: self,
            connection: Connection::Closed,
        }
    }
}

/// Opens streams, one at a time, whatever they yield, and keeps the one that is open.
pub trait OpenStream {
    /// The error of its streams.
    type Error;
    /// What its streams yield.
    type Chunk;

    /// Opens a stream. No other is open.
    #[doc(hidden)]
    fn open(self: Pin<&mut Self>);

    /// Drops the open stream, if there is one.
    #[doc(hidden)]
    fn close(self: Pin<&mut Self>);

    /// Polls the open stream.
    #[doc(hidden)]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Self::Chunk, Self::Error>>>;
}

pin_project! {
    /// The source that [`Operation::new`](crate::operation::Operation::new) makes of a closure that returns a stream.
    pub struct Streams<F, St> {
        open: F,
        #[pin]
        stream: Option<St>,
    }
}

impl<F, St, C, E> OpenStream for Streams<F, St>
where
    F: FnMut() -> St,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;

    fn open(self: Pin<&mut Self>) {
        let mut this = self.project();
        let stream = (this.open)();
        this.stream.set(Some(stream));
    }

    fn close(self: Pin<&mut Self>) {
        self.project().stream.set(None);
    }

    #[inline]
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<C, E>>> {
        let stream = self.project().stream.as_pin_mut();
        stream.expect("a stream is open").poll_next(cx)
    }
}

impl_debug!(Streams<F, St> |self| { is_open: self.stream.is_some() });

pin_project! {
    /// The source that [`Operation::new`](crate::operation::Operation::new) makes of a closure that returns a future of a stream.
    pub struct Connections<F, Fut, St> {
        open: F,
        #[pin]
        connection: Connection<Fut, St>,
    }
}

pin_project! {
    #[project = ConnectionProjection]
    enum Connection<Fut, St> {
        Closed,
        Connecting { #[pin] future: Fut },
        Connected { #[pin] stream: St },
    }
}

impl<F, Fut, St, C, E> OpenStream for Connections<F, Fut, St>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<C, E>>,
{
    type Error = E;
    type Chunk = C;

    fn open(self: Pin<&mut Self>) {
        let mut this = self.project();
        let future = (this.open)();
        this.connection.set(Connection::Connecting { future });
    }

    fn close(self: Pin<&mut Self>) {
        self.project().connection.set(Connection::Closed);
    }

    #[inline]
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<C, E>>> {
        let mut connection = self.project().connection;
        loop {
            let connected = match connection.as_mut().project() {
                ConnectionProjection::Connected { stream } => return stream.poll_next(cx),
                ConnectionProjection::Connecting { future } => ready!(future.poll(cx)),
                ConnectionProjection::Closed => panic!("no stream is open"),
            };
            match connected {
                Ok(stream) => connection.set(Connection::Connected { stream }),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl_debug!(Connections<F, Fut, St> |self| {
    is_open: !matches!(self.connection, Connection::Closed),
});

/// What opens streams of text is a source as it is.
macro_rules! sources_of_text {
    ($($name:ident<$($param:ident),*>;)*) => {$(
        impl<$($param),*> Tokens for $name<$($param),*>
        where
            Self: OpenStream<Chunk: AsRef<str>>,
        {
            type Error = <Self as OpenStream>::Error;
            type Chunk = <Self as OpenStream>::Chunk;

            fn open(self: Pin<&mut Self>, _: usize) {
                OpenStream::open(self);
            }

            fn close(self: Pin<&mut Self>) {
                OpenStream::close(self);
            }

            #[inline]
            fn poll_chunk(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<<Self as Tokens>::Chunk, <Self as Tokens>::Error>>> {
                OpenStream::poll_chunk(self, cx)
            }

            #[inline]
            fn text<'c>(&self, token: &'c <Self as Tokens>::Chunk) -> Option<&'c str> {
                Some(token.as_ref())
            }
        }

        impl<$($param),*> Source for $name<$($param),*>
        where
            Self: Tokens<Error: Classify>,
        {
            fn classify(&self, error: &<Self as Tokens>::Error) -> Classification {
                Classification::of(error)
            }
        }
    )*};
}

sources_of_text! {
    Streams<F, St>;
    Connections<F, Fut, St>;
}
