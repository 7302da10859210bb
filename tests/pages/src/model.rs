//! Stands for the client of a language model.

use std::io;

use futures::stream::{self, Stream};

/// Streams an answer of two tokens; the model `overloaded` refuses.
pub fn stream(model: &str, prompt: &str) -> impl Stream<Item = io::Result<String>> + use<> {
    if model == "overloaded" {
        return stream::iter(vec![Err(io::Error::other("try again later"))]);
    }
    stream::iter(vec![Ok(format!("{model}: ")), Ok(format!("{prompt}!"))])
}
