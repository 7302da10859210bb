//! What `futures` has.

use futures::future::{join_all, select_ok};
use futures::stream::{self, StreamExt};

use super::{Failure, Outcome, Program};

pub(super) const NAME: &str = "futures";
pub(super) const SOURCE: &str = include_str!("peers.rs");

pub(super) async fn buffered(Program { tasks, n, save, .. }: Program) -> Outcome {
    let tasks = stream::iter(tasks);
    let mut results = tasks.buffered(n);
    while let Some(result) = results.next().await {
        save(result?).await?;
    }
    Ok(())
}

pub(super) async fn buffer_unordered(Program { tasks, n, save, .. }: Program) -> Outcome {
    let tasks = stream::iter(tasks);
    let mut results = tasks.buffer_unordered(n);
    while let Some(result) = results.next().await {
        save(result?).await?;
    }
    Ok(())
}

pub(super) async fn chunks(Program { tasks, n, save, .. }: Program) -> Outcome {
    let mut chunks = stream::iter(tasks).chunks(n);
    while let Some(tasks) = chunks.next().await {
        for result in join_all(tasks).await {
            save(result?).await?;
        }
    }
    Ok(())
}

pub(super) async fn select_all_ok(Program { tasks, save, .. }: Program) -> Outcome {
    let (value, losers) = select_ok(tasks).await?;
    drop(losers);
    save(value).await?;
    Ok(())
}

pub(super) async fn first_of_window(Program { tasks, n, save, .. }: Program) -> Outcome {
    let tasks = stream::iter(tasks);
    let mut results = tasks.buffer_unordered(n);
    while let Some(result) = results.next().await {
        if let Ok(value) = result {
            drop(results);
            return Ok(save(value).await?);
        }
    }
    Err(Failure("nobody succeeded".into()).into())
}
