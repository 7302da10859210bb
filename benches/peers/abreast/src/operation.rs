//! Operations on streams of tokens, and a bare loop over the same stream.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::hint::black_box;
use std::time::Duration;

use abreast::operation::{Event, Guardrails, Operation, Retry, Timeout};
use futures::{Stream, StreamExt, stream};
use harness::{Contender, Role, block_on, yield_now};

/// About as long as those of a model.
const WORDS: [&str; 8] = [
    "The", " ferry", " leaves", " at", " half", " past", " seven", ".\n",
];

/// How tokens come.
#[derive(Clone, Copy, Debug)]
pub enum Tokens {
    /// All are there.
    Ready,
    /// Each wakes the operation once.
    Woken,
}

/// Runs one operation on a stream of so many tokens. Returns how long its content is.
pub type RunOperation = fn(Tokens, usize) -> usize;

type Item = Result<&'static str, Infallible>;

fn ready(tokens: usize) -> impl Stream<Item = Item> {
    stream::iter((0..tokens).map(|token| Ok(WORDS[token % WORDS.len()])))
}

fn woken(tokens: usize) -> impl Stream<Item = Item> {
    Box::pin(ready(tokens).then(|token| async move {
        yield_now().await;
        token
    }))
}

async fn consume(tokens: impl Stream<Item = Item>) -> String {
    let mut tokens = std::pin::pin!(tokens);
    let mut content = String::new();
    while let Some(Ok(token)) = tokens.next().await {
        content.push_str(token);
    }
    content
}

fn bare(tokens: Tokens, count: usize) -> usize {
    let content = match tokens {
        Tokens::Ready => block_on(consume(ready(count)), 0),
        Tokens::Woken => block_on(consume(woken(count)), 0),
    };
    black_box(content).len()
}

/// Declares a function that runs one operation; `on_event` counts events.
macro_rules! operation {
    ($name:ident, |$operation:ident, $on_event:ident| $configured:expr) => {
        fn $name(tokens: Tokens, count: usize) -> usize {
            fn run<S: Stream<Item = Item>>(source: impl FnMut() -> S) -> usize {
                let events = Cell::new(0_usize);
                let $on_event = |_: &Event| events.set(events.get() + 1);
                let $operation = Operation::new(source);
                let outcome = block_on($configured, 0).expect("it succeeds");
                black_box(events.get());
                black_box(outcome.content).len()
            }
            match tokens {
                Tokens::Ready => run(|| ready(count)),
                Tokens::Woken => run(|| woken(count)),
            }
        }
    };
}

/// Returns a timer that never fires.
fn never(_: Duration) -> impl Future<Output = ()> {
    pending()
}

const LIMITS: Timeout = Timeout {
    initial_token: Duration::from_secs(10),
    inter_token: Duration::from_secs(30),
};

operation!(plain, |operation, _on_event| operation);
operation!(timed, |operation, _on_event| {
    operation
        .timer(never)
        .timeout(LIMITS)
        .retry(Retry::recommended())
});
operation!(guarded, |operation, _on_event| {
    operation.guardrails(Guardrails::recommended())
});
operation!(observed, |operation, on_event| {
    operation.timer(never).timeout(LIMITS).on_event(on_event)
});
operation!(full, |operation, on_event| {
    operation
        .timer(never)
        .timeout(LIMITS)
        .retry(Retry::recommended())
        .guardrails(Guardrails::recommended())
        .on_event(on_event)
});

/// Returns operations that are configured more and more, and the bare loop.
pub fn operations() -> [Contender<RunOperation>; 6] {
    [
        Contender::new("abreast operation", Role::Subject, plain),
        Contender::new("  + retries, timeouts", Role::Variant, timed),
        Contender::new("  + guardrails (recommended)", Role::Variant, guarded),
        Contender::new("  + timeouts, events", Role::Variant, observed),
        Contender::new("  + all of them", Role::Variant, full),
        Contender::new("bare while let", Role::Floor, bare),
    ]
}
