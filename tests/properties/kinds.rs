//! All kinds of programs that run tasks, of which an input of the fuzzer stands for one.

use crate::random::Random;
use crate::seeds::replay;
use crate::{group, hooks, pool, sets, shared, stops, streams, times, verbs, waits};

/// What draws a program and runs it.
type Kind = fn(&mut Random);

/// All kinds of programs, in an order that inputs of the fuzzer depend on: what is new comes last.
const KINDS: [Kind; 24] = [
    verbs::every_verb_once,
    verbs::failing_fast,
    verbs::wrong_hints,
    verbs::waiting_source,
    sets::gathered,
    sets::tried,
    sets::raced,
    streams::results,
    streams::pages,
    hooks::hooks,
    waits::timeouts,
    waits::staggered,
    waits::pauses,
    times::timed_races,
    group::group,
    pool::jobs,
    pool::fed,
    pool::sent,
    stops::stopped_runs,
    stops::stopped_groups,
    stops::quorums,
    shared::shared_limits,
    shared::retried_tasks,
    shared::shared_rates,
];

/// Runs the program that an input of a fuzzer stands for.
pub(crate) fn run_input(input: &[u8]) {
    let mut random = Random::from_input(input);
    let kind = random.below(KINDS.len());
    KINDS[kind](&mut random);
}

#[test]
fn the_corpus_keeps_its_promises() {
    replay("programs", run_input);
}
