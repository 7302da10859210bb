//! Figures over many operations.
#![cfg(all(feature = "operation", feature = "test-util"))]

use crate::script::*;
use abreast::operation::{AggregatedTelemetry, Operation, Retry, State, Strategy, Telemetry};
use abreast::parallel;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn without_operations_all_is_zero() {
    let none: [State; 0] = [];
    let telemetry: AggregatedTelemetry = none.iter().collect();
    assert_eq!(telemetry, AggregatedTelemetry::default());
    assert_eq!(telemetry.total_tokens, 0);
    assert_eq!(
        (telemetry.total_duration, telemetry.avg_time_to_first_token),
        (ms(0), ms(0))
    );
    assert_eq!(telemetry.avg_tokens_per_second.to_bits(), 0.0_f64.to_bits());
    let result = Stage::new().clock.run(parallel(std::iter::empty::<
        std::future::Ready<Result<State, ()>>,
    >()));
    assert_eq!(result.telemetry(), AggregatedTelemetry::default());
}

#[test]
fn sums_and_means_of_states() {
    let mut states = [State::default(), State::default(), State::default()];
    states[0].token_count = 10;
    states[0].duration = ms(1000);
    states[0].first_token_at = Some(ms(100));
    states[0].model_retry_count = 1;
    states[0].network_retry_count = 2;
    states[0].network_errors = vec!["reset".into(), "refused".into()];
    states[1].token_count = 10;
    states[1].duration = ms(500);
    states[1].first_token_at = Some(ms(300));
    states[1].violations = vec![abreast::operation::Violation::warning("odd")];
    states[2].duration = ms(100);
    let telemetry: AggregatedTelemetry = states.iter().collect();
    assert_eq!(telemetry.total_tokens, 20);
    assert_eq!(telemetry.total_duration, ms(1600));
    assert_eq!(telemetry.total_retries, 3);
    assert_eq!(telemetry.total_network_errors, 2);
    assert_eq!(telemetry.total_violations, 1);
    assert!(
        (telemetry.avg_tokens_per_second - 15.0).abs() < 1e-9,
        "unweighted: of 10 and 20"
    );
    assert_eq!(telemetry.avg_time_to_first_token, ms(200));
}

#[test]
fn parallel_results_have_telemetry() {
    let stage = Stage::new();
    let operation = |fault: Fault| {
        // Each on a stage of its own: they run at the same time.
        let own = stage.beside();
        Operation::new(own.source([&[Fail(fault)], &[Wait(10), Token("a"), Token("b")]]))
            .timer(stage.clock.timer())
            .retry(Retry::recommended().strategy(Strategy::Fixed))
    };
    let faults = [Fault::Refused, Fault::Broken, Fault::Denied];
    let result = stage.clock.run(parallel(faults.map(operation)));
    let telemetry = result.telemetry();
    assert_eq!(
        (
            telemetry.total_tokens,
            telemetry.total_retries,
            telemetry.total_network_errors
        ),
        (4, 2, 1)
    );
    assert_eq!(telemetry.total_duration, ms(2020));
    assert_eq!(telemetry.avg_time_to_first_token, ms(1010));

    let mut with_failures = telemetry;
    with_failures.extend(result.failures().map(|(_, failure)| failure));
    assert_eq!(with_failures.total_tokens, 4);
    let mut results = Vec::new();
    for outcome in result {
        results.push(match outcome {
            abreast::Outcome::Succeeded(state) => Ok(state),
            abreast::Outcome::Failed(failure) => Err(failure),
            abreast::Outcome::Cancelled => unreachable!(),
        });
    }
    assert!(results[2].state().content.is_empty());
    assert_eq!(
        results.iter().collect::<AggregatedTelemetry>(),
        with_failures
    );
}
