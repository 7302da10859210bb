//! A language model that calls a tool, and a client for it.

use std::io;

use axum::{Router, routing::post};
use futures::{AsyncBufReadExt, Stream, StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::{client, serve};

/// A line of the stream: text, or the call of a tool.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Chunk {
    Text { text: String },
    Call { weather_in: String },
}

impl Chunk {
    /// Returns the text of it, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Call { .. } => None,
        }
    }

    /// Calls the tool, if that is what it asks for. Returns what the tool says.
    pub fn call(&self) -> Option<String> {
        let Self::Call { weather_in: city } = self else {
            return None;
        };
        let weather = if city == "Oslo" { "snowing" } else { "sunny" };
        Some(format!(" It is {weather} there."))
    }
}

/// A client of the model, with a server of its own.
#[derive(Debug)]
pub struct Chat(reqwest::RequestBuilder);

impl Chat {
    /// Starts the server.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let address = serve(Router::new().route("/chat", post(model))).await?;
        Ok(Self(client().post(format!("http://{address}/chat"))))
    }

    /// Opens the stream of an answer.
    ///
    /// # Errors
    /// If there is none.
    pub async fn open(
        &self,
        prompt: &str,
    ) -> io::Result<impl Stream<Item = io::Result<Chunk>> + use<>> {
        let request = self.0.try_clone().expect("it has no body yet");
        let response = request.body(prompt.to_owned()).send().await;
        let bytes = response.map_err(io::Error::other)?.bytes_stream();
        let lines = bytes.map_err(io::Error::other).into_async_read().lines();
        Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}

/// Stands for the model: it asks for the weather until it is told.
async fn model(prompt: String) -> &'static str {
    if prompt.contains("snowing") {
        "{\"text\":\"A warm \"}\n{\"text\":\"coat.\"}\n"
    } else if prompt.contains("sunny") {
        "{\"text\":\"A hat.\"}\n"
    } else if prompt.contains("Oslo") {
        "{\"weather_in\":\"Oslo\"}\n"
    } else {
        "{\"weather_in\":\"the city\"}\n"
    }
}
