//! Fetches 200 pages, 20 at a time, with hyper on smol.
//!
//! Some pages are slow, and some fail; a server of our own sees to that. `fan_out_tokio` does the same with reqwest on
//! tokio.
//!
//! ```sh
//! cargo run --example fan_out
//! ```

mod support;

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::net::SocketAddr;

use abreast::{ParallelResult, parallel};
use futures::join;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode};
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;

use support::pages::{self, PAGES};
use support::report::{Run, progress_bar, report, show_progress};
use support::server::Server;

const CONCURRENCY: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let one_by_one = run(1)?;
    let abreast = run(CONCURRENCY)?;
    report(&one_by_one, &abreast, CONCURRENCY, FetchError::status);
    Ok(())
}

fn run(concurrency: usize) -> io::Result<Run<FetchError>> {
    let server = Server::start(concurrency)?;
    let result = smol::block_on(fetch_all(server.address(), concurrency));
    let load = server.shut_down()?;
    Ok(Run { result, load })
}

async fn fetch_all(server: SocketAddr, concurrency: usize) -> ParallelResult<String, FetchError> {
    let bar = progress_bar(concurrency);
    let failed = Cell::new(0);

    let result = parallel((0..PAGES).map(|page| fetch(server, page)))
        .concurrency(concurrency)
        .on_error(|_, _| failed.set(failed.get() + 1))
        .on_progress(|progress| show_progress(&bar, progress, failed.get()))
        .await;

    bar.finish_and_clear();
    result
}

/// Fetches one page, on a connection of its own.
async fn fetch(server: SocketAddr, page: usize) -> Result<String, FetchError> {
    let stream = TcpStream::connect(server).await?;
    let (mut requests, connection) = http1::handshake(FuturesIo::new(stream)).await?;
    let request = Request::get(pages::path(page))
        .header(HOST, server.to_string())
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;

    let exchange = async move {
        let response = requests.send_request(request).await?;
        match response.status() {
            StatusCode::OK => Ok(response.into_body().collect().await?.to_bytes()),
            status => Err(FetchError::Status(status)),
        }
    };
    // The exchange needs somebody to move its bytes. Joined rather than spawned, that ends with it, and when this
    // future is dropped. What goes wrong with the connection goes wrong with the exchange, too.
    let (body, _) = join!(exchange, connection);

    Ok(String::from_utf8(body?.into())?)
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("no connection")]
    Connect(#[from] io::Error),
    #[error("no request")]
    Request(#[from] hyper::http::Error),
    #[error("no answer")]
    Exchange(#[from] hyper::Error),
    #[error("status {0}")]
    Status(StatusCode),
    #[error("not a text")]
    Text(#[from] std::string::FromUtf8Error),
}

impl FetchError {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status.as_u16()),
            _ => None,
        }
    }
}
