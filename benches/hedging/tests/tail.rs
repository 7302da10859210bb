//! What hedging is good for, and what it costs, in numbers of requests and calls.

use std::time::Duration;

use hedging::{Hedging, simulate};

const REQUESTS: usize = 12_000;
const SLOW: Duration = Duration::from_millis(50);

#[test]
fn hedging_cuts_the_tail_off() {
    let before = simulate(Hedging::None, REQUESTS, false);
    let after = simulate(Hedging::Learned, REQUESTS, false);
    assert_eq!((before.latencies.len(), before.calls), (REQUESTS, REQUESTS));
    // One in fifty was slow, and one in 2500 still is, as both of its calls are.
    let (slow, still_slow) = (before.slower_than(SLOW), after.slower_than(SLOW));
    assert!((200..280).contains(&slow), "{slow}");
    assert!(still_slow <= 12, "{still_slow}");
    // One in twenty takes longer than the delay, whatever that is.
    let extra = after.calls - REQUESTS;
    assert!((500..700).contains(&extra), "{extra}");
}

#[test]
fn a_budget_leaves_most_of_it() {
    let after = simulate(Hedging::Budgeted, REQUESTS, false);
    assert!(
        after.calls <= REQUESTS + 10 + REQUESTS / 20,
        "{}",
        after.calls
    );
    let still_slow = after.slower_than(SLOW);
    assert!(still_slow <= 60, "{still_slow}");
}

#[test]
fn outages_do_not_double_the_load() {
    let extra = |hedging| simulate(hedging, REQUESTS, true).calls - REQUESTS;
    // A third of all requests meets it.
    let fixed = extra(Hedging::Fixed);
    assert!(fixed >= REQUESTS / 3, "{fixed}");
    let learned = extra(Hedging::Learned);
    assert!(learned < fixed / 3, "{learned}");
    let budgeted = extra(Hedging::Budgeted);
    assert!(budgeted <= 10 + REQUESTS / 20, "{budgeted}");
}

#[test]
fn every_run_is_the_same() {
    let run = || simulate(Hedging::Budgeted, 2_000, true);
    assert_eq!(run().latencies, run().latencies);
}
