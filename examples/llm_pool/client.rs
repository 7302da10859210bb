//! A client that turns the answers of the server into streams of tokens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use abreast::operation::{Category, Classify};
use futures::stream::{self, Stream};
use serde_json::{Value, json};
use smol::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use smol::net::TcpStream;

#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) server: SocketAddr,
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum ApiError {
    Connection(io::Error),
    Status {
        code: u16,
        message: String,
        retry_after: Option<Duration>,
    },
    Protocol(String),
}

impl Client {
    /// Asks a model, and returns its tokens as they come.
    pub(crate) async fn stream(
        self,
        model: &str,
        prompt: &str,
    ) -> Result<impl Stream<Item = Result<String, ApiError>> + use<>, ApiError> {
        let body = json!({
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "stream": true,
        });
        let body = body.to_string();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.server,
            body.len(),
        );
        let mut connection = TcpStream::connect(self.server).await?;
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(body.as_bytes()).await?;
        let mut reader = BufReader::new(connection);
        check_head(&mut reader).await?;
        Ok(stream::try_unfold(reader, |mut reader| async move {
            let token = next_token(&mut reader).await?;
            Ok(token.map(|token| (token, reader)))
        }))
    }
}

async fn read_line(reader: &mut BufReader<TcpStream>) -> Result<String, ApiError> {
    let mut line = String::new();
    if reader.read_line(&mut line).await? == 0 {
        return Err(ApiError::Connection(io::ErrorKind::UnexpectedEof.into()));
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

/// Reads the head of the response, and what follows if it is an error.
async fn check_head(reader: &mut BufReader<TcpStream>) -> Result<(), ApiError> {
    let status = read_line(reader).await?;
    let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.ok_or(ApiError::Protocol(status))?;
    let mut retry_after = None;
    loop {
        let line = read_line(reader).await?;
        match line.split_once(": ") {
            Some(("Retry-After", seconds)) => {
                retry_after = seconds.parse().ok().map(Duration::from_secs);
            }
            Some(_) => {}
            None => break,
        }
    }
    if code == 200 {
        return Ok(());
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).await?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    Err(ApiError::Status {
        code,
        message: body["error"]["message"].as_str().unwrap_or("?").to_owned(),
        retry_after,
    })
}

/// Reads the next event; `None` is the end.
async fn next_token(reader: &mut BufReader<TcpStream>) -> Result<Option<String>, ApiError> {
    loop {
        let line = read_line(reader).await?;
        match line.strip_prefix("data: ") {
            None => {}
            Some("[DONE]") => return Ok(None),
            Some(chunk) => {
                let parsed: Result<Value, _> = serde_json::from_str(chunk);
                let chunk = parsed.map_err(|error| ApiError::Protocol(error.to_string()))?;
                let token = chunk["choices"][0]["delta"]["content"].as_str();
                return Ok(Some(token.unwrap_or_default().to_owned()));
            }
        }
    }
}

/// By status codes and kinds of errors, not by messages.
impl Classify for ApiError {
    fn category(&self) -> Category {
        match self {
            Self::Connection(error) => error.category(),
            Self::Status { code, .. } => Category::from_status(*code),
            Self::Protocol(_) => Category::Model,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the connection failed: {error}"),
            Self::Status { message, .. } => write!(f, "the server says {message}"),
            Self::Protocol(what) => write!(f, "that is not how it is spoken: {what}"),
        }
    }
}

impl std::error::Error for ApiError {}
