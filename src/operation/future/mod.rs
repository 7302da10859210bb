//! How an operation runs.
//!
//! It is one hand-written future: a boxed one would cost an allocation, and an unnamed one could be neither stored nor be
//! the operation itself. A stream is dropped where its attempt ends, before anything else happens.

mod recover;
pub(in crate::operation) mod session;
mod tokens;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::FusedFuture;

use self::session::Phase;
use self::tokens::verdict;
use crate::operation::classify::Classifies;
use crate::operation::event::{EventKind, GuardrailPhase};
use crate::operation::guardrails::Guard;
use crate::operation::hooks::Hooks;
use crate::operation::outcome::{AttemptError, OperationFailure, State};
use crate::operation::retry::judge::Retries;
use crate::operation::source::Sources;
use crate::operation::timeout::{Limits, TimeoutKind};
use crate::operation::waits::{Covers, Waits};
use crate::operation::{Operation, OperationProjection};

impl<S, C, R, T, M, O> Future for Operation<S, C, R, T, M, O>
where
    S: Sources,
    S::Error: fmt::Display,
    C: Classifies<S::Error>,
    R: Retries<S::Error>,
    T: Limits,
    M: Covers<R::Wait> + Covers<T::Wait>,
    O: Hooks,
{
    type Output = Result<State, OperationFailure<S::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.session.phase == Phase::Start {
            this.start();
        }
        #[cfg(feature = "tracing")]
        let _entered = this.session.voice.enter();
        if this.session.phase == Phase::Delay {
            if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                ready!(sleep.poll(cx));
            }
            this.sleep.set(None);
            this.start_retry();
        }
        let opened = match this.session.phase {
            Phase::Open => this.open(),
            Phase::Tokens => Ok(()),
            _ => panic!("`Operation` was polled after it had resolved"),
        };
        let ended = match opened {
            Ok(()) => ready!(this.poll_tokens(cx)).and_then(|()| this.look(GuardrailPhase::Final)),
            Err(error) => Err(error),
        };
        match ended {
            Ok(()) => Poll::Ready(Ok(this.complete())),
            Err(error) => match this.fail(error) {
                Some(failure) => Poll::Ready(Err(failure)),
                None => {
                    // Whatever is next is for another poll, so that attempts which fail at once starve nobody.
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            },
        }
    }
}

impl<S, C, R, T, M, O> FusedFuture for Operation<S, C, R, T, M, O>
where
    S: Sources,
    M: Waits,
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.session.phase == Phase::Done
    }
}

impl<S, C, R, T, M, O> OperationProjection<'_, S, C, R, T, M, O>
where
    S: Sources,
    T: Limits,
    M: Waits,
    O: Hooks,
{
    pub(in crate::operation) fn is_heard(&self) -> bool {
        self.session.voice.is_heard(&self.parts.hooks)
    }

    pub(in crate::operation) fn tell(&mut self, kind: EventKind) {
        let parts = &mut *self.parts;
        let voice = &mut self.session.voice;
        voice.tell(&mut parts.hooks, &parts.timer, kind);
    }

    fn start(&mut self) {
        let context = self.parts.context.take();
        self.session.voice.start(context, &self.parts.timer);
        self.session.phase = Phase::Open;
        if self.is_heard() {
            self.tell(EventKind::SessionStart {
                attempt: 1,
                is_retry: false,
                is_fallback: false,
            });
        }
    }

    fn start_retry(&mut self) {
        self.session.phase = Phase::Open;
        if self.is_heard() {
            self.tell(EventKind::AttemptStart {
                attempt: self.session.attempt,
                is_retry: true,
                is_fallback: self.session.is_fallback(),
            });
        }
    }

    fn open(&mut self) -> Result<(), AttemptError<S::Error>> {
        self.session.guard = match &self.parts.guardrails {
            Some(guardrails) => {
                Guard::new(guardrails).or_else(|passed| verdict(passed).map(|()| None))?
            }
            None => None,
        };
        let tokens = self.parts.sources.open(self.session.state.fallback_index);
        self.tokens.set(Some(tokens));
        self.session.phase = Phase::Tokens;
        self.session.timer_is_stale = true;
        if self.is_heard() {
            self.start_to_wait(TimeoutKind::InitialToken);
        }
        Ok(())
    }

    fn complete(&mut self) -> State {
        self.end_attempt();
        let session = &mut *self.session;
        session.phase = Phase::Done;
        session.state.completed = true;
        session.state.duration = session.voice.clock.look(&self.parts.timer);
        if self.is_heard() {
            self.tell_of_ends(true, true);
            self.tell(EventKind::Complete {
                token_count: self.session.state.token_count,
                content_length: self.session.state.content.len(),
            });
        }
        self.session.take_state()
    }

    /// Drops what belongs to the attempt.
    pub(in crate::operation) fn end_attempt(&mut self) {
        self.tokens.set(None);
        self.sleep.set(None);
        self.session.guard = None;
    }

    /// Tells that the retry is over, if it is one, and the fallback, if it is one and is over too.
    pub(in crate::operation) fn tell_of_ends(&mut self, fallback_is_over: bool, success: bool) {
        if self.session.attempt > 1 {
            self.tell(EventKind::RetryEnd { success });
        }
        if fallback_is_over && self.session.is_fallback() {
            let index = self.session.state.fallback_index;
            self.tell(EventKind::FallbackEnd { index, success });
        }
    }
}
