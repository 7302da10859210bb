//! A session by itself: no streams, no timers, and a time that is a number.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::failure::Decision;
use super::session::Session;
use crate::operation::event::{Event, EventKind};
use crate::operation::guardrails::{Guardrails, Violation, rules};
use crate::operation::handlers::Handlers;
use crate::operation::outcome::{AttemptError, OperationFailure};
use crate::operation::timeout::{TimedOut, Timeout, TimeoutKind};
use crate::retry::{Category, Classification, Retry, Strategy};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Keeps events and tokens, and takes the category of an error from the error itself.
#[derive(Default)]
struct Recorder {
    events: Vec<(Duration, EventKind)>,
    tokens: Vec<String>,
}

impl Handlers<Category> for Recorder {
    fn wants_events(&self) -> bool {
        true
    }

    fn on_event(&mut self, event: &Event) {
        self.events.push((event.at, event.kind.clone()));
    }

    fn on_token(&mut self, token: &str) {
        self.tokens.push(token.to_string());
    }

    fn classify(&self, error: &Category) -> Classification {
        error.retry_after(ms(7))
    }
}

impl Recorder {
    fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(|(_, kind)| kind.name()).collect()
    }
}

/// Creates a session with this many sources that has opened the first one.
fn opened(sources: usize, retry: Option<Retry>) -> (Session<Category>, Recorder) {
    let (mut session, mut recorder) = (Session::new(), Recorder::default());
    session.settings.retry = retry.map(|retry| retry.plan);
    session.start(sources, ms(0), &mut recorder);
    assert_eq!(session.on_open(ms(0), &mut recorder), Ok(0));
    (session, recorder)
}

fn fail(
    session: &mut Session<Category>,
    category: Category,
    recorder: &mut Recorder,
) -> Decision<Category> {
    session.on_failure(AttemptError::Stream(category), ms(10), recorder)
}

#[track_caller]
fn retry_delay(decision: Decision<Category>) -> Duration {
    match decision {
        Decision::Retry { delay } => delay,
        Decision::Fallback => panic!("it falls back"),
        Decision::Halt(failure) => panic!("it halts: {failure}"),
    }
}

#[track_caller]
fn halted(decision: Decision<Category>) -> OperationFailure<Category> {
    match decision {
        Decision::Halt(failure) => failure,
        Decision::Retry { .. } => panic!("it retries"),
        Decision::Fallback => panic!("it falls back"),
    }
}

#[test]
fn tokens_add_up_to_a_state() {
    let (mut session, mut recorder) = opened(1, None);
    for (token, at) in [("Hel", 5), ("", 6), ("lo", 9)] {
        session.on_token(token, ms(at), &mut recorder).unwrap();
    }
    let state = session.on_end(ms(11), &mut recorder).unwrap();
    assert_eq!((state.content.as_str(), state.token_count), ("Hello", 2));
    assert_eq!(state.first_token_at, Some(ms(5)));
    assert_eq!(state.last_token_at, Some(ms(9)));
    assert_eq!((state.duration, state.completed), (ms(11), true));
    assert_eq!(recorder.tokens, ["Hel", "lo"]);
    assert_eq!(recorder.names(), ["SessionStart", "Complete"]);
}

#[test]
fn limits_follow_the_tokens() {
    let (mut session, mut recorder) = opened(1, None);
    assert_eq!(session.limit(), None);
    session.settings.timeout = Some(Timeout {
        initial_token: ms(100),
        inter_token: ms(30),
    });
    assert_eq!(session.limit(), Some(ms(100)));
    session.on_token("a", ms(40), &mut recorder).unwrap();
    assert_eq!(session.limit(), Some(ms(30)));
    let error = session.on_timeout(ms(70), &mut recorder);
    let (kind, after) = (TimeoutKind::InterToken, ms(30));
    assert_eq!(error, TimedOut { kind, after }.into());
    let (configured, elapsed) = (ms(30), ms(30));
    let triggered = EventKind::TimeoutTriggered {
        kind,
        configured,
        elapsed,
    };
    assert_eq!(recorder.events.last(), Some(&(ms(70), triggered)));
}

#[test]
fn without_a_policy_it_falls_back() {
    let (mut session, mut recorder) = opened(2, None);
    let decision = fail(&mut session, Category::Network, &mut recorder);
    assert!(matches!(decision, Decision::Fallback));
    assert_eq!(session.on_open(ms(10), &mut recorder), Ok(1));
    let failure = halted(fail(&mut session, Category::Fatal, &mut recorder));
    assert_eq!(failure.error, AttemptError::Stream(Category::Fatal));
    assert_eq!(failure.earlier[0].category, Category::Network);
    assert_eq!(failure.state.network_errors, ["network"]);
}

#[test]
fn budgets_are_spent_and_renewed() {
    let policy = Retry::recommended().attempts(1).max_retries(2);
    let (mut session, mut recorder) = opened(2, Some(policy));
    for _ in 0..2 {
        // The first model error, then a transient one: the cap is reached.
        for category in [Category::Model, Category::Transient] {
            retry_delay(fail(&mut session, category, &mut recorder));
        }
        let decision = fail(&mut session, Category::Transient, &mut recorder);
        if matches!(decision, Decision::Fallback) {
            continue;
        }
        let failure = halted(decision);
        assert_eq!(failure.state.model_retry_count, 2);
        assert_eq!(failure.state.network_retry_count, 2);
        assert_eq!(failure.earlier.len(), 5);
        return;
    }
    panic!("it never halts");
}

#[test]
fn delays_are_hints_or_strategies() {
    let policy = Retry::recommended().strategy(Strategy::Fixed);
    let (mut session, mut recorder) = opened(1, Some(policy.clone()));
    let delay = retry_delay(fail(&mut session, Category::Transient, &mut recorder));
    assert_eq!(delay, ms(7), "the other side asked for it");
    let timed_out = AttemptError::TimedOut(TimedOut {
        kind: TimeoutKind::InitialToken,
        after: ms(1),
    });
    let decision = session.on_failure(timed_out, ms(20), &mut recorder);
    assert_eq!(retry_delay(decision), ms(1000), "a timeout gives no hint");

    session.settings.retry = Some(policy.plan.without_delay());
    let delay = retry_delay(fail(&mut session, Category::Transient, &mut recorder));
    assert_eq!(delay, ms(0));
}

#[test]
fn vast_budgets_do_not_overflow() {
    let policy = Retry::exponential()
        .attempts(u32::MAX)
        .max_retries(u32::MAX);
    let policy = policy.base_delay(Duration::MAX).max_delay(Duration::MAX);
    let (mut session, mut recorder) = opened(1, Some(policy));
    for category in [Category::Model, Category::Network, Category::Content] {
        retry_delay(fail(&mut session, category, &mut recorder));
    }
    let attempts = recorder.events.iter().filter_map(|(_, kind)| match kind {
        EventKind::RetryAttempt { max_attempts, .. } => Some(*max_attempts),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [u32::MAX; 3]);
}

#[test]
fn guardrails_start_afresh_with_attempts() {
    let seen = rules::from_fn("seen", |context| {
        let found = context.content.contains("bad");
        let violation = || Violation::error("bad").unrecoverable();
        found.then(violation).into_iter().collect()
    });
    let (mut session, mut recorder) = opened(2, Some(Retry::recommended()));
    session.settings.guardrails = Some(Guardrails::none().rule(seen));
    session.on_open(ms(0), &mut recorder).unwrap();
    session.on_token("bad", ms(1), &mut recorder).unwrap();
    let error = session.on_end(ms(2), &mut recorder).unwrap_err();
    let decision = session.on_failure(error, ms(2), &mut recorder);
    assert!(matches!(decision, Decision::Fallback), "it is not retried");

    assert_eq!(session.on_open(ms(2), &mut recorder), Ok(1));
    session.on_token("good", ms(3), &mut recorder).unwrap();
    let state = session.on_end(ms(4), &mut recorder).unwrap();
    assert_eq!((state.content.as_str(), state.violations), ("good", vec![]));
}
