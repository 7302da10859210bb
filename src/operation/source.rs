//! Where tokens come from: factories of streams, the primary one and its fallbacks.
//!
//! Sources are adaptors around one another, as iterators are. Each holds its open stream itself, so that an operation names
//! no type through a projection, which is what keeps it `Send` in an `async` block with borrowed data.
//!
//! ```text
//! Operation::new(a)          Streams(a)
//!     .classify(c)           Classified(Streams(a), c)
//!     .fallback(b)           Fallback(Classified(Streams(a), c), Connections(b))
//!     .on_event(f)           With(Fallback(..), OnEvent(f))
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::classify::{Classification, Classify};
use super::event::Event;

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
/// It is implemented if it is known what kind of failures its errors are: they implement [`Classify`], or
/// [`classify`](super::Operation::classify) was called.
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
    #[doc(hidden)]
    type Token;

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
    fn poll_token(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Self::Token, Self::Error>>>;

    /// Returns the text of a token.
    #[doc(hidden)]
    fn text<'t>(&self, token: &'t Self::Token) -> &'t str;

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

/// What becomes a [`Source`]: a closure that opens a stream of tokens, as often as it is asked to.
///
/// Every `FnMut() -> Stream` is one, and so is every `FnMut() -> Future<Output = Result<Stream, E>>`, for streams that must
/// first connect. The streams yield `Result<impl AsRef<str>, E>`. The parameter `Via` tells the two apart, and the compiler
/// finds it.
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
    message = "`{Self}` does not open a stream of tokens",
    label = "not a source of tokens",
    note = "pass a closure without arguments that returns a `Stream` of `Result<impl AsRef<str>, E>`",
    note = "or one that returns a future of `Result<S, E>`, where `S` is such a stream"
)]
pub trait IntoSource<Via> {
    /// The error of its streams.
    type Error;
    /// What it becomes.
    type Source: Tokens<Error = Self::Error>;

    #[doc(hidden)]
    fn into_source(self) -> Self::Source;
}

/// Says that a closure returns its stream at once: see [`IntoSource`].
#[derive(Clone, Copy, Debug)]
pub enum Opens {}

/// Says that a closure must first connect: see [`IntoSource`].
#[derive(Clone, Copy, Debug)]
pub enum Connects {}

impl<F, St, T, E> IntoSource<Opens> for F
where
    F: FnMut() -> St,
    St: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Source = Streams<F, St>;

    fn into_source(self) -> Streams<F, St> {
        Streams {
            open: self,
            stream: None,
        }
    }
}

impl<F, Fut, St, T, E> IntoSource<Connects> for F
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Source = Connections<F, Fut, St>;

    fn into_source(self) -> Connections<F, Fut, St> {
        Connections {
            open: self,
            connection: Connection::Closed,
        }
    }
}

pin_project! {
    /// The source that [`Operation::new`](super::Operation::new) makes of a closure that returns a stream.
    pub struct Streams<F, St> {
        open: F,
        #[pin]
        stream: Option<St>,
    }
}

impl<F, St, T, E> Tokens for Streams<F, St>
where
    F: FnMut() -> St,
    St: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Token = T;

    fn open(self: Pin<&mut Self>, _: usize) {
        let mut this = self.project();
        let stream = (this.open)();
        this.stream.set(Some(stream));
    }

    fn close(self: Pin<&mut Self>) {
        self.project().stream.set(None);
    }

    #[inline]
    fn poll_token(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let stream = self.project().stream.as_pin_mut();
        stream.expect("a stream is open").poll_next(cx)
    }

    #[inline]
    fn text<'t>(&self, token: &'t T) -> &'t str {
        token.as_ref()
    }
}

impl<F, St> Source for Streams<F, St>
where
    Self: Tokens<Error: Classify>,
{
    fn classify(&self, error: &Self::Error) -> Classification {
        Classification::of(error)
    }
}

impl_debug!(Streams<F, St> |self| { is_open: self.stream.is_some() });

pin_project! {
    /// The source that [`Operation::new`](super::Operation::new) makes of a closure that returns a future of a stream.
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

impl<F, Fut, St, T, E> Tokens for Connections<F, Fut, St>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<St, E>>,
    St: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Token = T;

    fn open(self: Pin<&mut Self>, _: usize) {
        let mut this = self.project();
        let future = (this.open)();
        this.connection.set(Connection::Connecting { future });
    }

    fn close(self: Pin<&mut Self>) {
        self.project().connection.set(Connection::Closed);
    }

    #[inline]
    fn poll_token(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
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

    #[inline]
    fn text<'t>(&self, token: &'t T) -> &'t str {
        token.as_ref()
    }
}

impl<F, Fut, St> Source for Connections<F, Fut, St>
where
    Self: Tokens<Error: Classify>,
{
    fn classify(&self, error: &Self::Error) -> Classification {
        Classification::of(error)
    }
}

impl_debug!(Connections<F, Fut, St> |self| {
    is_open: !matches!(self.connection, Connection::Closed),
});

/// A token of one source or of another.
#[derive(Debug)]
pub(super) enum Either<A, B> {
    A(A),
    B(B),
}

pin_project! {
    /// A source, and another to fall back on. The handlers and the classification are those of the first.
    pub(super) struct Fallback<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
        // Whether the open stream is of the second one.
        in_second: bool,
    }
}

impl<A, B> Fallback<A, B> {
    pub(super) const fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            in_second: false,
        }
    }
}

impl<A: Tokens, B: Tokens<Error = A::Error>> Tokens for Fallback<A, B> {
    type Error = A::Error;
    type Token = Either<A::Token, B::Token>;

    fn count(&self) -> usize {
        self.first.count() + self.second.count()
    }

    fn open(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        match index.checked_sub(this.first.count()) {
            None => {
                *this.in_second = false;
                this.first.open(index);
            }
            Some(index) => {
                *this.in_second = true;
                this.second.open(index);
            }
        }
    }

    fn close(self: Pin<&mut Self>) {
        let this = self.project();
        if *this.in_second {
            this.second.close();
        } else {
            this.first.close();
        }
    }

    #[inline]
    fn poll_token(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Self::Token, A::Error>>> {
        let this = self.project();
        if *this.in_second {
            let token = ready!(this.second.poll_token(cx));
            Poll::Ready(token.map(|token| token.map(Either::B)))
        } else {
            let token = ready!(this.first.poll_token(cx));
            Poll::Ready(token.map(|token| token.map(Either::A)))
        }
    }

    #[inline]
    fn text<'t>(&self, token: &'t Self::Token) -> &'t str {
        match token {
            Either::A(token) => self.first.text(token),
            Either::B(token) => self.second.text(token),
        }
    }

    fn is_classified(&self) -> bool {
        self.first.is_classified()
    }

    fn wants_events(&self) -> bool {
        self.first.wants_events()
    }

    fn on_event(self: Pin<&mut Self>, event: &Event) {
        self.project().first.on_event(event);
    }

    #[inline]
    fn on_token(self: Pin<&mut Self>, token: &str) {
        self.project().first.on_token(token);
    }
}

impl<A: Source, B: Tokens<Error = A::Error>> Source for Fallback<A, B> {
    fn classify(&self, error: &A::Error) -> Classification {
        self.first.classify(error)
    }
}

/// Any number of sources of one type, to fall back on.
pub(super) struct Fallbacks<S> {
    sources: Vec<Pin<Box<S>>>,
    /// The one whose stream is open.
    index: usize,
}

impl<S> FromIterator<S> for Fallbacks<S> {
    fn from_iter<I: IntoIterator<Item = S>>(sources: I) -> Self {
        Self {
            sources: sources.into_iter().map(Box::pin).collect(),
            index: 0,
        }
    }
}

impl<S: Tokens> Tokens for Fallbacks<S> {
    type Error = S::Error;
    type Token = S::Token;

    fn count(&self) -> usize {
        self.sources.len()
    }

    fn open(mut self: Pin<&mut Self>, index: usize) {
        self.index = index;
        self.sources[index].as_mut().open(0);
    }

    fn close(mut self: Pin<&mut Self>) {
        let index = self.index;
        self.sources[index].as_mut().close();
    }

    fn poll_token(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<S::Token, S::Error>>> {
        let index = self.index;
        self.sources[index].as_mut().poll_token(cx)
    }

    fn text<'t>(&self, token: &'t S::Token) -> &'t str {
        self.sources[self.index].text(token)
    }
}
