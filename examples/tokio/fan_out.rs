//! Fetches 200 pages, 20 at a time, with reqwest on tokio.
//!
//! Some pages are slow, and some fail; a server of our own sees to that. `fan_out` does the same with hyper on smol,
//! and has the same call of `parallel`.
//!
//! ```sh
//! cargo run -p abreast-tokio --bin fan_out_tokio
//! ```

#[path = "../support/mod.rs"]
mod support;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use abreast::{ParallelResult, parallel};
use reqwest::{Client, StatusCode};
use tokio::runtime::Runtime;

use support::pages::{self, PAGES};
use support::report::{Run, progress_bar, report, show_progress};
use support::server::Server;

const CONCURRENCY: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let one_by_one = run(&runtime, 1)?;
    let abreast = run(&runtime, CONCURRENCY)?;
    report(&one_by_one, &abreast, CONCURRENCY, |error| {
        error.status().as_ref().map(StatusCode::as_u16)
    });
    Ok(())
}

fn run(runtime: &Runtime, concurrency: usize) -> Result<Run<reqwest::Error>, Box<dyn Error>> {
    let server = Server::start(concurrency)?;
    // Spawned, any thread of the runtime may carry it on, even though the tasks borrow from it.
    let fetching = runtime.spawn(fetch_all(server.address(), concurrency));
    let result = runtime.block_on(fetching)??;
    let load = server.shut_down()?;
    Ok(Run { result, load })
}

async fn fetch_all(
    server: SocketAddr,
    concurrency: usize,
) -> reqwest::Result<ParallelResult<String, reqwest::Error>> {
    // The server is on this machine, whatever proxy the environment asks for.
    let client = Client::builder().no_proxy().build()?;
    let urls: Vec<String> = (0..PAGES)
        .map(|page| format!("http://{server}{}", pages::path(page)))
        .collect();
    let bar = progress_bar(concurrency);
    let failed = AtomicUsize::new(0);

    let result = parallel(urls.iter().map(|url| fetch(&client, url)))
        .concurrency(concurrency)
        .on_error(|_, _| _ = failed.fetch_add(1, Ordering::Relaxed))
        .on_progress(|progress| show_progress(&bar, progress, failed.load(Ordering::Relaxed)))
        .await;

    bar.finish_and_clear();
    Ok(result)
}

/// Fetches one page, on a connection from the client's pool.
async fn fetch(client: &Client, url: &str) -> reqwest::Result<String> {
    let response = client.get(url).send().await?.error_for_status()?;
    response.text().await
}
