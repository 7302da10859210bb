//! What the recipes have in common: servers on loopback, so that each is a whole program, and a client for them.

mod chat;
mod histogram;
mod items;
mod site;

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

pub use self::chat::{Chat, Chunk};
pub use self::histogram::Histogram;
pub use self::items::serve_items;
pub use self::site::Site;

/// Any error, and threads may pass it on.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

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

/// Counts the prime numbers below `n`.
pub fn count_primes(n: u32) -> usize {
    let is_prime = |n: &u32| {
        let mut factors = (2..).take_while(|factor| factor * factor <= *n);
        factors.all(|factor| n % factor != 0)
    };
    (2..n).filter(is_prime).count()
}
