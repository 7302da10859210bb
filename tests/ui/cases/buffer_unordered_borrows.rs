//! What the page of comparison says of others: spawned, a window whose closure borrows does not compile. The first one
//! does.

use std::future::ready;

use futures::{StreamExt, stream};

fn spawn<F: Future + Send + 'static>(_: F) {}

fn main() {
    spawn(async {
        let urls = vec![String::new()];
        abreast::parallel(
            urls.iter()
                .map(|url| async move { Ok::<_, ()>(ready(url.len()).await) }),
        )
        .await
    });
    spawn(async {
        let urls = vec![String::new()];
        let tasks =
            stream::iter(&urls).map(|url| async move { Ok::<_, ()>(ready(url.len()).await) });
        tasks.buffer_unordered(5).collect::<Vec<_>>().await
    });
}
