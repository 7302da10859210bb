//! Graceful shutdown with a deadline: jobs may finish until then, and what is left is dropped.

use std::convert::Infallible;
use std::time::Duration;

use abreast::{JobError, pool};
use cookbook::Error;
use tokio::time::sleep;

const HOUR: u64 = 3_600_000;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (pool, driver) = pool(2);
    let driver = tokio::spawn(driver);
    let mut jobs = Vec::new();
    for millis in [10, 20, HOUR, 30, HOUR, 40] {
        jobs.push(pool.execute(async move {
            sleep(Duration::from_millis(millis)).await;
            Ok::<_, Infallible>(millis)
        })?);
    }

    asked_to_stop().await;

    // From here on nothing is accepted, and what was accepted has two seconds.
    let report = pool.shutdown().within(Duration::from_secs(2), sleep).await;
    driver.await?;
    println!(
        "{} finished, {} dropped, {} never started",
        report.finished, report.dropped, report.never_started
    );

    // Every handle resolves.
    for job in jobs {
        match job.await {
            Ok(millis) => println!("finished after {millis} ms"),
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
