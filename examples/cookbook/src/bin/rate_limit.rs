//! A rate-limited API: starts a request every 20 ms, and has at most four in flight.

use std::time::Duration;

use abreast::parallel_stream;
use cookbook::{Error, client, serve_items};
use futures::{StreamExt, stream};
use tokio::time::{MissedTickBehavior, interval};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let items = serve_items().await?;
    let client = client();

    // A stream with an item per tick is a rate, and after a delay this one does not catch up. `Rate` is one that runs
    // share.
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let paced = stream::unfold((0..25, ticks), |(mut ids, mut ticks)| async {
        let id = ids.next()?;
        ticks.tick().await;
        Some((id, (ids, ticks)))
    });

    let tasks = paced.map(|id| {
        let request = client.get(format!("{items}/{id}"));
        async { request.send().await?.error_for_status()?.text().await }
    });
    let result = parallel_stream(tasks).concurrency(4).await;

    let (answered, refused) = (result.success_count(), result.failure_count());
    println!("{answered} answered, {refused} refused");
    for page in result.successful_results().take(2) {
        println!("{page}");
    }
    Ok(())
}
