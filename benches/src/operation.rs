//! Operations on streams of tokens, against a bare loop over the same stream.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::hint::black_box;
use std::time::Duration;

use abreast::operation::{Guardrails, Operation, Retry, Timeout};
use futures::{Stream, StreamExt, stream};

use crate::board::yield_now;
use crate::host::block_on;
use crate::session::{Contender, Heading, Session, nanoseconds};

/// About as long as those of a model.
const WORDS: [&str; 8] = [
    "The", " ferry", " leaves", " at", " half", " past", " seven", ".\n",
];

/// How tokens come.
#[derive(Clone, Copy)]
enum Pace {
    /// All are there.
    Ready,
    /// Each wakes the operation once.
    Woken,
}

type Run = fn(Pace, usize) -> usize;

fn ready(tokens: usize) -> impl Stream<Item = Result<&'static str, Infallible>> {
    stream::iter((0..tokens).map(|token| Ok(WORDS[token % WORDS.len()])))
}

fn woken(tokens: usize) -> impl Stream<Item = Result<&'static str, Infallible>> {
    Box::pin(ready(tokens).then(|token| async move {
        yield_now().await;
        token
    }))
}

fn at(pace: Pace, ready: impl FnOnce() -> usize, woken: impl FnOnce() -> usize) -> usize {
    match pace {
        Pace::Ready => ready(),
        Pace::Woken => woken(),
    }
}

async fn consume(tokens: impl Stream<Item = Result<&'static str, Infallible>>) -> String {
    let mut tokens = std::pin::pin!(tokens);
    let mut content = String::new();
    while let Some(Ok(token)) = tokens.next().await {
        content.push_str(token);
    }
    content
}

fn bare(pace: Pace, tokens: usize) -> usize {
    let run = |content: String| black_box(content).len();
    at(
        pace,
        || run(block_on(consume(ready(tokens)))),
        || run(block_on(consume(woken(tokens)))),
    )
}

macro_rules! operation {
    ($name:ident, $operation:ident => $with:expr) => {
        fn $name(pace: Pace, tokens: usize) -> usize {
            fn run<S, F>(source: F) -> usize
            where
                S: Stream<Item = Result<&'static str, Infallible>>,
                F: FnMut() -> S,
            {
                let events = Cell::new(0_usize);
                let _ = &events;
                let on_event = |_: &abreast::operation::Event| events.set(events.get() + 1);
                let _ = &on_event;
                let $operation = Operation::new(source);
                let state = block_on(operation!(@ $with, on_event));
                black_box(state.expect("it succeeds").content).len()
            }
            at(pace, || run(|| ready(tokens)), || run(|| woken(tokens)))
        }
    };
    (@ $with:expr, $on_event:ident) => { ($with)($on_event) };
}

/// A timer that never fires.
fn never(_: Duration) -> impl Future<Output = ()> {
    pending()
}

const LIMITS: Timeout = Timeout {
    initial_token: Duration::from_secs(10),
    inter_token: Duration::from_secs(30),
};

operation!(plain, operation => |_| operation);
operation!(timed, operation => |_| operation.timer(never).timeout(LIMITS).retry(Retry::recommended()));
operation!(guarded, operation => |_| operation.guardrails(Guardrails::recommended()));
operation!(told, operation => |on_event| operation.timer(never).timeout(LIMITS).on_event(on_event));
operation!(full, operation => |on_event| {
    operation
        .timer(never)
        .timeout(LIMITS)
        .retry(Retry::recommended())
        .guardrails(Guardrails::recommended())
        .on_event(on_event)
});

pub(crate) fn measure_all(session: &mut Session) {
    let contenders: [Contender<Run>; 6] = [
        Contender::subject("abreast operation", plain),
        Contender::peer("  + retries, timeouts", timed),
        Contender::peer("  + guardrails (recommended)", guarded),
        Contender::peer("  + timeouts, events", told),
        Contender::peer("  + all of them", full),
        Contender::floor("bare while let", bare),
    ];
    for (pace, title) in [
        (Pace::Ready, "operation, tokens ready"),
        (Pace::Woken, "operation, a wake per token"),
    ] {
        let total = session.scale(400_000);
        let heading = Heading {
            title,
            measure: "ns per token",
            axis: "tokens",
            columns: &[1, 10, 100, 1000, 10_000],
        };
        session.time(&heading, &contenders, |run, tokens| {
            let operations = (total / tokens).max(1);
            let time = nanoseconds(&mut || {
                for _ in 0..operations {
                    black_box(run(pace, tokens));
                }
            });
            time / (operations * tokens) as f64
        });
    }
}
