//! A site with slow and faulty pages, and a client for it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use abreast::parallel_stream;
use futures::channel::oneshot;
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::runtime::Runtime;

/// Returns how long the site takes to come up with a page.
#[must_use]
pub const fn latency(page: u64) -> Duration {
    Duration::from_millis(match page {
        // Longer than the lease of its job.
        _ if page % 500 == 3 => 3000,
        _ if page % 20 == 1 => 600,
        _ => 150,
    })
}

/// Returns how many requests for a page fail before one succeeds.
#[must_use]
pub const fn failures(page: u64) -> u32 {
    match page {
        _ if page % 1000 == 999 => u32::MAX,
        _ if page % 400 == 47 => 2,
        _ if page % 40 == 7 => 1,
        _ => 0,
    }
}

/// Returns the text of a page.
#[must_use]
pub fn content(page: u64) -> String {
    format!("This is page {page}.\n")
}

/// The server of the site, on the loopback interface and a thread of its own. It stops when it is dropped.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    // Tells the thread to stop, by being dropped.
    _running: oneshot::Sender<()>,
}

impl Site {
    /// Starts the server on a free port.
    ///
    /// # Errors
    /// If there is none.
    pub fn start() -> io::Result<Self> {
        let listener = smol::block_on(smol::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (running, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            // Each connection is a job, too: at most so many are served at once, and the others wait to be accepted.
            let requests = Arc::new(Requests::default());
            let connections = listener
                .incoming()
                .take_until(stopped)
                .map(|connection| serve(connection, Arc::clone(&requests)));
            let window = parallel_stream(connections).concurrency(1024).into_stream();
            // A client that hangs up early is none of the server's business.
            smol::block_on(window.for_each(|_| async {}));
        });
        Ok(Self {
            address,
            _running: running,
        })
    }

    /// Returns where the server listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The number of requests so far for each page that fails at first.
type Requests = Mutex<HashMap<u64, u32>>;

/// Answers the one request of a connection.
async fn serve(
    connection: io::Result<smol::net::TcpStream>,
    requests: Arc<Requests>,
) -> io::Result<()> {
    let mut connection = connection?;
    let mut head = Vec::new();
    let mut buffer = [0; 512];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 {
        let read = connection.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        head.extend_from_slice(&buffer[..read]);
    }
    let head = String::from_utf8_lossy(&head);
    let page = head
        .strip_prefix("GET /pages/")
        .and_then(|rest| rest.split(' ').next()?.parse().ok());

    let answer = match page {
        None => "HTTP/1.0 404 Not Found\r\n\r\n".to_owned(),
        Some(page) => {
            smol::Timer::after(latency(page)).await;
            let failures = failures(page);
            let is_broken = failures > 0 && {
                let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
                let requests = requests.entry(page).or_default();
                *requests += 1;
                *requests <= failures
            };
            if is_broken {
                "HTTP/1.0 503 Service Unavailable\r\n\r\n".to_owned()
            } else {
                format!("HTTP/1.0 200 OK\r\n\r\n{}", content(page))
            }
        }
    };
    connection.write_all(answer.as_bytes()).await?;
    connection.close().await
}

/// Why a page could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    #[error("the site could not be reached: {0}")]
    Io(#[from] io::Error),
    #[error("the site answered: {0}")]
    Status(String),
}

/// Fetches a page in HTTP/1.0, where the end of the connection is the end of the page.
///
/// A program would use a client with a pool of connections here.
///
/// # Errors
/// If the site cannot be reached, or does not have the page right now.
pub async fn fetch(runtime: Runtime, site: &str, page: u64) -> Result<String, FetchError> {
    let mut connection = runtime.connect(site).await?;
    let request = format!("GET /pages/{page} HTTP/1.0\r\nHost: {site}\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;

    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split_once(' ') {
        Some((_, status)) if status.starts_with("200 ") => Ok(body.to_owned()),
        Some((_, status)) => Err(FetchError::Status(status.to_owned())),
        None => Err(FetchError::Status("nothing".to_owned())),
    }
}
