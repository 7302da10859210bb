//! A service whose jobs are run by a pool, on all threads of the runtime.

use std::error::Error;

use abreast::{Pool, parallel};
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use cookbook::{client, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (pool, driver) = Pool::builder().worker_count(4).queue_capacity(100).build();
    // A task for each worker, so that the runtime spreads them over its threads.
    let workers: Vec<_> = driver
        .into_workers()
        .into_iter()
        .map(tokio::spawn)
        .collect();
    let service = Router::new().route("/primes/{below}", get(primes));
    let address = serve(service.with_state(pool.clone())).await?;
    let client = client();
    let ask = async |below: u32| {
        let answer = client
            .get(format!("http://{address}/primes/{below}"))
            .send()
            .await?;
        answer.error_for_status()?.text().await
    };

    let answers = parallel((1..=20).map(|n| ask(n * 1000)))
        .concurrency(10)
        .await
        .into_values()?;
    println!("{} answers, the last is {}", answers.len(), answers[19]);

    // Finishes what was accepted. What comes now is refused, and the workers end.
    pool.shutdown().await;
    let refused = ask(10).await.expect_err("the pool was shut down");
    println!("and then: {}", refused.status().expect("it was an answer"));
    for worker in workers {
        worker.await?;
    }
    println!("{} jobs succeeded", pool.stats().total_succeeded);
    Ok(())
}

/// Counts primes in a job. If the caller hangs up, the handle is dropped, and the job runs on.
async fn primes(
    State(pool): State<Pool>,
    Path(below): Path<u32>,
) -> Result<String, (StatusCode, String)> {
    let job = pool
        .execute(async move { Ok::<_, String>((2..below).filter(|n| is_prime(*n)).count()) })
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, refused.to_string()))?;
    let count = job
        .await
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(count.to_string())
}

fn is_prime(n: u32) -> bool {
    (2..n)
        .take_while(|factor| factor * factor <= n)
        .all(|factor| n % factor != 0)
}
