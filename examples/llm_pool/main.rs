//! Language models, asked side by side: translations in parallel, three providers in a race, a fall-through, and a pool
//! with shared settings. They run on this machine, in a server that stalls, hangs up, refuses, and sends broken JSON.
//!
//! Run with `cargo run --example llm_pool`.

mod client;
mod server;

use std::error::Error;
use std::time::Duration;

use abreast::operation::{
    AttemptError, Event, EventKind, Guardrails, Operation, OperationFailure, Retry, State, Timeout,
    Violation, create_pool, rules,
};
use abreast::{parallel, race};
use client::{ApiError, Client};
use server::Server;
use smol::Timer;

type Answer = Result<State, OperationFailure<ApiError>>;

/// No longer than a second for a token.
const TIMEOUT: Timeout = Timeout {
    initial_token: Duration::from_secs(1),
    inter_token: Duration::from_secs(1),
};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let client = Client {
        server: server.address(),
    };
    smol::block_on(async {
        translations(client).await;
        providers(client).await?;
        fall_through(client).await?;
        pool(client).await
    })?;
    println!("\n{} requests were served", server.shut_down()?);
    Ok(())
}

/// Returns the recommended settings, with delays of a tenth of a second at most.
fn retry() -> Retry {
    let retry = Retry::recommended().base_delay(Duration::from_millis(20));
    retry.max_delay(Duration::from_millis(100))
}

async fn translations(client: Client) {
    println!("-- translations, two at a time");
    let languages = ["Spanish", "French", "German"];
    let results = parallel(languages.map(|language| {
        let prompt = format!("Translate to {language}: Hello");
        Operation::new(move || {
            let prompt = prompt.clone();
            async move { client.stream("gpt-4o", &prompt).await }
        })
    }))
    .concurrency(2)
    .await;

    println!("Success: {}", results.success_count());
    for (language, state) in languages.iter().zip(results.results()) {
        println!(
            "{language}: {}",
            state.map_or("Failed", |state| &state.content)
        );
    }
    let telemetry = results.telemetry();
    println!(
        "{} tokens, the first after {:?}",
        telemetry.total_tokens, telemetry.avg_time_to_first_token
    );
    assert_eq!(results.success_count(), 3);
    assert_eq!(telemetry.total_tokens, 3 + 5 + 3);
}

async fn providers(client: Client) -> Result<(), Box<dyn Error>> {
    println!("\n-- three providers, the first to answer wins");
    let ask = |model| Operation::new(move || client.stream(model, "Which way?"));
    let answer = race(["slow", "overloaded", "claude"].map(ask))
        .on_error(|failure, index| println!("provider {index}: {failure}"))
        .await?;
    println!("Winner index: {}", answer.winner_index);
    println!("Response: {}", answer.value.content);
    assert_eq!(answer.winner_index, 2);
    Ok(())
}

async fn fall_through(client: Client) -> Result<(), Box<dyn Error>> {
    println!("\n-- a fall-through: two models that fail, each in its way, and a third");
    let ask = |model| move || client.stream(model, "Which way?");
    let state = Operation::new(ask("overloaded"))
        .timer(Timer::after)
        .fallback(ask("locked"))
        .fallback(ask("claude-3-haiku"))
        .retry(retry().max_retries(2))
        .timeout(TIMEOUT)
        .on_event(print)
        .on_token(|token| println!("    {token:?}"))
        .run()
        .await?;
    assert_eq!((state.fallback_index, state.network_retry_count), (2, 2));
    Ok(())
}

async fn pool(client: Client) -> Result<(), Box<dyn Error>> {
    println!("\n-- a pool of 3 with shared settings");
    let no_refusal = rules::from_fn("no_refusal", |context| {
        let refused = context.content.contains("can't assist");
        let violation = || Violation::error("it refuses").unrecoverable();
        refused.then(violation).into_iter().collect()
    });
    let (pool, mut driver) = create_pool(3)
        .timer(Timer::after)
        .shared_retry(retry())
        .shared_timeout(TIMEOUT)
        .shared_guardrails(Guardrails::recommended().rule(no_refusal))
        .on_event(print)
        .context([("user_id", "user_123")])
        .build();
    let ask = |model| Operation::new(move || client.stream(model, "Which way?"));
    let models = [
        "stalls-once",
        "drops-once",
        "limited-once",
        "json-broken-once",
        "refuses",
    ];
    let handles: Vec<_> = models
        .into_iter()
        .map(|model| pool.execute(ask(model)))
        .collect::<Result<_, _>>()?;
    // Its own guardrails win over those of the pool.
    let overridden = pool.execute(ask("refuses").guardrails(Guardrails::none()))?;
    driver.run_until(pool.drain()).await;

    println!("-- what became of them");
    let mut answers: Vec<Answer> = Vec::new();
    for (model, handle) in models.iter().zip(handles) {
        let answer = handle
            .await
            .map_err(|error| error.into_error().expect("no operation panics"));
        match &answer {
            Ok(state) => println!("{model}: {}", state.content),
            Err(failure) => println!("{model}: {failure} (it was: {})", failure.state.content),
        }
        answers.push(answer);
    }
    let overridden = overridden.await?;
    println!("refuses, without guardrails: {}", overridden.content);

    let retries = |state: &State| (state.network_retry_count, state.model_retry_count);
    let counts = answers.iter().flatten().map(retries);
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 0), (1, 0), (1, 0), (0, 1)]);
    assert!(
        matches!(&answers[4], Err(failure) if matches!(failure.error, AttemptError::Violated(_)))
    );
    assert!(overridden.completed);

    println!("{:#?}", pool.telemetry());
    let stats = pool.stats();
    println!(
        "executed: {}, failed: {}",
        stats.total_executed, stats.total_failed
    );
    assert_eq!((stats.total_executed, stats.total_failed), (6, 1));
    assert_eq!(pool.telemetry().total_retries, 4);
    Ok(())
}

/// Prints the events that are not for each token.
fn print(event: &Event) {
    match &event.kind {
        EventKind::TimeoutReset { .. } | EventKind::TimeoutStart { .. } => {}
        EventKind::GuardrailPhaseStart { .. } | EventKind::GuardrailPhaseEnd { .. } => {}
        EventKind::GuardrailRuleResult { passed: true, .. } => {}
        kind => println!("[{} +{:>6.1?}] {kind:?}", event.operation_id, event.at),
    }
}
