//! A client whose requests have spans by the names that OpenTelemetry has for HTTP.

use std::io;
use std::net::SocketAddr;

use futures::stream::{self, Stream};
use smol::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use smol::net::TcpStream;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

#[derive(Clone, Copy)]
pub(crate) struct Client {
    server: SocketAddr,
}

impl Client {
    pub(crate) const fn new(server: SocketAddr) -> Self {
        Self { server }
    }

    pub(crate) async fn get(self, path: &str) -> io::Result<String> {
        self.request("GET", path, "").await
    }

    pub(crate) async fn post(self, path: &str, body: &str) -> io::Result<String> {
        self.request("POST", path, body).await
    }

    /// Sends a request, and returns the body of the answer. It has a span of its own.
    async fn request(self, method: &str, path: &str, body: &str) -> io::Result<String> {
        // The span is made when the task runs, and so it is in the span of the task. One made together with the future, before
        // it is polled, would be in the span of whoever made it.
        let span = info_span!(
            "request",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            url.path = path,
        );
        let answer = async {
            let mut reader = self.open(method, path, body).await?;
            let mut text = String::new();
            reader.read_to_string(&mut text).await?;
            Ok(text)
        };
        answer.instrument(span).await
    }

    /// Asks a model, and returns its tokens as they come.
    pub(crate) async fn stream(
        self,
        path: &str,
        prompt: &str,
    ) -> io::Result<impl Stream<Item = io::Result<String>> + use<>> {
        let reader = self.open("POST", path, prompt).await?;
        Ok(stream::try_unfold(reader, |mut reader| async move {
            let line = read_line(&mut reader).await?;
            Ok((line != "[DONE]").then_some((line, reader)))
        }))
    }

    /// Sends a request, and reads the head of the answer. What it comes to is in the current span.
    async fn open(self, method: &str, path: &str, body: &str) -> io::Result<BufReader<TcpStream>> {
        let (server, length) = (self.server, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {server}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut connection = TcpStream::connect(server).await?;
        connection.write_all(request.as_bytes()).await?;

        let mut reader = BufReader::new(connection);
        let status = read_line(&mut reader).await?;
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code: u64 = code.ok_or(io::ErrorKind::InvalidData)?;
        while !read_line(&mut reader).await?.is_empty() {}

        let span = Span::current();
        span.record("http.response.status_code", code);
        if code == 200 {
            return Ok(reader);
        }
        span.record("otel.status_code", "ERROR");
        Err(io::Error::other(status))
    }
}

/// Reads a line without its end.
async fn read_line(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
