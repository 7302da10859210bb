//! A service whose jobs are run by a pool, on all threads of the runtime.

use abreast::{Pool, parallel};
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use cookbook::{Error, client, count_primes, serve};

/// Counts primes in a job. If the caller hangs up, the handle is dropped, and the job runs on.
async fn primes(
    State(pool): State<Pool>,
    Path(below): Path<u32>,
) -> Result<String, (StatusCode, String)> {
    let job = pool
        .execute(async move { Ok::<_, String>(count_primes(below)) })
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, refused.to_string()))?;
    let count = job
        .await
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(count.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
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
        let url = format!("http://{address}/primes/{below}");
        client
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await
    };
    let asked = parallel((1..=20).map(|n| ask(n * 1000))).concurrency(10);
    let answers = asked.await.into_values()?;
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
