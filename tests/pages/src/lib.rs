//! Compiles and runs the code on the pages of abreast: each block is a documentation test of this crate, with warnings
//! denied.
//!
//! The pages are part of the documentation of abreast, too. Their code is tested here, next to the crates that they
//! compare it with, so that the crate itself need not build those for its tests.

#![doc(test(attr(deny(warnings), allow(dead_code))))]

pub mod model;
pub mod service;

/// A page for each that is in the repository.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/COMPARE.md")]
    mod compare {}
    #[doc = include_str!("../../../docs/TOPICS.md")]
    mod topics {}
    #[doc = include_str!("../../../docs/PYTHON.md")]
    mod python {}
}

/// What the page that compares says does not compile. In place of these, `tests/borrows.rs` has what does.
///
/// ```compile_fail
/// # use futures::{StreamExt, stream};
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (Client::default(), vec![String::new()]);
///     stream::iter(&urls).map(|url| client.get(url)).buffered(20).count().await
/// });
/// ```
///
/// ```compile_fail
/// # use futures::{StreamExt, stream};
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (Client::default(), vec![String::new()]);
///     let tasks = urls.iter().map(|url| async { client.get(url).await });
///     stream::iter(tasks).buffer_unordered(20).count().await
/// });
/// ```
///
/// ```compile_fail
/// # use futures::{FutureExt, StreamExt, stream};
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (Client::default(), vec![String::new()]);
///     stream::iter(&urls).map(|url| client.get(url).boxed()).buffer_unordered(20).count().await
/// });
/// ```
///
/// ```compile_fail
/// # use futures::{StreamExt, stream};
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (Client::default(), vec![String::new()]);
///     let tasks = stream::iter(&urls).map(|url| client.get(url));
///     futures_buffered::BufferedStreamExt::buffered_unordered(tasks, 20).count().await
/// });
/// ```
///
/// ```compile_fail
/// # use futures::stream;
/// # use futures_concurrency::prelude::*;
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (&Client::default(), vec![String::new()]);
///     let tasks = stream::iter(urls.iter()).co();
///     tasks.for_each(|url| async move { _ = client.get(url).await }).await
/// });
/// ```
///
/// ```compile_fail
/// # use pages::Client;
/// tokio::spawn(async {
///     let (client, urls) = (Client::default(), vec![String::new()]);
///     let all = abreast::parallel(urls.iter().map(|url| client.get(url)));
///     futures::join!(all, client.get(""))
/// });
/// ```
#[cfg(doctest)]
mod does_not_compile {}

/// Stands for a request: waits once, and fails for every tenth page.
pub async fn fetch(page: u32) -> Result<String, String> {
    smol::future::yield_now().await;
    if page % 10 == 0 {
        return Err(format!("no page {page}"));
    }
    Ok(format!("page {page}"))
}

/// Stands for a client of some service.
#[derive(Debug, Default)]
pub struct Client {
    name: String,
}

impl Client {
    /// Gets what is there under `url`.
    pub async fn get(&self, url: &str) -> Result<String, String> {
        smol::future::yield_now().await;
        Ok(format!("{}{url}", self.name))
    }
}
