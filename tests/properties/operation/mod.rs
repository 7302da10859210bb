//! Operations: streams that yield, wait, fail and hang, that are retried, replaced, raced, checked and timed out, on a
//! virtual clock, and dropped after any poll.
//!
//! | file | what is in it |
//! |---|---|
//! | `draw.rs` | a program: what the streams do, and the settings |
//! | `model.rs` | what is to come of it: attempts, events, times |
//! | `race.rs` | what streams do that race for the first token, as if they were one |

mod draw;
mod model;
mod race;

use std::cell::{Cell, RefCell};
use std::task::Poll;

use abreast::operation::{
    AttemptError, Operation, OperationFailure, Retry, Source, State, Strategy, Timeout, Violation,
    first_token,
};
use abreast::time::VirtualTimer;
use abreast::{Failures, Timer};

use self::draw::{DELAY, Form, MAX_DELAY, Program, text};
use self::model::{Attempt, Expected, Reason};
use crate::programs;
use crate::random::Random;
use crate::script::{Fault, Log, Script, Stage, Step, ms};
use crate::seeds::replay;
use crate::support::Driver;
use crate::world::planned_panic;

#[test]
fn an_operation_keeps_its_promises() {
    programs(operation);
}

#[test]
fn corpus_operations_keep_their_promises() {
    replay("operations", run_input);
}

/// Runs the operation that an input of a fuzzer stands for.
pub(crate) fn run_input(input: &[u8]) {
    operation(&mut Random::from_input(input));
}

fn operation(random: &mut Random) {
    let program = Program::draw(random);
    let expected = Expected::of(&program);
    // Those that race are open at the same time, each on a stage of its own, and no stream beside its fallbacks.
    let first = Stage::new();
    let most = program.streams.iter().map(Vec::len).max();
    let stages = (0..most.unwrap_or(0)).map(|_| first.beside()).collect();
    let run = Run {
        program: &program,
        expected: &expected,
        stages,
    };
    let sources = |stream: usize| run.sources(stream);
    let alone = |stream: usize| sources(stream).pop().expect("there is one");
    let timer = || first.clock.timer();
    // Each fallback is part of the type.
    macro_rules! check_chunks {
        ($open:expr, $faults:expr) => {{
            let open = $open;
            let operation = Operation::chunks(open(0), text).timer(timer());
            match program.streams.len() {
                1 => run.check(random, operation, $faults),
                2 => run.check(random, operation.fallback_chunks(open(1)), $faults),
                _ => {
                    let operation = operation.fallback_chunks(open(1));
                    run.check(random, operation.fallback_chunks(open(2)), $faults);
                }
            }
        }};
    }
    match program.form {
        Form::Tokens => {
            let fallbacks = (1..program.streams.len()).map(alone);
            let operation = Operation::new(alone(0)).timer(timer());
            run.check(random, operation.fallbacks(fallbacks), one);
        }
        Form::Chunks => {
            check_chunks!(alone, one);
        }
        Form::Race(None) => {
            let race = |stream| first_token(sources(stream)).text(text);
            check_chunks!(race, several);
        }
        Form::Race(Some(delay)) => {
            let race = |stream| {
                let race = first_token(sources(stream)).text(text);
                race.stagger(ms(delay), timer())
            };
            check_chunks!(race, several);
        }
    }
}

/// Returns the error of a stream by itself, as one of a race without others.
fn one(fault: Fault) -> Vec<(usize, Fault)> {
    vec![(0, fault)]
}

fn several(faults: Failures<Fault>) -> Vec<(usize, Fault)> {
    faults.into_iter().collect()
}

/// A program, and where it runs.
struct Run<'a> {
    program: &'a Program,
    expected: &'a Expected,
    stages: Vec<Stage>,
}

impl Run<'_> {
    /// Returns what opens the streams that race, each with one script after another, and the last of them again and
    /// again.
    fn sources(&self, stream: usize) -> Vec<impl FnMut() -> Script + 'static> {
        let racers = self.program.streams[stream].iter().zip(&self.stages);
        let sources = racers.map(|(scripts, stage)| {
            let (scripts, stage) = (scripts.clone(), stage.clone());
            let mut openings = 0..;
            move || {
                let opening = openings.next().unwrap_or(0);
                let script: &Vec<Step> = &scripts[opening.min(scripts.len() - 1)];
                stage.script(script.clone())
            }
        });
        sources.collect()
    }

    /// Sets the operation up, runs it, and compares what comes of it with what was expected.
    fn check<S, E>(
        &self,
        random: &mut Random,
        mut operation: Operation<S, VirtualTimer, E>,
        faults: fn(E) -> Vec<(usize, Fault)>,
    ) where
        S: Source<Error = E>,
        E: std::fmt::Display,
    {
        let (program, expected) = (self.program, self.expected);
        if let Some((attempts, max_retries)) = program.retry {
            let retry = Retry::recommended().strategy(Strategy::Fixed);
            let retry = retry.attempts(attempts).max_retries(max_retries);
            operation = operation.retry(retry.base_delay(ms(DELAY)).max_delay(ms(MAX_DELAY)));
        }
        if program.initial.is_some() || program.inter.is_some() {
            let mut timeout = Timeout::NONE;
            timeout.initial_token = program.initial.map_or(timeout.initial_token, ms);
            timeout.inter_token = program.inter.map_or(timeout.inter_token, ms);
            operation = operation.timeout(timeout);
        }
        if program.only_text_resets {
            operation = operation.only_text_resets_timeout();
        }
        let (log, chunks) = (Log::new(), Cell::new(0));
        let tokens = RefCell::new(Vec::new());
        let operation = operation
            .guardrails(program.guardrails())
            .on_event(log.handler())
            .on_token(|token| {
                tokens.borrow_mut().push(token.to_owned());
                if program.handlers_panic {
                    planned_panic();
                }
            })
            .on_chunk(|_| chunks.set(chunks.get() + 1));
        let result = self.drive(random, operation);

        let open: usize = self.stages.iter().map(Stage::open).sum();
        assert_eq!(open, 0, "a stream is left");
        let clock = &self.stages[0].clock;
        assert_eq!(clock.timers_running(), 0, "a timer is left");
        let events = log.timed().into_iter().map(|(at, kind)| (at, kind.name()));
        let events: Vec<_> = events.collect();
        let tokens = tokens.into_inner();
        let Some(result) = result else {
            // As far as it came, it was right.
            assert!(
                program.cancelled_after.is_some() || expected.hangs,
                "it hangs"
            );
            assert!(expected.events.starts_with(&events), "{events:?}");
            assert!(expected.tokens.iter().zip(&tokens).all(|(a, b)| a == b));
            return;
        };
        assert!(!expected.hangs, "it should hang");
        assert_eq!(events, expected.events);
        assert_eq!(tokens, expected.tokens);
        if program.form != Form::Tokens {
            assert_eq!(chunks.get(), expected.chunks);
        }
        let openings: usize = self.stages.iter().map(Stage::opened).sum();
        assert_eq!(openings, expected.openings, "openings");
        self.compare(result, faults);
    }

    /// Polls the operation to its end, or until it is to be dropped, or can only hang.
    fn drive<S, M, E>(
        &self,
        random: &mut Random,
        operation: Operation<S, M, E>,
    ) -> Option<Result<State, OperationFailure<E>>>
    where
        S: Source<Error = E>,
        M: Timer,
        E: std::fmt::Display,
    {
        let clock = &self.stages[0].clock;
        let mut polls_left = self.program.cancelled_after.unwrap_or(usize::MAX);
        let mut operation = Driver::new(operation.run());
        let mut is_woken = true;
        loop {
            // At times it is polled for no reason.
            while is_woken || random.one_in(16) {
                if polls_left == 0 {
                    return None;
                }
                polls_left -= 1;
                if let Poll::Ready(result) = operation.poll() {
                    return Some(result);
                }
                is_woken = operation.wakes() > 0;
            }
            // Whatever it waits for takes time, or there is nothing.
            if clock.timers_running() == 0 {
                return None;
            }
            clock.advance(ms(1));
            is_woken = operation.wakes() > 0;
        }
    }

    fn compare<E>(
        &self,
        result: Result<State, OperationFailure<E>>,
        faults: fn(E) -> Vec<(usize, Fault)>,
    ) {
        let expected = self.expected;
        let (last, earlier) = expected.attempts.split_last().expect("there is one");
        let state = match result {
            Ok(state) => {
                assert_eq!(expected.reason, None, "it should fail");
                state
            }
            Err(failure) => {
                let reason = self.reason(failure.error, faults);
                assert_eq!(Some(reason), expected.reason);
                let attempts = failure.earlier.into_iter().map(|failed| Attempt {
                    stream: failed.fallback_index,
                    number: failed.attempt,
                    content: failed.content,
                    tokens: failed.token_count,
                    others: failed.other_chunks,
                    violations: indices(&failed.violations),
                    first_token: None,
                    last_token: None,
                    category: Some(failed.category),
                });
                // Times are those of the last attempt.
                let timeless = earlier.iter().map(|attempt| Attempt {
                    first_token: None,
                    last_token: None,
                    ..attempt.clone()
                });
                assert!(attempts.eq(timeless), "earlier attempts");
                *failure.state
            }
        };
        assert_eq!(state.completed, expected.reason.is_none());
        assert_eq!(state.content, last.content);
        assert_eq!(state.token_count, last.tokens);
        assert_eq!(state.other_chunks, last.others);
        assert_eq!(indices(&state.violations), last.violations);
        assert_eq!(state.first_token_at, last.first_token);
        assert_eq!(state.last_token_at, last.last_token);
        assert_eq!(state.fallback_index, last.stream);
        assert_eq!(state.model_retry_count, expected.model_retries);
        assert_eq!(state.network_retry_count, expected.network_retries);
        assert_eq!(state.network_errors.len(), expected.network_errors);
        assert_eq!(state.duration, expected.now);
    }

    fn reason<E>(&self, error: AttemptError<E>, faults: fn(E) -> Vec<(usize, Fault)>) -> Reason {
        match error {
            AttemptError::Stream(error) => Reason::Faults(faults(error)),
            AttemptError::TimedOut(late) => Reason::TimedOut(late.kind),
            AttemptError::Violated(violation) => Reason::Violated(index(&violation.message)),
            AttemptError::RulePanicked { rule, .. } => Reason::Panicked(index(&rule)),
            _ => panic!("no other error was planned"),
        }
    }
}

/// Returns the rules that were violated: their violations are named after them.
fn indices(violations: &[Violation]) -> Vec<usize> {
    let messages = violations.iter().map(|violation| &*violation.message);
    messages.map(index).collect()
}

fn index(name: &str) -> usize {
    name.parse().expect("rules are named by their index")
}
