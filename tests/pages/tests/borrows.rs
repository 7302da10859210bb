//! Holds the page that compares to what it says of abreast: with closures that borrow, all verbs are `Send`.

use abreast::{
    batched, batched_chunks, fall_through, gather, join_all, parallel, parallel_stream, race,
    sequential, task_group,
};
use futures::{StreamExt, future, stream};
use pages::Client;

/// Runs what could be spawned on any thread.
fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(future: F) -> F::Output {
    smol::block_on(smol::spawn(future))
}

#[test]
fn all_verbs_are_send_with_borrows() {
    spawn(async {
        let client = Client::default();
        let urls = ["/a", "/b", "/c"].map(String::from);
        let tasks = || urls.iter().map(|url| client.get(url));

        assert!(parallel(tasks()).await.all_succeeded());
        let mut ended = parallel(tasks()).into_stream();
        while let Some((_, result)) = ended.next().await {
            assert!(result.is_ok());
        }
        let each = parallel(tasks()).for_each(async |_, result| assert!(result.is_ok()));
        assert_eq!(each.await.count, 3);
        let each = parallel(tasks()).try_for_each(async |_, result| result.map(drop));
        assert!(each.await.is_ok());
        let stream = stream::iter(&urls).map(|url| client.get(url));
        assert!(parallel_stream(stream).await.all_succeeded());
        assert!(race(tasks()).await.is_ok());
        let stagger = race(tasks()).stagger(std::time::Duration::ZERO, smol::Timer::after);
        assert!(stagger.await.is_ok());
        assert!(fall_through(tasks()).await.is_ok());
        assert!(sequential(tasks()).await.is_ok());
        assert_eq!(join_all(tasks()).await.len(), 3);
        assert!(
            gather((client.get(&urls[0]), client.get(&urls[1])))
                .await
                .0
                .is_ok()
        );
        assert!(batched(&urls, |url| client.get(url)).await.is_ok());
        let chunks = batched_chunks(&urls, 2, async |chunk| client.get(chunk[0]).await);
        assert!(chunks.await.is_ok());
        let (first, all) = gather((client.get(&urls[0]), parallel(tasks()))).await;
        assert!(first.is_ok() && all.all_succeeded());
        let all = async { parallel(tasks()).await };
        let (first, all) = future::join(client.get(&urls[0]), all).await;
        assert!(first.is_ok() && all.all_succeeded());
        let group = task_group(async |group| {
            urls.iter().for_each(|url| _ = group.spawn(client.get(url)));
            Ok::<_, String>(())
        });
        assert!(group.await.is_ok());
    });
}

#[test]
fn what_is_said_of_others_compiles() {
    spawn(async {
        let client = Client::default();
        let urls = ["/a", "/b", "/c"].map(String::from);
        let mapped = || stream::iter(&urls).map(|url| client.get(url));

        assert_eq!(mapped().boxed().buffer_unordered(2).count().await, 3);
        assert_eq!(mapped().boxed().buffered(2).count().await, 3);
        assert_eq!(
            futures_buffered::BufferedStreamExt::buffered_unordered(mapped().boxed(), 2)
                .count()
                .await,
            3
        );
        let collected: Vec<_> = urls.iter().map(|url| client.get(url)).collect();
        assert_eq!(stream::iter(collected).buffer_unordered(2).count().await, 3);
        let each =
            stream::iter(&urls).for_each_concurrent(2, async |url| _ = client.get(url).await);
        each.await;
        assert_eq!(
            future::join_all(urls.iter().map(|url| client.get(url)))
                .await
                .len(),
            3
        );
        let racers = urls.iter().map(|url| Box::pin(client.get(url)));
        assert!(future::select_ok(racers).await.is_ok());
    });
}
