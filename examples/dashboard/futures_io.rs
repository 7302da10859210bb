//! A GET request over any connection with the traits of `futures::io`, which those of smol and of async-std have.

use std::net::SocketAddr;

use futures::io::{AsyncRead, AsyncWrite};
use futures::join;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode};
use smol_hyper::rt::FuturesIo;

use crate::client::Error;

pub(crate) async fn get<S>(stream: S, server: SocketAddr, path: &str) -> Result<Vec<u8>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::handshake(FuturesIo::new(stream)).await;
    let (mut requests, connection) = handshake.map_err(Error::transport)?;
    let request = Request::get(path)
        .header(HOST, server.to_string())
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(Error::transport)?;
    let exchange = async move {
        let response = requests.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>((status, body))
    };
    // The exchange needs somebody to move its bytes. Joined rather than spawned, that ends with it, and when this
    // future is dropped. What goes wrong with the connection goes wrong with the exchange, too.
    let (exchange, _) = join!(exchange, connection);
    match exchange.map_err(Error::transport)? {
        (StatusCode::OK, body) => Ok(body.into()),
        (status, _) => Err(Error::Status(status.as_u16())),
    }
}
