//! Where tokens come from: factories of streams, the primary one and its fallbacks.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

/// Opens a stream of tokens, as often as it is asked to.
///
/// Every `FnMut() -> Stream` is a source, and so is every `FnMut() -> Future<Output = Result<Stream, E>>`, for streams that
/// must first connect. The streams yield `Result<impl AsRef<str>, E>`. The parameter `Via` tells the two apart, and the
/// compiler finds it.
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
pub trait Source<Via> {
    /// How its streams fail.
    type Error;
    /// What it opens.
    #[doc(hidden)]
    type Tokens: Tokens<Error = Self::Error>;

    /// Opens a stream.
    #[doc(hidden)]
    fn open(&mut self) -> Self::Tokens;
}

/// Says that a [`Source`] has its stream at once.
#[derive(Clone, Copy, Debug)]
pub enum Opens {}

/// Says that a [`Source`] must first connect.
#[derive(Clone, Copy, Debug)]
pub enum Connects {}

impl<F, S, T, E> Source<Opens> for F
where
    F: FnMut() -> S,
    S: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Tokens = S;

    fn open(&mut self) -> S {
        self()
    }
}

impl<F, Fut, S, T, E> Source<Connects> for F
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<S, E>>,
    S: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;
    type Tokens = Connecting<Fut, S>;

    fn open(&mut self) -> Connecting<Fut, S> {
        Connecting::Pending { future: self() }
    }
}

/// An open stream, whatever its tokens are.
pub trait Tokens {
    type Error;

    /// Appends the next token to `content`; `None` if there is none left.
    fn poll_token(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        content: &mut String,
    ) -> Poll<Option<Result<(), Self::Error>>>;
}

impl<S, T, E> Tokens for S
where
    S: Stream<Item = Result<T, E>>,
    T: AsRef<str>,
{
    type Error = E;

    #[inline]
    fn poll_token(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        content: &mut String,
    ) -> Poll<Option<Result<(), E>>> {
        Poll::Ready(match ready!(self.poll_next(cx)) {
            Some(Ok(token)) => {
                content.push_str(token.as_ref());
                Some(Ok(()))
            }
            Some(Err(error)) => Some(Err(error)),
            None => None,
        })
    }
}

pin_project! {
    /// A stream that must first connect.
    #[project = ConnectingProjection]
    pub enum Connecting<Fut, S> {
        Pending { #[pin] future: Fut },
        Open { #[pin] stream: S },
        Failed,
    }
}

impl<Fut, S, T, E> Stream for Connecting<Fut, S>
where
    Fut: Future<Output = Result<S, E>>,
    S: Stream<Item = Result<T, E>>,
{
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let connected = match self.as_mut().project() {
                ConnectingProjection::Pending { future } => ready!(future.poll(cx)),
                ConnectingProjection::Open { stream } => return stream.poll_next(cx),
                ConnectingProjection::Failed => return Poll::Ready(None),
            };
            match connected {
                Ok(stream) => self.set(Self::Open { stream }),
                Err(error) => {
                    self.set(Self::Failed);
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<Fut, S> fmt::Debug for Connecting<Fut, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending { .. } => "Pending",
            Self::Open { .. } => "Open",
            Self::Failed => "Failed",
        })
    }
}

/// The primary source and its fallbacks.
pub trait Sources {
    type Error;
    type Tokens: Tokens<Error = Self::Error>;

    /// How many sources there are.
    fn count(&self) -> usize;

    /// Opens a stream of the source at `index`, which is less than the count.
    fn open(&mut self, index: usize) -> Self::Tokens;
}

/// One source.
#[derive(Clone)]
pub struct Factory<F, Via> {
    open: F,
    via: PhantomData<fn() -> Via>,
}

impl<F: Source<Via>, Via> Factory<F, Via> {
    pub(super) const fn new(open: F) -> Self {
        let via = PhantomData;
        Self { open, via }
    }
}

impl<F: Source<Via>, Via> Sources for Factory<F, Via> {
    type Error = F::Error;
    type Tokens = F::Tokens;

    fn count(&self) -> usize {
        1
    }

    fn open(&mut self, _: usize) -> F::Tokens {
        self.open.open()
    }
}

/// Some sources, and some more to fall back on.
#[derive(Clone)]
pub struct Then<A, B>(pub(super) A, pub(super) B);

impl<A: Sources, B: Sources<Error = A::Error>> Sources for Then<A, B> {
    type Error = A::Error;
    type Tokens = Either<A::Tokens, B::Tokens>;

    fn count(&self) -> usize {
        self.0.count() + self.1.count()
    }

    fn open(&mut self, index: usize) -> Self::Tokens {
        match index.checked_sub(self.0.count()) {
            None => Either::A {
                tokens: self.0.open(index),
            },
            Some(index) => Either::B {
                tokens: self.1.open(index),
            },
        }
    }
}

impl<A: Sources> Sources for Vec<A> {
    type Error = A::Error;
    type Tokens = A::Tokens;

    fn count(&self) -> usize {
        self.len()
    }

    fn open(&mut self, index: usize) -> A::Tokens {
        self[index].open(0)
    }
}

pin_project! {
    /// A stream of one source or of another.
    #[project = EitherProjection]
    pub enum Either<A, B> {
        A { #[pin] tokens: A },
        B { #[pin] tokens: B },
    }
}

impl<A: Tokens, B: Tokens<Error = A::Error>> Tokens for Either<A, B> {
    type Error = A::Error;

    #[inline]
    fn poll_token(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        content: &mut String,
    ) -> Poll<Option<Result<(), A::Error>>> {
        match self.project() {
            EitherProjection::A { tokens } => tokens.poll_token(cx, content),
            EitherProjection::B { tokens } => tokens.poll_token(cx, content),
        }
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl<A, B> fmt::Debug for $name<A, B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(Factory, Then, Either);
