//! Language models, fanned out: each asks for a tool first, and goes on with what that returned.

use std::io;
use std::time::Duration;

use abreast::operation::{Guardrails, Operation, OperationFailure, Retry, State, Timeout};
use abreast::parallel;
use cookbook::{Chat, Chunk, Error};

async fn answer(chat: &Chat, city: &str) -> Result<State, OperationFailure<io::Error>> {
    let mut prompt = format!("What to wear in {city}?");
    loop {
        let mut chunks = Vec::new();
        let state = Operation::chunks(|| chat.open(&prompt), Chunk::text)
            .timer(tokio::time::sleep)
            .retry(Retry::recommended())
            // Calls keep the stream alive as text does, and an answer that is a call is not an empty one.
            .timeout(Timeout::inter_token(Duration::from_secs(10)))
            .guardrails(Guardrails::recommended())
            .collect_chunks(&mut chunks)
            .run()
            .await?;

        let called: String = chunks.iter().filter_map(Chunk::call).collect();
        if called.is_empty() {
            return Ok(state);
        }
        prompt.push_str(&called);
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let chat = Chat::start().await?;
    let cities = ["Lisbon", "Oslo", "Quito"];

    let asked = parallel(cities.map(|city| answer(&chat, city)));
    let answers = asked.concurrency(2).await;

    for (city, answer) in cities.iter().zip(answers.results()) {
        println!(
            "{city}: {}",
            answer.map_or("no answer", |state| &state.content)
        );
    }
    println!("{} tokens", answers.telemetry().total_tokens);
    Ok(())
}
