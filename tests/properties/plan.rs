//! What tasks do, drawn at random.

use crate::random::Random;

/// What a task does at one of its polls but the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    /// It wakes itself, as one that yields.
    Itself,
    /// It wakes itself twice, the second time by value.
    Twice,
    /// It waits until it is released by the program.
    Released,
    /// It is woken by another thread.
    Thread,
    /// It wakes itself and then another task, which may exist or not.
    Another(usize),
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Value,
    Error,
    Panic,
    Never,
}

/// All that a task does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) waits: Vec<Wait>,
    pub(crate) end: End,
    /// Whether it wakes itself as it ends: nothing that follows it may be polled for that.
    pub(crate) end_wakes: bool,
    /// A task that its destructor wakes, itself included.
    pub(crate) drop_wakes: Option<usize>,
    /// Whether its destructor panics.
    pub(crate) drop_panics: bool,
    /// Whether it has one waker with others, so that it may be polled when they are woken.
    pub(crate) shares_waker: bool,
}

impl Plan {
    /// Creates the plan of a task that waits, and succeeds.
    pub(crate) const fn waits(waits: Vec<Wait>) -> Self {
        Self {
            waits,
            end: End::Value,
            end_wakes: false,
            drop_wakes: None,
            drop_panics: false,
            shares_waker: false,
        }
    }

    /// Returns what the task resolves to, if it does.
    pub(crate) fn result(&self, index: usize) -> Option<Result<usize, usize>> {
        match self.end {
            End::Value => Some(Ok(index)),
            End::Error => Some(Err(index)),
            End::Panic | End::Never => None,
        }
    }
}

/// Draws the plan of what is waited for beside tasks: a source that has the next one, or a timer.
pub(crate) fn gate(random: &mut Random) -> Plan {
    let waits = (0..random.below(3)).map(|_| match random.below(4) {
        0 => Wait::Itself,
        1 => Wait::Thread,
        _ => Wait::Released,
    });
    let mut plan = Plan::waits(waits.collect());
    plan.shares_waker = true;
    plan
}

/// Draws the plans of a program. Errors are as frequent as `errors` of a hundred.
pub(crate) fn plans(random: &mut Random, errors: usize) -> Vec<Plan> {
    let count = match random.below(20) {
        0 => random.below(150),
        _ => random.below(12),
    };
    plans_of(count, random, errors)
}

/// Draws the plans of a program of `count` tasks.
pub(crate) fn plans_of(count: usize, random: &mut Random, errors: usize) -> Vec<Plan> {
    // A destructor that panics during another panic would abort, so that a program has either, and of destructors one.
    let trouble = random.below(6);
    let are_noisy = random.below(3) == 0;
    let mut plans: Vec<_> = (0..count)
        .map(|_| {
            let waits = (0..random.below(4)).map(|_| match random.below(14) {
                0..=2 => Wait::Itself,
                3 => Wait::Twice,
                4 => Wait::Thread,
                5 | 6 => Wait::Another(random.below(count)),
                _ => Wait::Released,
            });
            let mut plan = Plan::waits(waits.collect());
            plan.end = match random.below(100) {
                luck if luck < errors => End::Error,
                luck if luck >= 90 && trouble == 1 => End::Panic,
                luck if luck >= 90 && trouble == 2 => End::Never,
                _ => End::Value,
            };
            // Wakes of what has just ended or is being dropped.
            if are_noisy {
                plan.end_wakes = random.below(2) == 0;
                plan.drop_wakes = (random.below(4) == 0).then(|| random.below(count));
            }
            plan
        })
        .collect();
    if trouble == 3 && count > 0 {
        plans[random.below(count)].drop_panics = true;
    }
    plans
}

/// Returns whether any task ends in this way.
pub(crate) fn any(plans: &[Plan], end: End) -> bool {
    plans.iter().any(|plan| plan.end == end)
}
