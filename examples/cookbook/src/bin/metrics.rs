//! Metrics of a pool for Prometheus, whose text format needs no library.

use std::sync::Arc;
use std::time::Duration;

use abreast::{Pool, PoolEvent};
use axum::{Router, extract::State, routing::get};
use cookbook::{Error, Histogram, client, serve};

async fn metrics(State((pool, durations)): State<(Pool, Arc<Histogram>)>) -> String {
    // Taken together, so the figures add up.
    let stats = pool.stats();
    format!(
        "# TYPE jobs_total counter\n\
         jobs_total{{outcome=\"succeeded\"}} {}\n\
         jobs_total{{outcome=\"failed\"}} {}\n\
         jobs_total{{outcome=\"panicked\"}} {}\n\
         # TYPE jobs_queued gauge\n\
         jobs_queued {}\n{durations}",
        stats.total_succeeded, stats.total_failed, stats.total_panicked, stats.queue_length,
    )
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let durations = Arc::new(Histogram::default());
    let hook = durations.clone();
    let builder = Pool::builder().worker_count(4).on_event(move |event| {
        if let PoolEvent::Ended { duration, .. } = event {
            hook.record(*duration);
        }
    });
    let (pool, mut driver) = builder.build();
    let service = Router::new().route("/metrics", get(metrics));
    let address = serve(service.with_state((pool.clone(), durations))).await?;

    for job in 0..10 {
        _ = pool.execute(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if job == 7 {
                Err("it is seven")
            } else {
                Ok(job)
            }
        })?;
    }
    driver.run_until(pool.drain()).await;

    let scraped = client()
        .get(format!("http://{address}/metrics"))
        .send()
        .await?;
    print!("{}", scraped.text().await?);
    Ok(())
}
