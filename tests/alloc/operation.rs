//! Allocations: for the content as it grows, and none for tokens.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::future::pending;

use crate::counting::usage_of;
use crate::script::*;
use crate::support::Driver;
use abreast::operation::{Guardrails, Operation, Retry, Timeout};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns the allocations of `run`, and of a string that grows token by token to the same length.
fn count(tokens: usize, run: impl FnOnce(usize) -> String) -> (usize, usize) {
    let (during, content) = usage_of(|| run(tokens));
    let (growing, bare) = usage_of(|| {
        let mut bare = String::new();
        (0..tokens).for_each(|_| bare.push_str("token "));
        bare
    });
    assert_eq!(bare, content);
    (during.allocations, growing.allocations)
}

fn tokens(
    count: usize,
) -> impl FnMut() -> stream::Iter<std::vec::IntoIter<Result<&'static str, Fault>>> {
    let tokens: Vec<_> = vec![Ok("token "); count];
    let mut tokens = Some(tokens);
    move || stream::iter(tokens.take().expect("once"))
}

#[test]
fn plain_operations_allocate_their_content() {
    for n in [1, 10, 1000, 10_000] {
        let source = tokens(n);
        let mut operation = None;
        let driver = operation.insert(Driver::new(Operation::new(source)));
        let (during, bare) = count(n, |_| driver.finish().unwrap().content);
        assert_eq!(during, bare, "{n} tokens");
    }
}

#[test]
fn tokens_allocate_nothing() {
    let run = |n| {
        let mut events = 0;
        let operation = Operation::new(tokens(n))
            .timer(|_| pending::<()>())
            .timeout(Timeout {
                initial_token: secs(10),
                inter_token: secs(30),
            })
            .retry(Retry::recommended())
            .guardrails(Guardrails::recommended())
            .on_event(|_| events += 1)
            .on_token(|_| {});
        let mut driver = Driver::new(operation);
        let (during, bare) = count(n, |_| driver.finish().unwrap().content);
        during - bare
    };
    run(10);
    assert_eq!(
        run(10),
        run(10_000),
        "it does not depend on the number of tokens"
    );
    assert!(
        run(10_000) <= 16,
        "a checker and a few more for each rule: {}",
        run(10_000)
    );
}
