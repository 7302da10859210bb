//! Language models, fanned out: each asks for a tool first, and goes on with what that returned.

use std::error::Error;
use std::io;
use std::time::Duration;

use abreast::operation::{Guardrails, Operation, OperationFailure, Retry, State, Timeout};
use abreast::parallel;
use axum::{Router, routing::post};
use cookbook::{client, serve};
use futures::{AsyncBufReadExt, Stream, StreamExt, TryStreamExt};
use serde::Deserialize;

type Answer = Result<State, OperationFailure<io::Error>>;

/// A line of the stream: text, or the call of a tool.
#[derive(Deserialize)]
#[serde(untagged)]
enum Chunk {
    Text { text: String },
    Call { weather_in: String },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = serve(Router::new().route("/chat", post(model))).await?;
    let model = client().post(format!("http://{address}/chat"));
    let cities = ["Lisbon", "Oslo", "Quito"];

    let answers = parallel(cities.map(|city| answer(&model, city)))
        .concurrency(2)
        .await;

    for (city, answer) in cities.iter().zip(answers.results()) {
        println!(
            "{city}: {}",
            answer.map_or("no answer", |state| &state.content)
        );
    }
    println!("{} tokens", answers.telemetry().total_tokens);
    Ok(())
}

async fn answer(model: &reqwest::RequestBuilder, city: &str) -> Answer {
    let mut prompt = format!("What to wear in {city}?");
    loop {
        let mut calls = Vec::new();
        let state = Operation::chunks(
            || open(model, &prompt),
            |chunk: &Chunk| match chunk {
                Chunk::Text { text } => Some(text),
                Chunk::Call { .. } => None,
            },
        )
        .timer(tokio::time::sleep)
        .retry(Retry::recommended())
        // Calls keep the stream alive as text does, and an answer that is a call is not an empty one.
        .timeout(Timeout::inter_token(Duration::from_secs(10)))
        .guardrails(Guardrails::recommended())
        .collect_chunks(&mut calls)
        .run()
        .await?;

        let tools = calls.iter().filter_map(|chunk| match chunk {
            Chunk::Text { .. } => None,
            Chunk::Call { weather_in } => Some(weather(weather_in)),
        });
        let weather: String = tools.collect();
        if weather.is_empty() {
            return Ok(state);
        }
        prompt.push_str(&weather);
    }
}

async fn open(
    model: &reqwest::RequestBuilder,
    prompt: &str,
) -> io::Result<impl Stream<Item = io::Result<Chunk>> + use<>> {
    let request = model
        .try_clone()
        .expect("it has no body yet")
        .body(prompt.to_owned());
    let response = request.send().await.map_err(io::Error::other)?;
    let lines = response
        .bytes_stream()
        .map_err(io::Error::other)
        .into_async_read()
        .lines();
    Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
}

/// Stands for the tool.
fn weather(city: &str) -> String {
    format!(
        " It is {} there.",
        if city == "Oslo" { "snowing" } else { "sunny" }
    )
}

/// Stands for the model: it asks for the weather until it is told.
async fn model(prompt: String) -> &'static str {
    if prompt.contains("snowing") {
        "{\"text\":\"A warm \"}\n{\"text\":\"coat.\"}\n"
    } else if prompt.contains("sunny") {
        "{\"text\":\"A hat.\"}\n"
    } else if prompt.contains("Oslo") {
        "{\"weather_in\":\"Oslo\"}\n"
    } else {
        "{\"weather_in\":\"the city\"}\n"
    }
}
