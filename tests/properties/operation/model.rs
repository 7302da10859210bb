//! What an operation comes to, by its documentation, to the millisecond.

use std::time::Duration;

use abreast::operation::{Category, Classify, Severity, TimeoutKind};

use super::draw::{DELAY, Form, MAX_DELAY, Program, RulePlan, text};
use super::race::{Act, alone, raced};
use crate::script::{Fault, ms};

/// Why an attempt has failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reason {
    /// Streams have, of a race perhaps several, in that order.
    Faults(Vec<(usize, Fault)>),
    TimedOut(TimeoutKind),
    /// The rule with this index was violated.
    Violated(usize),
    /// The rule with this index panicked.
    Panicked(usize),
}

/// What comes of an attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) stream: usize,
    /// The number within the stream, from 1.
    pub(crate) number: u32,
    pub(crate) content: String,
    pub(crate) tokens: usize,
    pub(crate) others: usize,
    pub(crate) violations: Vec<usize>,
    pub(crate) first_token: Option<Duration>,
    pub(crate) last_token: Option<Duration>,
    /// The category of why it has failed, if it has.
    pub(crate) category: Option<Category>,
}

/// What comes of an operation.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// All attempts, the last one included.
    pub(crate) attempts: Vec<Attempt>,
    /// Why the last one failed, if it has.
    pub(crate) reason: Option<Reason>,
    pub(crate) hangs: bool,
    /// How often any stream was opened.
    pub(crate) openings: usize,
    pub(crate) model_retries: u32,
    pub(crate) network_retries: u32,
    pub(crate) network_errors: usize,
    pub(crate) now: Duration,
    /// The names of the events, and when they are reported.
    pub(crate) events: Vec<(u128, &'static str)>,
    /// The tokens of all attempts.
    pub(crate) tokens: Vec<&'static str>,
    /// The chunks of all attempts.
    pub(crate) chunks: usize,
}

/// The wait for a token.
struct Wait {
    kind: TimeoutKind,
    since: Duration,
}

impl Expected {
    pub(crate) fn of(program: &Program) -> Self {
        let mut this = Self::default();
        this.report("SessionStart");
        for (stream, racers) in program.streams.iter().enumerate() {
            let is_last = stream + 1 == program.streams.len();
            let (mut opened, mut of_model) = (vec![0; racers.len()], 0);
            for number in 1.. {
                if number > 1 {
                    this.report("AttemptStart");
                }
                this.attempts.push(Attempt {
                    stream,
                    number,
                    ..Attempt::default()
                });
                let Err(reason) = this.attempt(program, stream, &mut opened) else {
                    this.report_ends(number > 1, stream > 0);
                    this.report("Complete");
                    return this;
                };
                if this.hangs {
                    return this;
                }

                // The category decides whether there may be a retry.
                let (category, asked) = kind(&reason, &program.rules);
                this.attempt_mut().category = Some(category);
                let is_of_model = matches!(category, Category::Model | Category::Content);
                let is_retried = program.retry.is_some_and(|(attempts, max_retries)| {
                    let is_allowed = category != Category::Fatal;
                    let has_left = !is_of_model || of_model < attempts;
                    is_allowed && has_left && number <= max_retries
                });
                let panicked = matches!(reason, Reason::Panicked(_));
                let falls_back = !is_retried && !is_last && !panicked;
                this.report_ends(number > 1, !is_retried && stream > 0);
                if category == Category::Network {
                    this.network_errors += 1;
                    this.report("NetworkError");
                }
                this.report("Error");
                if is_retried {
                    this.report("RetryStart");
                    this.report("RetryAttempt");
                    of_model += u32::from(is_of_model);
                    this.model_retries += u32::from(is_of_model);
                    this.network_retries += u32::from(!is_of_model);
                    this.now += asked.map_or(ms(DELAY), |delay| delay.min(ms(MAX_DELAY)));
                    continue;
                }
                if program.retry.is_some() && category != Category::Fatal {
                    this.report("RetryGiveUp");
                }
                if !falls_back {
                    this.reason = Some(reason);
                    return this;
                }
                this.report("FallbackStart");
                this.report("FallbackSelected");
                break;
            }
        }
        unreachable!("the last stream has an end")
    }

    fn report(&mut self, name: &'static str) {
        self.events.push((self.now.as_millis(), name));
    }

    fn report_ends(&mut self, is_retry: bool, is_end_of_fallback: bool) {
        if is_retry {
            self.report("RetryEnd");
        }
        if is_end_of_fallback {
            self.report("FallbackEnd");
        }
    }

    fn attempt_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("there is one")
    }

    /// Opens a stream and plays it to its end.
    fn attempt(
        &mut self,
        program: &Program,
        stream: usize,
        opened: &mut [usize],
    ) -> Result<(), Reason> {
        // Each racer has a script for each of its openings, and the last for all that follow.
        let racers = program.streams[stream].iter().zip(&*opened);
        let scripts = racers.map(|(scripts, &opened)| &*scripts[opened.min(scripts.len() - 1)]);
        let scripts: Vec<_> = scripts.collect();
        let (acts, starts) = match program.form {
            Form::Race(stagger) => raced(&scripts, stagger),
            Form::Tokens | Form::Chunks => (alone(scripts[0], 0), vec![0]),
        };
        let opening = self.now;
        let mut wait = Wait {
            kind: TimeoutKind::InitialToken,
            since: opening,
        };
        if program.initial.is_some() {
            self.report("TimeoutStart");
        }
        let result = self.play(program, &acts, &mut wait);
        // Those racers were opened whose time had come by then.
        let elapsed = (self.now - opening).as_millis() as u64;
        for (index, start) in starts.into_iter().enumerate() {
            if start <= elapsed || self.hangs {
                opened[index] += 1;
                self.openings += 1;
            }
        }
        result?;
        self.check(program, true)
    }

    /// Plays what a stream does.
    fn play(&mut self, program: &Program, acts: &[Act], wait: &mut Wait) -> Result<(), Reason> {
        for act in acts {
            let limit = match wait.kind {
                TimeoutKind::InitialToken => program.initial,
                TimeoutKind::InterToken => program.inter,
            };
            let deadline = limit.map(|limit| wait.since + ms(limit));
            match act {
                // What comes at the last moment is in time.
                Act::Wait(millis) => {
                    let then = self.now + ms(*millis);
                    if deadline.is_some_and(|deadline| deadline < then) {
                        return Err(self.time_out(deadline, wait));
                    }
                    self.now = then;
                }
                Act::Hang => return Err(self.time_out(deadline, wait)),
                Act::Fail(faults) => return Err(Reason::Faults(faults.clone())),
                Act::Chunk(chunk) => self.chunk(program, chunk, wait)?,
            }
        }
        Ok(())
    }

    /// Lets the wait for a token reach its limit. Without one it never ends.
    fn time_out(&mut self, deadline: Option<Duration>, wait: &Wait) -> Reason {
        match deadline {
            Some(deadline) => {
                self.now = deadline;
                self.report("TimeoutTriggered");
            }
            None => self.hangs = true,
        }
        Reason::TimedOut(wait.kind)
    }

    fn chunk(
        &mut self,
        program: &Program,
        chunk: &'static str,
        wait: &mut Wait,
    ) -> Result<(), Reason> {
        self.chunks += 1;
        let now = self.now;
        let attempt = self.attempt_mut();
        match text(&chunk) {
            None => {
                attempt.others += 1;
                if !program.only_text_resets {
                    self.wait_again(program, wait);
                }
            }
            Some("") => {}
            Some(token) => {
                attempt.content.push_str(token);
                attempt.tokens += 1;
                attempt.first_token.get_or_insert(now);
                attempt.last_token = Some(now);
                let is_due = attempt.tokens % program.every == 0;
                self.tokens.push(chunk);
                self.wait_again(program, wait);
                if is_due && program.rules.iter().any(|rule| rule.streaming) {
                    self.check(program, false)?;
                }
            }
        }
        Ok(())
    }

    fn wait_again(&mut self, program: &Program, wait: &mut Wait) {
        if program.inter.is_some() {
            self.report(match wait.kind {
                TimeoutKind::InitialToken => "TimeoutStart",
                TimeoutKind::InterToken => "TimeoutReset",
            });
        }
        *wait = Wait {
            kind: TimeoutKind::InterToken,
            since: self.now,
        };
    }

    /// Checks the content so far, or all of it.
    fn check(&mut self, program: &Program, is_final: bool) -> Result<(), Reason> {
        if program.rules.is_empty() {
            return Ok(());
        }
        self.report("GuardrailPhaseStart");
        let mut panicked = None;
        for (index, rule) in program.rules.iter().enumerate() {
            if !(is_final || rule.streaming) {
                continue;
            }
            let attempt = self.attempt_mut();
            let finds = rule.finds(&attempt.content);
            if finds && rule.panics {
                panicked = Some(Reason::Panicked(index));
                break;
            }
            // What is found again is there once.
            if finds && !attempt.violations.contains(&index) {
                attempt.violations.push(index);
            }
            self.report("GuardrailRuleResult");
        }
        self.report("GuardrailPhaseEnd");
        match panicked {
            Some(panicked) => Err(panicked),
            None => self.verdict(program, is_final),
        }
    }

    /// Returns the violation that fails the attempt: what is fatal at any time, and errors at the end.
    fn verdict(&mut self, program: &Program, is_final: bool) -> Result<(), Reason> {
        let violations = &self.attempt_mut().violations;
        let first = |severity, recoverable| {
            let is_meant = |index: &&usize| {
                let rule = &program.rules[**index];
                (rule.severity, rule.recoverable) == (severity, recoverable)
            };
            violations.iter().find(is_meant)
        };
        let mut found = first(Severity::Fatal, false);
        if is_final {
            found = found.or_else(|| first(Severity::Error, false));
            found = found.or_else(|| first(Severity::Error, true));
        }
        found.map_or(Ok(()), |&index| Err(Reason::Violated(index)))
    }
}

/// Returns the category of a failure, and the delay that it asks for.
fn kind(reason: &Reason, rules: &[RulePlan]) -> (Category, Option<Duration>) {
    match reason {
        // The last one that is not fatal decides.
        Reason::Faults(faults) => {
            let mut faults = faults.iter().rev().map(|(_, fault)| fault);
            let decisive = faults.find(|fault| fault.category() != Category::Fatal);
            decisive.map_or((Category::Fatal, None), |fault| {
                (fault.category(), fault.retry_after())
            })
        }
        Reason::TimedOut(_) => (Category::Transient, None),
        Reason::Violated(index) if rules[*index].recoverable => (Category::Content, None),
        Reason::Violated(_) | Reason::Panicked(_) => (Category::Fatal, None),
    }
}
