//! Races of streams that the first token decides.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::cell::RefCell;
use std::error::Error;
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use crate::script::*;
use abreast::operation::{
    AttemptError, Category, Classify, Guardrails, Operation, OperationFailure, Retry, State,
    Strategy, Timeout, TimeoutKind, first_token,
};
use abreast::{Budget, Failures, Hedge, fall_through};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Outcome = Result<State, OperationFailure<Failures<Fault>>>;

/// Returns stages by one clock, as many streams may be open at a time.
fn stages<const N: usize>() -> [Stage; N] {
    let first = Stage::new();
    std::array::from_fn(|_| first.beside())
}

/// Races streams that do this, and returns what came of it, how many streams were opened, and who won.
fn run<const N: usize>(scripts: [&[Step]; N]) -> (Outcome, Vec<usize>, Vec<usize>) {
    let stages = stages::<N>();
    let winners = RefCell::new(Vec::new());
    let sources: Vec<_> = stages
        .iter()
        .zip(scripts)
        .map(|(stage, script)| stage.source([script]))
        .collect();
    let source = first_token(sources).on_winner(|index| winners.borrow_mut().push(index));
    let outcome = stages[0]
        .clock
        .run(Operation::new(source).timer(stages[0].clock.timer()));
    assert!(
        stages.iter().all(|stage| stage.open() == 0),
        "all are dropped"
    );
    let opened = stages.iter().map(Stage::opened).collect();
    (outcome, opened, winners.take())
}

fn errors(outcome: Outcome) -> Vec<(usize, Fault)> {
    let AttemptError::Stream(failures) = outcome.unwrap_err().error else {
        panic!("a stream failed")
    };
    failures.into_iter().collect()
}

const FAST: &[Step] = &[Token(""), Wait(10), Token("fast"), Wait(100), Token("er")];
const SLOW: &[Step] = &[Token(""), Wait(50), Token("slow")];
const REFUSED: &[Step] = &[Fail(Fault::Refused)];

#[test]
fn the_first_token_decides() {
    let (outcome, opened, winners) = run([SLOW, FAST, REFUSED]);
    let state = outcome.unwrap();
    assert_eq!((state.content.as_str(), state.token_count), ("faster", 2));
    assert_eq!(state.first_token_at, Some(ms(10)));
    assert_eq!((opened, winners), (vec![1, 1, 1], vec![1]));
}

#[test]
fn ties_go_to_the_lowest() {
    let (outcome, opened, winners) = run([&[Wait(5), Token("a")], &[Wait(5), Token("b")]]);
    assert_eq!(outcome.unwrap().content, "a");
    assert_eq!((opened, winners), (vec![1, 1], vec![0]));
    let (outcome, opened, _) = run([&[Token("a")], &[Token("b")]]);
    assert_eq!(outcome.unwrap().content, "a");
    assert_eq!(opened, [1, 0], "a token at once leaves the others closed");
}

#[test]
fn losers_are_dropped_before_the_token() {
    let [a, b] = stages();
    let sources = [a.source([SLOW]), b.source([FAST])];
    let loser = a.clone();
    let operation =
        Operation::new(first_token(sources)).on_token(move |_| assert_eq!(loser.open(), 0));
    let state = a.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), a.open()), ("faster", 0));
}

#[test]
fn all_errors_are_kept() {
    let broken: &[Step] = &[Wait(10), Token(""), Fail(Fault::Broken)];
    let (outcome, _, winners) = run([broken, REFUSED, &[]]);
    assert_eq!(errors(outcome), [(1, Fault::Refused), (0, Fault::Broken)]);
    assert!(winners.is_empty());
}

#[test]
fn a_winner_may_fail_later() {
    let (outcome, _, winners) = run([SLOW, &[Token("a"), Wait(1), Fail(Fault::Broken)]]);
    assert_eq!(outcome.as_ref().unwrap_err().state.content, "a");
    assert_eq!(
        (errors(outcome), winners),
        (vec![(1, Fault::Broken)], vec![1])
    );
}

#[test]
fn streams_without_tokens_lose() {
    let (outcome, ..) = run([&[Token("")], &[Wait(9), Token("late")]]);
    assert_eq!(outcome.unwrap().content, "late");
    let (outcome, ..) = run([&[Token("")], &[]]);
    assert_eq!(
        outcome.unwrap().content,
        "",
        "none has failed, and none has spoken"
    );
}

#[test]
fn a_hedge_opens_the_next_late() {
    let [a, b, c] = stages();
    let sources = [a.source([&[Hang]]), b.source([REFUSED]), c.source([FAST])];
    let source = first_token(sources).stagger(ms(100), a.clock.timer());
    let state = a.clock.run(Operation::new(source)).unwrap();
    assert_eq!(state.content, "faster");
    assert_eq!(
        [&a, &b, &c].map(Stage::openings),
        [[ms(0)], [ms(100)], [ms(100)]]
    );
    assert_eq!(a.clock.timers_running(), 0);
}

#[test]
fn a_hedge_learns_the_first_token() {
    let hedge = Hedge::quantile(0.5)
        .initial(ms(100))
        .budget(Budget::percent(5));
    for _ in 0..2 {
        let [a, b] = stages();
        let sources = [a.source([FAST]), b.source([SLOW])];
        let source = first_token(sources).stagger(&hedge, a.clock.timer());
        a.clock.run(Operation::new(source)).unwrap();
        assert_eq!(b.opened(), 0);
    }
    assert_eq!(hedge.delay(), Some(ms(10)));
}

#[test]
fn retries_race_anew() {
    let [a, b] = stages();
    let sources = [
        a.source([REFUSED, &[Token("a")]]),
        b.source([&[Wait(5), Fail(Fault::Denied)], SLOW]),
    ];
    let operation = Operation::new(first_token(sources))
        .timer(a.clock.timer())
        .retry(Retry::recommended().strategy(Strategy::Fixed));
    let state = a.clock.run(operation).unwrap();
    assert_eq!(
        (state.content.as_str(), state.network_retry_count),
        ("a", 1)
    );
    assert_eq!(
        (a.openings(), b.openings()),
        (vec![ms(0), ms(1005)], vec![ms(0)])
    );
}

#[test]
fn timeouts_limit_the_whole_race() {
    let [a, b] = stages();
    let hang: &[Step] = &[Token(""), Hang];
    let operation = Operation::new(first_token([a.source([hang]), b.source([hang])]))
        .fallback(first_token([|| stream::iter([Ok("tiny")])]))
        .timer(a.clock.timer())
        .timeout(Timeout::initial_token(secs(3)));
    let state = a.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), state.fallback_index), ("tiny", 1));
    assert_eq!((a.open(), b.open(), a.clock.now()), (0, 0, secs(3)));

    let operation = Operation::new(first_token([a.source([hang]), b.source([hang])]))
        .timer(a.clock.timer())
        .timeout(Timeout::initial_token(secs(3)));
    let failure = a.clock.run(operation).unwrap_err();
    let AttemptError::TimedOut(timed_out) = failure.error else {
        panic!("it is late")
    };
    assert_eq!(timed_out.kind, TimeoutKind::InitialToken);
}

#[test]
fn guardrails_check_the_winner() {
    let [a, b] = stages();
    let sources = [a.source([&[Token("["), Token("oops")]]), b.source([SLOW])];
    let operation = Operation::new(first_token(sources)).guardrails(Guardrails::json_only());
    let failure = a.clock.run(operation).unwrap_err();
    assert!(matches!(failure.error, AttemptError::Violated(_)));
    assert_eq!(failure.state.content, "[oops");
}

#[test]
fn races_fall_through() {
    let race = |scripts: [&'static [Step]; 2]| {
        let [a, b] = stages();
        Operation::new(first_token([
            a.source([scripts[0]]),
            b.source([scripts[1]]),
        ]))
    };
    let clock = abreast::time::VirtualClock::new();
    let instant: &[Step] = &[Token("now")];
    let run = fall_through([race([REFUSED, REFUSED]), race([REFUSED, instant])]);
    let winner = clock.run(run).unwrap();
    assert_eq!(
        (winner.value.content.as_str(), winner.winner_index),
        ("now", 1)
    );
}

#[test]
fn chunks_before_the_text_are_kept() {
    type Chunk = Option<&'static str>;
    fn text(chunk: &Chunk) -> Option<&str> {
        *chunk
    }
    let open = |chunks: Vec<Chunk>| move || stream::iter(chunks.clone()).map_ok();
    let mut kept = Vec::new();
    let sources = [
        open(vec![Some("")]),
        open(vec![None, Some(""), Some("a"), None]),
    ];
    let operation = Operation::chunks(first_token(sources).text(text), text);
    let state = abreast::time::VirtualClock::new()
        .run(operation.collect_chunks(&mut kept))
        .unwrap();
    assert_eq!((state.content.as_str(), state.other_chunks), ("a", 2));
    assert_eq!(kept, [None, Some(""), Some("a"), None]);

    // A call of a tool is an answer.
    let operation = Operation::chunks(
        first_token([open(vec![Some("")]), open(vec![None])]).text(text),
        text,
    );
    let state = abreast::time::VirtualClock::new().run(operation).unwrap();
    assert_eq!((state.content.as_str(), state.other_chunks), ("", 1));
}

/// Chunks as results.
trait MapOk: Sized {
    type Item;
    fn map_ok(self) -> impl futures::Stream<Item = Result<Self::Item, String>> + use<Self>;
}

impl<S: futures::Stream> MapOk for S {
    type Item = S::Item;
    fn map_ok(self) -> impl futures::Stream<Item = Result<S::Item, String>> + use<S> {
        futures::StreamExt::map(self, Ok)
    }
}

#[test]
fn fatal_only_if_all_are() {
    let failures = |scripts| {
        let AttemptError::Stream(failures) = run(scripts).0.unwrap_err().error else {
            panic!("streams failed")
        };
        (failures.category(), failures.retry_after())
    };
    let denied: &[Step] = &[Wait(5), Fail(Fault::Denied)];
    let limited: &[Step] = &[Fail(Fault::Limited(Some(secs(2))))];
    assert_eq!(failures([denied, denied]), (Category::Fatal, None));
    assert_eq!(
        failures([denied, limited]),
        (Category::Transient, Some(secs(2)))
    );
    assert_eq!(failures([limited, REFUSED]), (Category::Network, None));
}

#[test]
#[should_panic = "pass at least one"]
fn no_source_panics() {
    type Open = fn() -> stream::Empty<Result<&'static str, Fault>>;
    let none: [Open; 0] = [];
    let _ = first_token(none);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn borrowing_races_can_be_spawned() {
    async fn connect(
        url: &str,
    ) -> Result<impl futures::Stream<Item = Result<String, String>> + use<>, String> {
        Ok(stream::iter([Ok(url.to_uppercase())]))
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .unwrap();
    let state = runtime.block_on(async {
        let run = tokio::spawn(async {
            let urls = ["a", "b"].map(String::from);
            let hedge = Hedge::quantile(0.9);
            let sources = urls.iter().map(|url| move || connect(url));
            Operation::new(first_token(sources).stagger(hedge, tokio::time::sleep))
                .timer(tokio::time::sleep)
                .retry(Retry::recommended())
                .timeout(Timeout::initial_token(Duration::from_secs(60)))
                .await
        });
        run.await.unwrap()
    });
    assert_eq!(state.unwrap().content, "A");
}

#[test]
fn failures_tell_their_causes() {
    let (outcome, ..) = run([REFUSED, REFUSED]);
    let error = outcome.unwrap_err().error;
    let AttemptError::Stream(failures) = error else {
        panic!("streams failed")
    };
    assert_eq!(
        format!("{failures:#}"),
        "all 2 tasks failed, task 1 last: refused"
    );
    assert!(failures.source().is_some());
}
