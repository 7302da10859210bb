//! A site to be crawled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::{Router, extract::Path, http::HeaderMap, routing::get};
use tokio::time::sleep;

use crate::serve;

/// A server of forty pages, each with links to two others and to another host.
#[derive(Debug)]
pub struct Site {
    pub url: String,
    load: Arc<Load>,
}

/// Counts what is going on at the same time, and remembers the most.
#[derive(Debug, Default)]
struct Load {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Site {
    /// Starts the server.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let load = Arc::new(Load::default());
        let counted = load.clone();
        let page = async move |Path(page): Path<u32>, headers: HeaderMap| {
            counted.during(sleep(Duration::from_millis(20))).await;
            let host = headers["host"].to_str().expect("it is ASCII");
            let others = [2 * page, 2 * page + 1]
                .into_iter()
                .filter(|page| *page <= 40);
            let links = others.map(|page| format!("http://{host}/{page}\n"));
            links.collect::<String>() + "http://example.org/"
        };
        let address = serve(Router::new().route("/{page}", get(page))).await?;
        let url = format!("http://{address}");
        Ok(Self { url, load })
    }

    /// Returns the most requests that were ever in flight.
    pub fn most_at_a_time(&self) -> usize {
        self.load.most.load(Ordering::SeqCst)
    }
}

impl Load {
    /// Counts `work` while it runs.
    async fn during<F: Future>(&self, work: F) -> F::Output {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let output = work.await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        output
    }
}
