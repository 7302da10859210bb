//! A rate-limited API: starts a request every 20 ms, and has at most four in flight.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use abreast::parallel_stream;
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use cookbook::{client, serve};
use futures::{StreamExt, stream};
use tokio::time::{MissedTickBehavior, interval, sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bucket = Bucket {
        tokens: 10.0,
        filled: Instant::now(),
    };
    let api = Router::new().route("/items/{id}", get(item));
    let address = serve(api.with_state(Arc::new(Mutex::new(bucket)))).await?;
    let client = client();

    // There is no verb for rates. A stream with an item per tick is one, and after a delay this one does not catch up.
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let paced = stream::unfold((0..25, ticks), |(mut ids, mut ticks)| async {
        let id = ids.next()?;
        ticks.tick().await;
        Some((id, (ids, ticks)))
    });

    let result = parallel_stream(paced.map(|id| {
        let request = client.get(format!("http://{address}/items/{id}"));
        async { request.send().await?.error_for_status()?.text().await }
    }))
    .concurrency(4)
    .await;

    println!(
        "{} answered, {} refused",
        result.success_count(),
        result.failure_count()
    );
    for page in result.successful_results().take(2) {
        println!("{page}");
    }
    Ok(())
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Answers after 50 ms. Refuses what is more than a request per 15 ms, but for ten at once.
async fn item(
    State(bucket): State<Arc<Mutex<Bucket>>>,
    Path(id): Path<u32>,
) -> Result<String, StatusCode> {
    {
        let mut bucket = bucket.lock().unwrap();
        let passed = bucket.filled.elapsed().as_secs_f64();
        bucket.tokens = (bucket.tokens + passed / 0.015).min(10.0) - 1.0;
        bucket.filled = Instant::now();
        if bucket.tokens < 0.0 {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
    }
    sleep(Duration::from_millis(50)).await;
    Ok(format!("item {id}"))
}
