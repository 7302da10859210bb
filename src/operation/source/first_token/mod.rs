//! Sources that race for the first token.
//!
//! ```text
//!   open                  the first token           the end, or an error
//!   ---->   Racing   ---------------------->   Won ----------------------->   the attempt is over
//!              |      the others are dropped
//!              '---------------------------------------------------------->   all have failed
//! ```
//!
//! The closures that open streams are needed while the race runs, as it may open another one later, and again by the
//! next attempt. So they go with the open stream, and back to their place when it is dropped.

mod options;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::{self, Vec};
use core::fmt::{self, Debug};
use core::future::Future;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;

use crate::operation::source::streams::{AsText, OpenStream, Opener, Streams, TextOf};
use crate::outcome::{Failures, RaceError};
use crate::race::{AtOnce, Race, StartPolicy};
use crate::sync::lock::Lock;
pub use options::FirstTokenOptions;

/// Races sources for the first token that is not empty: a source for
/// [`Operation::new`](crate::operation::Operation::new).
///
/// All streams are opened, and the one whose token comes first wins: the others are dropped at once, and it is consumed
/// to its end as if it had been alone. So retries, timeouts, guardrails, handlers and fallbacks work around the race
/// unchanged: a retry races anew, and `initial_token` limits the whole race.
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::{Operation, Retry, first_token};
/// # use futures::{Stream, stream};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), abreast::operation::OperationFailure<abreast::Failures<String>>> {
/// fn ask(model: &str) -> impl Stream<Item = Result<String, String>> {
///     // ...
/// #    let answer = if model == "large" { Err("overloaded".into()) } else { Ok(format!("Hello from {model}")) };
/// #    stream::iter([Ok(String::new()), answer])
/// }
///
/// let models = ["large", "small"].map(|model| move || ask(model));
/// let state = Operation::new(
///     first_token(models)
///         .stagger(Duration::from_millis(500), tokio::time::sleep) // the next one only if there is no token by then
///         .on_winner(|index| println!("model {index} was first")),
/// )
/// .fallback(first_token([|| ask("tiny")]))
/// .timer(tokio::time::sleep)
/// .retry(Retry::recommended())
/// .run()
/// .await?;
/// assert_eq!(state.content, "Hello from small");
/// # Ok(())
/// # }
/// ```
///
/// # Order
/// Streams are opened in input order. If several have a token by the time that they are polled, the lowest index wins.
/// Losers are dropped before the first token is handed on.
///
/// Empty tokens decide nothing. A stream that ends without a token loses, unless it had [chunks](FirstToken::text) that
/// are not text, such as calls of tools: then it has given its answer, and wins when it ends.
///
/// # Errors
/// The error of an attempt is a [`Failures`]: of all streams that failed, if none had a token, or of the winner alone,
/// if that failed later. It is of the category of the last error that is not fatal, and fatal if all are. A fallback
/// that is to have the same error is a `first_token`, too, if only of one.
///
/// # Cancel safety
/// Dropping the operation drops all streams at once.
///
/// # Panics
/// If there are no sources: none could win.
///
/// # Polls and allocations
/// Until the race is decided, a stream is polled when it is opened, and once per wake; then as any stream of an
/// operation. One allocation for each stream that is opened, and those of a [race](crate::race()) with a list of what
/// came before the token.
#[track_caller]
pub fn first_token<I, F, Via>(sources: I) -> FirstToken<F, Via>
where
    I: IntoIterator<Item = F>,
    F: OpenStream<Via>,
{
    let sources: Vec<F> = sources.into_iter().collect();
    assert!(
        !sources.is_empty(),
        "no source was given, so none could win: pass at least one"
    );
    FirstToken {
        sources: Arc::new(Lock::new(sources)),
        options: FirstTokenOptions {
            policy: AtOnce,
            text: AsText,
            on_winner: |_| (),
        },
        via: PhantomData,
    }
}

/// The source of [`first_token`]: closures `F`, which [open streams](OpenStream) as `Via` says, and what was set up.
///
/// ```
/// use abreast::operation::{FirstToken, Operation, Opens, first_token};
/// use futures::stream;
///
/// type Words = stream::Iter<std::array::IntoIter<Result<&'static str, String>, 1>>;
///
/// fn race() -> FirstToken<fn() -> Words, Opens> {
///     first_token([|| stream::iter([Ok("a")]), || stream::iter([Ok("b")])])
/// }
/// # assert_eq!(smol::block_on(Operation::new(race())).unwrap().content, "a");
/// ```
#[must_use = "a source does nothing unless an operation opens it"]
pub struct FirstToken<F, Via, O = FirstTokenOptions> {
    /// Empty while a stream is open.
    sources: Arc<Lock<Vec<F>>>,
    options: O,
    via: PhantomData<fn() -> Via>,
}

/// Says that a source races others: see [`OpenStream`].
#[derive(Clone, Copy, Debug)]
pub struct Races<Via>(PhantomData<Via>);

// Who passes what is no source meant to pass a closure.
#[diagnostic::do_not_recommend]
impl<F, Via, St, C, E, P, X, H> OpenStream<Races<Via>>
    for FirstToken<F, Via, FirstTokenOptions<P, X, H>>
where
    F: OpenStream<Via, Stream = St, Chunk = C, Error = E>,
    St: Stream<Item = Result<C, E>>,
    P: StartPolicy + Clone,
    X: TextOf<C> + Clone,
    H: FnMut(usize) + Clone,
{
    type Error = Failures<E>;
    type Chunk = C;
    type Stream = FirstTokenStream<Self, St, Result<C, E>>;
    type Source = Streams<Opener<Self, Races<Via>>, Self::Stream>;

    fn open(&mut self) -> Self::Stream {
        // The sources are lent to the race, and go back when that is dropped: the next attempt opens them anew.
        let openings = Openings {
            sources: self.sources.with(mem::take),
            next: 0,
            home: self.sources.clone(),
            text: self.options.text.clone(),
            via: PhantomData,
        };
        let race = Race::new(openings, self.options.policy.clone());
        FirstTokenStream {
            state: State::Racing(Box::new(race)),
            on_winner: self.options.on_winner.clone(),
        }
    }

    fn into_source(self) -> Self::Source {
        Streams::new(self, AsText)
    }
}

/// Opens the streams of a race, one by one.
pub struct Openings<F, Via, X> {
    sources: Vec<F>,
    next: usize,
    /// Where the sources go when the race is over.
    home: Arc<Lock<Vec<F>>>,
    text: X,
    via: PhantomData<fn() -> Via>,
}

impl<F, Via, St, C, E, X> Iterator for Openings<F, Via, X>
where
    F: OpenStream<Via, Stream = St, Chunk = C, Error = E>,
    St: Stream<Item = Result<C, E>>,
    X: Clone,
{
    type Item = FirstText<St, Result<C, E>, X>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = self.sources.get_mut(self.next)?;
        self.next += 1;
        Some(FirstText {
            stream: Some(Box::pin(source.open())),
            items: Vec::new(),
            text: self.text.clone(),
            has_others: false,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.sources.len() - self.next;
        (left, Some(left))
    }
}

impl<F, Via, X> Drop for Openings<F, Via, X> {
    fn drop(&mut self) {
        // What was there is empty, so nothing foreign is dropped under the lock.
        let sources = mem::take(&mut self.sources);
        self.home.with(|home| *home = sources);
    }
}

/// Waits for the first text of a stream `St` of items `R`, which are results.
pub struct FirstText<St, R, X> {
    stream: Option<Pin<Box<St>>>,
    /// What came so far, none of it errors.
    items: Vec<R>,
    text: X,
    /// Whether some of it is no text.
    has_others: bool,
}

/// The stream is in a box, and nothing else is ever pinned.
impl<St, R, X> Unpin for FirstText<St, R, X> {}

/// A stream that has won, unless it has ended already, and what came before.
type Winner<St, R> = (Option<Pin<Box<St>>>, Vec<R>);

/// The chunks that may come in one poll.
const CHUNKS_PER_POLL: usize = 256;

impl<St, C, E, X> Future for FirstText<St, Result<C, E>, X>
where
    St: Stream<Item = Result<C, E>>,
    X: TextOf<C>,
{
    /// The error is an item, too. An end without an answer is no error of the stream.
    type Output = Result<Winner<St, Result<C, E>>, Option<Result<C, E>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        for _ in 0..CHUNKS_PER_POLL {
            let Some(stream) = &mut this.stream else {
                return Poll::Ready(Err(None));
            };
            match ready!(stream.as_mut().poll_next(cx)) {
                Some(Ok(chunk)) => {
                    let text = this.text.text_of(&chunk);
                    let decides = text.is_some_and(|text| !text.is_empty());
                    this.has_others |= text.is_none();
                    this.items.push(Ok(chunk));
                    if decides {
                        return Poll::Ready(Ok((this.stream.take(), mem::take(&mut this.items))));
                    }
                }
                Some(error) => return Poll::Ready(Err(Some(error))),
                // An answer without text is one.
                None if this.has_others => {
                    return Poll::Ready(Ok((None, mem::take(&mut this.items))));
                }
                None => return Poll::Ready(Err(None)),
            }
        }
        // A stream of nothing but empty tokens must not keep the executor.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The types that a [`FirstToken`] gives to its stream: one parameter there instead of five.
///
/// Each follows from the type alone, whatever the source opens. So the stream is `Send` in an `async` block, which it
/// would not be if it named what a closure returns.
pub trait RaceParts<St, R> {
    type Race;
    type OnWinner;
}

impl<F, Via, P, X, H, St, R> RaceParts<St, R> for FirstToken<F, Via, FirstTokenOptions<P, X, H>> {
    type Race = Race<Openings<F, Via, X>, FirstText<St, R, X>, Winner<St, R>, Option<R>, (), P>;
    type OnWinner = H;
}

/// Where a race for the first token is: see the drawing above.
enum State<Run, St, R> {
    /// In a box, as it is large, and gone when it is decided.
    Racing(Box<Run>),
    Won {
        index: usize,
        /// Those that came before the race was decided.
        items: vec::IntoIter<R>,
        stream: Option<Pin<Box<St>>>,
    },
    Over,
}

/// The stream that a [`FirstToken`] `T` opens: that of the winner, once there is one. It is a stream `St` of items `R`.
pub struct FirstTokenStream<T, St, R = <St as Stream>::Item>
where
    T: RaceParts<St, R>,
    St: Stream,
{
    state: State<T::Race, St, R>,
    on_winner: T::OnWinner,
}

/// Streams are in boxes, and nothing else is ever pinned.
impl<T: RaceParts<St, R>, St: Stream, R> Unpin for FirstTokenStream<T, St, R> {}

impl<F, Via, St, C, E, P, X, H> Stream
    for FirstTokenStream<FirstToken<F, Via, FirstTokenOptions<P, X, H>>, St, Result<C, E>>
where
    F: OpenStream<Via, Stream = St, Chunk = C, Error = E>,
    St: Stream<Item = Result<C, E>>,
    P: StartPolicy,
    X: TextOf<C> + Clone,
    H: FnMut(usize),
{
    type Item = Result<C, Failures<E>>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<C, Failures<E>>>> {
        let this = &mut *self;
        // The race comes first. When it is replaced, whatever has lost is gone.
        if let State::Racing(race) = &mut this.state {
            let result = ready!(Pin::new(&mut **race).poll(cx));
            this.state = State::Over;
            match result {
                Ok(won) => {
                    let (stream, items) = won.value;
                    this.state = State::Won {
                        index: won.winner_index,
                        items: items.into_iter(),
                        stream,
                    };
                    (this.on_winner)(won.winner_index);
                }
                Err(RaceError::AllFailed(all)) => return Poll::Ready(failed(all).map(Err)),
                Err(RaceError::NoTasks) => return Poll::Ready(None),
            }
        }
        let State::Won {
            index,
            items,
            stream,
        } = &mut this.state
        else {
            return Poll::Ready(None);
        };
        // What decided the race is the last of these.
        let item = match (items.next(), stream) {
            (None, Some(stream)) => ready!(stream.as_mut().poll_next(cx)),
            (item, _) => item,
        };
        Poll::Ready(item.map(|item| {
            item.map_err(|error| {
                let mut failures = Failures::new();
                failures.push(*index, error);
                failures
            })
        }))
    }
}

/// Returns the errors of streams, if any has failed: some may have ended without a token.
fn failed<C, E>(all: Failures<Option<Result<C, E>>>) -> Option<Failures<E>> {
    let mut failures = Failures::new();
    for (index, item) in all {
        if let Some(Err(error)) = item {
            failures.push(index, error);
        }
    }
    (!failures.is_empty()).then_some(failures)
}

impl_debug! { FirstToken<F, Via, O> {} }
impl_debug! { FirstText<St, R, X> {} }
impl_debug! { Openings<F, Via, X> {} }

impl<T: RaceParts<St, R>, St: Stream, R> Debug for FirstTokenStream<T, St, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_decided = !matches!(self.state, State::Racing(_));
        let mut debug = f.debug_struct("FirstTokenStream");
        debug
            .field("is_decided", &is_decided)
            .finish_non_exhaustive()
    }
}
