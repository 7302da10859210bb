//! Operations: streams that yield, wait, fail and hang, retried and replaced by others, on a virtual clock.

use std::collections::VecDeque;
use std::task::Poll;
use std::time::Duration;

use abreast::operation::{AttemptError, Operation, Retry, Strategy};

use crate::programs;
use crate::script::{Fault, Script, Stage, Step, ms};
use crate::support::{Driver, Random};

/// The delay before each retry, unless the error asks for another.
const DELAY: u64 = 10;

/// Draws what a stream does.
fn script(random: &mut Random, hangs: bool) -> Vec<Step> {
    let mut steps: Vec<_> = (0..random.below(5))
        .map(|_| match random.below(4) {
            0 => Step::Wait(1 + random.below(20) as u64),
            1 => Step::Token(""),
            2 => Step::Token("a"),
            _ => Step::Token("bc"),
        })
        .collect();
    match random.below(8) {
        0 | 1 => steps.push(Step::Fail(Fault::Broken)),
        2 | 3 => steps.push(Step::Fail(Fault::Refused)),
        4 => steps.push(Step::Fail(Fault::Limited(match random.below(2) {
            0 => None,
            _ => Some(ms(random.below(60) as u64)),
        }))),
        5 if random.below(3) == 0 => steps.push(Step::Fail(Fault::Denied)),
        6 if hangs => steps.push(Step::Hang),
        _ => {}
    }
    steps
}

/// What an operation comes to, by its documentation.
#[derive(Debug, Default)]
struct Expected {
    content: String,
    tokens: usize,
    stream: usize,
    attempts: usize,
    model_retries: u32,
    network_retries: u32,
    network_errors: usize,
    duration: Duration,
    fault: Option<Fault>,
    hangs: bool,
}

impl Expected {
    /// Plays one stream. Returns whether it ended well, or hangs.
    fn play(&mut self, script: &[Step]) -> bool {
        self.attempts += 1;
        (self.content, self.tokens, self.fault) = (String::new(), 0, None);
        for step in script {
            match *step {
                Step::Token(token) => {
                    self.content.push_str(token);
                    self.tokens += usize::from(!token.is_empty());
                }
                Step::Wait(millis) => self.duration += ms(millis),
                Step::Fail(fault) => {
                    self.network_errors += usize::from(fault == Fault::Refused);
                    self.fault = Some(fault);
                    return false;
                }
                Step::Hang => {
                    self.hangs = true;
                    return true;
                }
            }
        }
        true
    }

    /// Plays all streams, each again and again by the budget that it has.
    fn of(streams: &[Vec<Vec<Step>>], attempts: u32, max_retries: u32) -> Self {
        let mut this = Self::default();
        for (index, scripts) in streams.iter().enumerate() {
            this.stream = index;
            let (mut of_model, mut retries) = (0, 0);
            loop {
                let script = &scripts[(retries as usize).min(scripts.len() - 1)];
                if this.play(script) {
                    return this;
                }
                let fault = this.fault.expect("it has failed");
                let is_allowed = match fault {
                    Fault::Denied => false,
                    Fault::Broken => of_model < attempts,
                    Fault::Refused | Fault::Limited(_) => true,
                };
                if !is_allowed || retries == max_retries {
                    break;
                }
                retries += 1;
                let is_of_model = fault == Fault::Broken;
                of_model += u32::from(is_of_model);
                this.model_retries += u32::from(is_of_model);
                this.network_retries += u32::from(!is_of_model);
                this.duration += match fault {
                    Fault::Limited(Some(delay)) => delay,
                    _ => ms(DELAY),
                };
            }
        }
        this
    }
}

/// Opens the scripts one after another, and the last of them again and again.
fn source(stage: &Stage, scripts: Vec<Vec<Step>>) -> impl FnMut() -> Script + 'static {
    let stage = stage.clone();
    let mut scripts = VecDeque::from(scripts);
    move || {
        let script = match scripts.len() {
            1 => scripts[0].clone(),
            _ => scripts.pop_front().expect("there is a script"),
        };
        stage.script(script)
    }
}

#[test]
fn an_operation_keeps_its_promises() {
    programs(|random| {
        let hangs = random.below(4) == 0;
        let streams: Vec<Vec<_>> = (0..=random.below(3))
            .map(|_| {
                (0..=random.below(4))
                    .map(|_| script(random, hangs))
                    .collect()
            })
            .collect();
        let (attempts, max_retries) = (random.below(4) as u32, random.below(6) as u32);
        let expected = Expected::of(&streams, attempts, max_retries);

        let stage = Stage::new();
        let retry = Retry::recommended()
            .attempts(attempts)
            .max_retries(max_retries)
            .strategy(Strategy::Fixed)
            .base_delay(ms(DELAY))
            .max_delay(ms(1000));
        let mut sources = streams.into_iter().map(|scripts| source(&stage, scripts));
        let first = sources.next().expect("there is a primary stream");
        let fallbacks: Vec<_> = sources.collect();
        let operation = Operation::new(first)
            .timer(stage.clock.timer())
            .retry(retry)
            .fallbacks(fallbacks);

        // Time passes while it sleeps. It is dropped at any time, or when it can only hang.
        let mut polls_left = match random.below(4) {
            0 => random.below(20),
            _ => 2000,
        };
        let is_cancelled = polls_left < 2000;
        let mut operation = Driver::new(operation.run());
        let result = loop {
            if polls_left == 0 {
                break None;
            }
            polls_left -= 1;
            match operation.run() {
                Poll::Ready(result) => break Some(result),
                Poll::Pending => stage.clock.advance(ms(1)),
            }
        };
        drop(operation);
        assert_eq!(stage.open(), 0, "a stream is left");
        let Some(result) = result else {
            assert!(is_cancelled || expected.hangs, "it hangs");
            return;
        };
        assert!(!expected.hangs, "it should hang");
        assert_eq!(stage.opened(), expected.attempts);
        let state = match result {
            Ok(state) => {
                assert_eq!(expected.fault, None);
                state
            }
            Err(failure) => {
                assert_eq!(
                    failure.error,
                    AttemptError::Stream(expected.fault.expect("it should succeed"))
                );
                assert_eq!(failure.earlier.len() + 1, expected.attempts);
                *failure.state
            }
        };
        assert_eq!(state.completed, expected.fault.is_none());
        assert_eq!(state.content, expected.content);
        assert_eq!(state.token_count, expected.tokens);
        assert_eq!(state.fallback_index, expected.stream);
        assert_eq!(state.model_retry_count, expected.model_retries);
        assert_eq!(state.network_retry_count, expected.network_retries);
        assert_eq!(state.network_errors.len(), expected.network_errors);
        assert_eq!(state.duration, expected.duration);
    });
}
