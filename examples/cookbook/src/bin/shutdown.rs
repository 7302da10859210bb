//! Graceful shutdown with a deadline: jobs may finish until then, and what is left is dropped.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use abreast::{JobError, pool, timeout};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (pool, driver) = pool(2);
    let driver = tokio::spawn(driver);
    let jobs: Vec<_> = [10, 20, 30, 3_600_000, 40]
        .map(Duration::from_millis)
        .into_iter()
        .map(|duration| {
            pool.execute(async move {
                sleep(duration).await;
                Ok::<_, Infallible>(duration)
            })
        })
        .collect::<Result<_, _>>()?;

    asked_to_stop().await;

    // From here on nothing is accepted, and what was accepted has two seconds.
    let in_time = timeout(Duration::from_secs(2), sleep, pool.shutdown())
        .await
        .is_ok();
    if !in_time {
        // Dropped with its task, the driver drops its jobs, and tells their handles.
        driver.abort();
    }
    println!("all in time: {in_time}");

    for job in jobs {
        match job.await {
            Ok(duration) => println!("finished after {duration:?}"),
            Err(JobError::Abandoned) => println!("dropped at the deadline"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

/// Stands for `tokio::signal::ctrl_c()`, or a SIGTERM.
async fn asked_to_stop() {
    sleep(Duration::from_millis(1)).await;
}
