//! The future of an operation, which opens streams and waits, around a [`Session`] that decides.
//!
//! ```text
//!          first poll            stream opened              on_end: the content passed
//!   Start ------------>  Open  ---------------> Streaming -----------------------------> Done
//!                        ^  ^                       |                                     ^
//!                        |  |                       | error, timeout, guardrail           |
//!               delay    |  |  Decision::Fallback   v                                     |
//!               is over  |  '----------------- (failed) ----------------------------------'
//!                        |                          |            Decision::Halt
//!                      Delay <----------------------'
//!                              Decision::Retry
//! ```
//!
//! It is one hand-written future: a boxed one would cost an allocation, and an unnamed one could be neither stored nor
//! be the operation itself.

mod failure;
mod reporter;
pub(in crate::operation) mod session;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use self::failure::Decision;
use self::session::Session;
use super::outcome::{AttemptError, OperationFailure, State};
use super::source::{Source, Tokens};
use super::timer::{AsTimer, NoTimer, OptionalTimer};
use crate::rate::Acquisition;
use crate::time::{Clock, Sleep};

/// The phase of an operation: see the drawing above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not yet polled.
    Start,
    /// A stream is to be opened.
    Open,
    /// A stream is open.
    Streaming,
    /// A retry waits for its delay.
    Delay(Duration),
    /// Resolved, or a closure of the user panicked.
    Done,
}

pin_project! {
    /// Consumes a stream of tokens, with retries, fallbacks, timeouts and guardrails: see the
    /// [module](crate::operation).
    ///
    /// It is a future of `Result<State, OperationFailure<E>>`, and so a task for every verb and pool. `S` is the
    /// [`Source`], `M` the [`Timer`](crate::Timer) or [`NoTimer`], and `E` the error of the streams, which follows from
    /// `S`.
    ///
    /// # Order
    /// Nothing happens until it is polled. A stream is dropped before another one is opened, and before events report
    /// that its attempt has failed. Tokens are appended to the content first, then given to handlers, then checked.
    ///
    /// # Errors
    /// [`OperationFailure`], with the error and the content of the last attempt, and those of all before it.
    ///
    /// # Cancel safety
    /// Dropping it drops the stream and the timer at once. What was received is lost, unless
    /// [`on_token`](Self::on_token) has kept it.
    ///
    /// # Panics
    /// With the feature `std`, a panic of a handler is caught and has no effect on the operation; a panic of a rule is
    /// caught and fails it. A panic of a source, a stream, a timer, or a closure that classifies or retries errors
    /// passes through to whoever polls it.
    ///
    /// # Polls and allocations
    /// The stream is polled until it is pending, or 256 times; the operation then wakes itself. One allocation, for the
    /// content as it grows, and none for tokens. A timer is set when a stream is pending and a new token is waited for.
    /// Each attempt that is checked by guardrails makes a checker for each rule. Failed attempts are kept.
    #[project = OperationProjection]
    #[must_use = "operations do nothing unless polled"]
    pub struct Operation<S, M = NoTimer, E = <S as Tokens>::Error>
    where
        S: Tokens,
        M: OptionalTimer,
    {
        // What to open, and the stream that is open.
        #[pin]
        pub(super) source: S,
        pub(super) timer: M,
        // The wait for a token, or for a retry.
        #[pin]
        pub(super) sleep: Sleep<M::Sleep>,
        // The place in the line of the rate, made when it is first waited for.
        pub(super) acquisition: Option<Box<Acquisition<M::Sleep>>>,
        pub(super) clock: Clock,
        pub(super) phase: Phase,
        pub(super) session: Session<E>,
    }
}

impl_debug!(Operation<S: Tokens, M: OptionalTimer, E> |self| {
    phase: self.phase,
    state: self.session.state(),
});

/// The number of tokens that may come in one poll: a stream that is always ready must not starve its neighbours.
const TOKENS_PER_POLL: usize = 256;

impl<S, M, E> Future for Operation<S, M, E>
where
    S: Source<Error = E>,
    M: OptionalTimer,
    E: fmt::Display,
{
    type Output = Result<State, OperationFailure<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Nothing has happened before the first poll, so time is counted from here.
        if *this.phase == Phase::Start {
            this.clock.start(this.timer.time());
            let (sources, now) = (this.source.count(), this.clock.last());
            this.session.start(sources, now, &mut this.source);
            *this.phase = Phase::Open;
        }
        // What others report during this poll belongs to the span of the operation.
        #[cfg(feature = "tracing")]
        let _entered = this.session.enter();
        // A retry waits for its delay. Without one there may be no timer, so none is asked for.
        if let Phase::Delay(delay) = *this.phase {
            if !delay.is_zero() {
                let sleep = this.sleep.as_mut();
                ready!(sleep.poll(cx, || this.timer.start(delay)));
            }
            // Noted before the timer is dropped, which may panic.
            *this.phase = Phase::Open;
            this.sleep.as_mut().stop();
        }

        // The rate is waited for last, so that the stream is opened when it says so.
        let mut is_late = false;
        if *this.phase == Phase::Open && this.poll_rate(cx).is_pending() {
            this.session.wait_to_open();
            ready!(this.poll_limit(cx, None));
            *this.acquisition = None;
            is_late = true;
        }

        // The attempt runs for as long as its stream yields tokens.
        let opened = match *this.phase {
            _ if is_late => Err(this.on_limit()),
            Phase::Open => this.open(),
            Phase::Streaming => Ok(()),
            _ => panic!("`Operation` was polled after it had resolved"),
        };
        let ended = match opened {
            Ok(()) => ready!(this.poll_tokens(cx)),
            Err(error) => Err(error),
        };

        // The attempt is over. What is foreign may panic from here on, and then there is no next poll. The stream goes
        // before anything is reported, so that handlers find nothing open.
        *this.phase = Phase::Done;
        this.source.as_mut().close();
        this.sleep.as_mut().stop();
        // A stream that has ended may still have failed: its content must pass.
        let now = this.clock.read(this.timer.time());
        let result = ended.and_then(|()| this.session.on_end(now, &mut this.source));
        let error = match result {
            Ok(state) => {
                #[cfg(feature = "tracing")]
                this.session.record(&state);
                return Poll::Ready(Ok(state));
            }
            Err(error) => error,
        };
        // The session decides what follows, and the phase keeps it for the next poll.
        let decision = this.session.on_failure(error, now, &mut this.source);
        this.session.hold_back(&AsTimer(this.timer));
        *this.phase = match decision {
            Decision::Retry { delay } => Phase::Delay(delay),
            Decision::Fallback => Phase::Open,
            Decision::Halt(failure) => {
                #[cfg(feature = "tracing")]
                this.session.record(&failure.state);
                return Poll::Ready(Err(failure));
            }
        };
        // The next attempt is for another poll, so that attempts which fail at once starve nothing else.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(feature = "tracing")]
impl<S: Tokens, M: OptionalTimer, E> Operation<S, M, E> {
    /// Has the span of the operation be within the one that is current now, wherever it is polled.
    pub(super) fn submitted(mut self) -> Self {
        self.session.submitted();
        self
    }
}

impl<S, M, E> OperationProjection<'_, S, M, E>
where
    S: Source<Error = E>,
    M: OptionalTimer,
{
    /// Waits until the rate lets a stream be opened, if there is one.
    fn poll_rate(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rate) = self.session.rate() else {
            return Poll::Ready(());
        };
        let acquisition = self
            .acquisition
            .get_or_insert_with(|| Box::new(rate.acquisition()));
        ready!(acquisition.poll(cx, &AsTimer(self.timer)));
        // What is waited for from here on is another limit.
        self.sleep.as_mut().stop();
        Poll::Ready(())
    }

    /// Waits for `limit`, or for the end of the total time if that comes first.
    fn poll_limit(&mut self, cx: &mut Context<'_>, limit: Option<Duration>) -> Poll<()> {
        // A stream that always has tokens may let no timer fire. But then the clock was read for them.
        let left = self.session.left(self.clock.last());
        if left.is_some_and(|left| left.is_zero()) {
            return Poll::Ready(());
        }
        // Without a limit there is nothing to wait for but the stream.
        if limit.is_none() && left.is_none() {
            return Poll::Pending;
        }
        let Self {
            session,
            clock,
            timer,
            ..
        } = self;
        self.sleep.as_mut().poll(cx, || {
            let limit = limit.unwrap_or(Duration::MAX);
            // The clock is read only if something depends on it.
            let left = left.and_then(|_| session.left(clock.read(timer.time())));
            timer.start(left.map_or(limit, |left| left.min(limit)))
        })
    }

    /// Returns the error of an attempt that has reached a limit.
    fn on_limit(&mut self) -> AttemptError<E> {
        let now = self.clock.read(self.timer.time());
        self.session.on_timeout(now, &mut self.source)
    }

    /// Begins an attempt: opens the stream that the session names.
    fn open(&mut self) -> Result<(), AttemptError<E>> {
        let now = self.clock.read(self.timer.time());
        let index = self.session.on_open(now, &mut self.source)?;
        // Handlers forget the attempt before, as its stream is gone.
        self.source.as_mut().restart();
        self.source.as_mut().open(index);
        // If opening panicked, the phase would still be `Open`, and another poll would try again.
        *self.phase = Phase::Streaming;
        Ok(())
    }

    /// Gives a chunk to its handlers, when its text was appended.
    #[inline]
    fn hand_over(&mut self, chunk: S::Chunk) {
        self.source.as_mut().on_chunk(&chunk);
        self.source.as_mut().consume(chunk);
    }

    /// Takes tokens for as long as they come, and resolves when the attempt is over.
    fn poll_tokens(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), AttemptError<E>>> {
        // Reading the clock for every token would cost more than all else that is done for it. So it is read for the
        // first and the last of a poll.
        let mut tokens = 0_usize;
        let mut restarts_wait = false;
        let mut has_read_clock = false;
        let mut now = Duration::ZERO;
        let mut left = TOKENS_PER_POLL;
        let ended = loop {
            // A stream that never pauses must not keep the executor.
            if left == 0 {
                cx.waker().wake_by_ref();
                break Poll::Pending;
            }
            left -= 1;
            let chunk = match self.source.as_mut().poll_chunk(cx) {
                Poll::Ready(Some(Ok(chunk))) => chunk,
                Poll::Ready(Some(Err(error))) => {
                    break Poll::Ready(Err(AttemptError::Stream(error)));
                }
                Poll::Ready(None) => break Poll::Ready(Ok(())),
                Poll::Pending => break Poll::Pending,
            };
            // Chunks of another kind count as signs of life, and empty texts do not.
            let text = self.source.text(&chunk);
            let counts = text.is_none_or(|text| !text.is_empty());
            if counts && !core::mem::replace(&mut has_read_clock, true) {
                now = self.clock.read(self.timer.time());
            }
            // The content comes first, then the handlers of chunks.
            match text {
                Some(text) => {
                    tokens += usize::from(counts);
                    if let Err(error) = self.session.on_token(text, now, &mut self.source) {
                        self.hand_over(chunk);
                        break Poll::Ready(Err(error));
                    }
                }
                None => restarts_wait |= self.session.on_other_chunk(now, &mut self.source),
            }
            self.hand_over(chunk);
        };
        // The clock was read for the first token. The last of several came later.
        if tokens > 1 {
            let now = self.clock.read(self.timer.time());
            self.session.last_token_came(now);
        }
        if ended.is_ready() {
            return ended;
        }

        // What came shows that the stream is alive, so the wait starts anew; otherwise it goes on.
        if restarts_wait || tokens > 0 {
            self.sleep.as_mut().stop();
        }
        let limit = self.session.limit();
        ready!(self.poll_limit(cx, limit));
        // The token is late: its stream is dropped before that is reported.
        self.source.as_mut().close();
        Poll::Ready(Err(self.on_limit()))
    }
}

impl_fused!(FusedFuture for Operation<S: Source<Error = E>, M: OptionalTimer, E> |self| self.phase == Phase::Done);
