//! A block with `?` does not say which error it returns, as that may be converted.

use abreast::{Retry, parallel, pool, race, retry, task_group};

struct Refused;

async fn fetch() -> Result<u32, Refused> {
    Err(Refused)
}

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

async fn run() {
    let _ = parallel((0..3).map(|_| async { Ok(fetch().await? + 1) })).await;
}

async fn run_race() {
    let _ = race([0, 1].map(|_| async { Ok(fetch().await? + 1) })).await;
}

async fn run_retry() {
    let _ = retry(Retry::recommended(), sleep, || async { Ok(fetch().await? + 1) }).await;
}

async fn run_group() {
    let _ = task_group(async |group| {
        let one = group.spawn(async { Ok(fetch().await? + 1) });
        Ok(one.await)
    })
    .await;
}

fn main() {
    let (pool, _driver) = pool(3);
    let _ = pool.execute(async { Ok(fetch().await? + 1) });
}
