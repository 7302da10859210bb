//! What the streams of an operation do, and how it is set up, drawn at random.

use abreast::operation::{GuardrailContext, Guardrails, Severity, Violation, rules};

use crate::random::Random;
use crate::script::{Fault, Step, ms};
use crate::world::planned_panic;

/// What a stream yields that is no text.
pub(crate) const CALL: &str = "\0call";

/// The delay before each retry, unless the error asks for another.
pub(crate) const DELAY: u64 = 10;

/// The longest delay that an error may ask for.
pub(crate) const MAX_DELAY: u64 = 40;

/// Returns the text of a chunk.
pub(crate) fn text<'a>(chunk: &'a &'static str) -> Option<&'a str> {
    (*chunk != CALL).then_some(*chunk)
}

/// How an operation is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// Of tokens, each stream by itself.
    Tokens,
    /// Of chunks, some of which are no text.
    Chunks,
    /// Of chunks, by several streams that race for the first token. The next one starts after a delay, or at once.
    Race(Option<u64>),
}

/// A rule of the guardrails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RulePlan {
    /// What it finds, or nothing to find a content that is too short.
    needle: &'static str,
    pub(crate) streaming: bool,
    pub(crate) severity: Severity,
    pub(crate) recoverable: bool,
    /// Whether it panics instead of finding something.
    pub(crate) panics: bool,
}

impl RulePlan {
    fn draw(random: &mut Random) -> Self {
        let severity = [Severity::Warning, Severity::Error, Severity::Fatal][random.below(3)];
        Self {
            needle: ["", "a", "aa", "bc"][random.below(4)],
            streaming: random.one_in(2),
            severity,
            recoverable: severity != Severity::Fatal && random.below(3) > 0,
            panics: random.one_in(12),
        }
    }

    /// Returns whether it finds something.
    pub(crate) fn finds(&self, content: &str) -> bool {
        match self.needle {
            "" => content.len() < 2,
            needle => content.contains(needle),
        }
    }

    fn check(&self, index: usize, context: &GuardrailContext<'_>) -> Vec<Violation> {
        if !self.finds(context.content) {
            return Vec::new();
        }
        if self.panics {
            planned_panic();
        }
        let name = index.to_string();
        let violation = match self.severity {
            Severity::Warning => Violation::warning(name),
            Severity::Error => Violation::error(name),
            Severity::Fatal => Violation::fatal(name),
        };
        vec![if self.recoverable {
            violation
        } else {
            violation.unrecoverable()
        }]
    }
}

/// What the streams of an operation do, and how it is set up.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) form: Form,
    /// The primary stream and its fallbacks; of each the streams that race, of which there is one if they do not; of
    /// each of those what it does at each opening. The last one is for all that follow, too.
    pub(crate) streams: Vec<Vec<Vec<Vec<Step>>>>,
    /// The retries after errors of the model, and those in all, if there are any.
    pub(crate) retry: Option<(u32, u32)>,
    /// The milliseconds that the first token may take.
    pub(crate) initial: Option<u64>,
    /// The milliseconds that each of the others may take.
    pub(crate) inter: Option<u64>,
    pub(crate) only_text_resets: bool,
    pub(crate) rules: Vec<RulePlan>,
    /// The tokens from one check to the next.
    pub(crate) every: usize,
    pub(crate) handlers_panic: bool,
    /// The polls after which it is dropped.
    pub(crate) cancelled_after: Option<usize>,
}

impl Program {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let form = match random.below(4) {
            0 => Form::Tokens,
            1 => Form::Chunks,
            2 => Form::Race(None),
            _ => Form::Race(Some(1 + random.below(8) as u64)),
        };
        let racers = if matches!(form, Form::Race(_)) { 4 } else { 1 };
        let hangs = random.one_in(4);
        let several = |random: &mut Random, most| 0..=random.below(most);
        let streams = several(random, 3).map(|_| {
            let racers = several(random, racers).map(|_| {
                let scripts = several(random, 4).map(|_| script(random, form, hangs));
                scripts.collect()
            });
            racers.collect()
        });
        Self {
            form,
            streams: streams.collect(),
            retry: (random.below(8) > 0).then(|| (random.below(4) as u32, random.below(6) as u32)),
            initial: random.one_in(3).then(|| 1 + random.below(40) as u64),
            inter: random.one_in(3).then(|| 1 + random.below(25) as u64),
            only_text_resets: random.one_in(3),
            rules: match random.below(3) {
                0 => (0..random.below(4))
                    .map(|_| RulePlan::draw(random))
                    .collect(),
                _ => Vec::new(),
            },
            every: 1 + random.below(3),
            handlers_panic: random.one_in(8),
            cancelled_after: random.one_in(4).then(|| random.below(20)),
        }
    }

    /// Returns the rules as guardrails.
    pub(crate) fn guardrails(&self) -> Guardrails {
        let rules = self.rules.iter().enumerate();
        let all = rules.fold(Guardrails::none(), |all, (index, &plan)| {
            let rule = rules::from_fn(index.to_string(), move |context| plan.check(index, context));
            all.rule(if plan.streaming {
                rule.while_streaming()
            } else {
                rule
            })
        });
        all.check_every(self.every)
    }
}

/// Draws what a stream does.
fn script(random: &mut Random, form: Form, hangs: bool) -> Vec<Step> {
    let mut steps: Vec<_> = (0..random.below(5))
        .map(|_| match random.below(6) {
            0 | 1 => Step::Wait(1 + random.below(20) as u64),
            2 => Step::Token(""),
            3 if form != Form::Tokens => Step::Token(CALL),
            3 | 4 => Step::Token("a"),
            _ => Step::Token("bc"),
        })
        .collect();
    match random.below(8) {
        0 | 1 => steps.push(Step::Fail(Fault::Broken)),
        2 => steps.push(Step::Fail(Fault::Refused)),
        3 => steps.push(Step::Fail(Fault::Limited(match random.below(2) {
            0 => None,
            _ => Some(ms(random.below(60) as u64)),
        }))),
        4 if random.one_in(2) => steps.push(Step::Fail(Fault::Denied)),
        5 if hangs => steps.push(Step::Hang),
        _ => {}
    }
    steps
}
