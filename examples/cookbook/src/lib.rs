//! What the recipes have in common: a server on loopback, so that each is a whole program, and a client for it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use tokio::net::TcpListener;

/// Serves `router` at a free port of this machine for as long as the program runs.
pub async fn serve(router: Router) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

/// Creates a client that finds servers of this machine, whatever proxy the environment asks for.
pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    builder.build().expect("a client without TLS can be built")
}

/// Counts what is going on at the same time, and remembers the most.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    /// Counts `work` while it runs.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let output = work.await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        output
    }

    /// Returns the most that was ever going on.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}
