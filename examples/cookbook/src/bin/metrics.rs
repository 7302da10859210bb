//! Metrics of a pool for Prometheus, whose text format needs no library.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use abreast::{Pool, PoolEvent};
use axum::{Router, extract::State, routing::get};
use cookbook::{client, serve};

/// How many jobs took at most so many seconds.
#[derive(Default)]
struct Histogram([AtomicU64; BOUNDS.len()]);

const BOUNDS: [f64; 4] = [0.001, 0.01, 10.0, f64::INFINITY];

impl Histogram {
    fn record(&self, duration: Duration) {
        let bounds = self.0.iter().zip(BOUNDS);
        for (count, _) in bounds.filter(|(_, bound)| duration.as_secs_f64() <= *bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let durations = Arc::new(Histogram::default());
    let hook = durations.clone();
    let (pool, mut driver) = Pool::builder()
        .worker_count(4)
        .on_event(move |event| {
            if let PoolEvent::Ended { duration, .. } = event {
                hook.record(*duration);
            }
        })
        .build();
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

async fn metrics(State((pool, durations)): State<(Pool, Arc<Histogram>)>) -> String {
    // Taken together, so the figures add up.
    let stats = pool.stats();
    let mut text = format!(
        "# TYPE jobs_total counter\n\
         jobs_total{{outcome=\"succeeded\"}} {}\n\
         jobs_total{{outcome=\"failed\"}} {}\n\
         jobs_total{{outcome=\"panicked\"}} {}\n\
         # TYPE jobs_queued gauge\n\
         jobs_queued {}\n\
         # TYPE job_seconds histogram\n",
        stats.total_succeeded, stats.total_failed, stats.total_panicked, stats.queue_length,
    );
    for (count, bound) in durations.0.iter().zip(BOUNDS) {
        let count = count.load(Ordering::Relaxed);
        let bound = if bound.is_finite() {
            bound.to_string()
        } else {
            "+Inf".into()
        };
        writeln!(text, "job_seconds_bucket{{le=\"{bound}\"}} {count}").expect("it is a string");
    }
    text
}
