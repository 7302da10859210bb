//! Futures that hold the timer of a runtime may be sent to other threads.

use std::time::Duration;

use abreast::operation::{Guardrails, Operation, Retry, Timeout};
use abreast::race;
use futures::stream;

fn is_send<T: Send>(value: T) {
    drop(value);
}

#[test]
fn a_staggered_race_is_send() {
    let tasks = || (0..3).map(|n| async move { Ok::<_, ()>(n) });
    is_send(race(tasks()).stagger(Duration::ZERO, async_std::task::sleep));
    is_send(race(tasks()).stagger(Duration::ZERO, tokio::time::sleep));
}

#[test]
fn operations_with_async_blocks_are_spawned() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let prompt = String::from("borrowed");
    let task = runtime.spawn(async move {
        let prompt = &prompt;
        Operation::new(|| async move {
            tokio::task::yield_now().await;
            Ok::<_, String>(stream::iter([Ok("a "), Ok(prompt.as_str())]))
        })
        .fallback(|| stream::iter(["static"].map(Ok)))
        .timer(tokio::time::sleep)
        .retry(Retry::recommended())
        .timeout(Timeout::inter_token(Duration::from_secs(10)))
        .guardrails(Guardrails::recommended())
        .on_token(|token| drop(token.to_owned()))
        .await
    });
    assert_eq!(
        runtime.block_on(task).unwrap().unwrap().content,
        "a borrowed"
    );
}
