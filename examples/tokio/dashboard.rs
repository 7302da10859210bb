//! The same as `dashboard`, with reqwest on tokio.
//!
//! ```sh
//! cargo run -p abreast-tokio --bin dashboard_tokio
//! ```

#[path = "../dashboard/client.rs"]
mod client;
#[path = "../dashboard/patterns.rs"]
mod patterns;
#[path = "../dashboard/server.rs"]
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;

use client::{Error, Runtime};

fn main() -> std::io::Result<()> {
    patterns::show("reqwest on tokio", |demonstration| {
        // The server is on this machine, whatever proxy the environment asks for.
        let client = Client::builder().no_proxy().build();
        let tokio = Tokio {
            client: client.expect("the client needs nothing"),
        };
        let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
        // Spawned, any thread may carry it on.
        let demonstration = runtime.spawn(demonstration.run(tokio));
        runtime
            .block_on(demonstration)
            .expect("the demonstration does not panic");
    })
}

#[derive(Clone, Debug)]
struct Tokio {
    client: Client,
}

impl Runtime for Tokio {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn get(&self, server: SocketAddr, path: &str) -> Result<Vec<u8>, Error> {
        let request = self.client.get(format!("http://{server}{path}"));
        let response = request.send().await.map_err(Error::transport)?;
        match response.status().as_u16() {
            200 => Ok(response.bytes().await.map_err(Error::transport)?.into()),
            status => Err(Error::Status(status)),
        }
    }
}
