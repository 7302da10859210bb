//! A dashboard that loads from a control plane in every way there is to run operations side by side: with hyper on
//! smol.
//!
//! The patterns are in `patterns.rs`, and know nothing of a runtime: `dashboard_tokio` and `dashboard_async_std` run
//! the same ones. The control plane is in `server.rs`. Some of its endpoints are slow, one fails half of the time, and
//! one is dead.
//!
//! ```sh
//! cargo run --example dashboard
//! ```

mod client;
mod futures_io;
mod patterns;
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use smol::net::TcpStream;

use client::{Error, Runtime};

fn main() -> std::io::Result<()> {
    patterns::show("hyper on smol", |demonstration| {
        smol::block_on(demonstration.run(Smol));
    })
}

#[derive(Clone, Copy, Debug)]
struct Smol;

impl Runtime for Smol {
    async fn sleep(&self, duration: Duration) {
        smol::Timer::after(duration).await;
    }

    async fn get(&self, server: SocketAddr, path: &str) -> Result<Vec<u8>, Error> {
        let stream = TcpStream::connect(server).await?;
        futures_io::get(stream, server, path).await
    }
}
