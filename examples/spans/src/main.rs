//! Spans of `tracing` for runs and their tasks, for the jobs of a pool, and for an operation: printed as a tree, and written to a
//! file as OpenTelemetry has it. All requests go to a server that the program starts itself.
//!
//! Run with `cargo run -p abreast-spans`, and optionally the path of the file, which is in the temporary directory otherwise.
//!
//! Each line of the file is a request of OTLP in JSON, as the file exporter of the OpenTelemetry Collector writes them. To look at it,
//! upload it in the search of Jaeger's page, or have the Collector's receiver `otlpjsonfile` read it (`include: [<path>]`,
//! `start_at: beginning`) and an exporter send it on. A service needs no file: `tracing-opentelemetry` sends spans as they end, and
//! knows the same fields.

mod client;
mod otlp;
mod server;
mod tree;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use abreast::operation::{Operation, Retry};
use abreast::{parallel, pool, race, traced};
use client::Client;
use server::Server;
use smol::Timer;
use tracing::{Instrument, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> Result<(), Box<dyn Error>> {
    let default = || env::temp_dir().join("abreast-spans.json");
    let path = env::args_os().nth(1).map_or_else(default, PathBuf::from);

    // The spans of abreast have the level `info`. What the runtime says is below that.
    let (layer, spans) = otlp::layer();
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(layer)
        .init();

    let server = Server::start()?;
    let client = Client::new(server.address());
    // All that is done within a span has it as an ancestor: the spans are one trace.
    smol::block_on(report(client).instrument(info_span!("report")))?;
    server.shut_down()?;

    let spans = spans.take();
    print!("{}", tree::draw(&spans));
    let lines = spans.iter().map(|span| format!("{}\n", span.to_request()));
    fs::write(&path, lines.collect::<String>())?;
    println!("{} spans are in {}", spans.len(), path.display());
    Ok(())
}

/// Fetches pages, finds the fastest mirror, indexes the pages, and has them summarized.
async fn report(client: Client) -> Result<(), Box<dyn Error>> {
    // A span for the run, and one for each task in it. The request of a task is a span of the client, in that of the task.
    let paths = (0..8).map(|page| format!("/pages/{page}"));
    let tasks = paths.map(|path| async move { client.get(&path).await });
    let pages = parallel(traced("fetch pages", tasks)).concurrency(3).await;
    assert_eq!((pages.success_count(), pages.failure_count()), (7, 1));

    // One mirror fails, one wins, and one is dropped for that.
    let mirrors = ["/mirrors/slow", "/mirrors/broken", "/mirrors/quick"];
    let tasks = mirrors.map(|path| client.get(path));
    let fastest = race(traced("ask mirrors", tasks)).await?;
    assert_eq!(fastest.winner_index, 2);

    // Each job of a pool has a span, within the one that is current where it is submitted, wherever the driver runs it.
    let (pool, mut driver) = pool(2);
    let index = info_span!("index pages");
    for text in pages.into_successful_results() {
        let job = async move { client.post("/index", &text).await };
        // Nobody waits for an index: the handle can go.
        drop(index.in_scope(|| pool.execute(job))?);
    }
    drop(index);
    driver.run_until(pool.drain()).await;
    assert_eq!(pool.stats().total_executed, 7);

    // An operation has a span by itself, with its events. What it does not know, a span around it says.
    let chat = info_span!(
        "chat",
        otel.name = "chat large",
        otel.kind = "client",
        gen_ai.operation.name = "chat",
        gen_ai.request.model = "large",
    );
    let retry = Retry::recommended().base_delay(Duration::from_millis(20));
    let summary = Operation::new(move || client.stream("/chat/large", "Summarize it."))
        .timer(Timer::after)
        .retry(retry.max_delay(Duration::from_millis(50)))
        .run()
        .instrument(chat)
        .await?;
    // The first answer broke off.
    assert_eq!(summary.network_retry_count, 1);
    assert_eq!(summary.content, server::SUMMARY);
    Ok(())
}
