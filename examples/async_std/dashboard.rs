//! The same as `dashboard`, with hyper on async-std.
//!
//! ```sh
//! cargo run -p abreast-async-std
//! ```

#[path = "../dashboard/client.rs"]
mod client;
#[path = "../dashboard/futures_io.rs"]
mod futures_io;
#[path = "../dashboard/patterns.rs"]
mod patterns;
#[path = "../dashboard/server.rs"]
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use async_std::net::TcpStream;
use async_std::task;

use client::{Error, Runtime};

fn main() -> std::io::Result<()> {
    patterns::show("hyper on async-std", |demonstration| {
        // Spawned, any thread may carry it on.
        task::block_on(task::spawn(demonstration.run(AsyncStd)));
    })
}

#[derive(Clone, Copy, Debug)]
struct AsyncStd;

impl Runtime for AsyncStd {
    async fn sleep(&self, duration: Duration) {
        task::sleep(duration).await;
    }

    async fn get(&self, server: SocketAddr, path: &str) -> Result<Vec<u8>, Error> {
        let stream = TcpStream::connect(server).await?;
        futures_io::get(stream, server, path).await
    }
}
