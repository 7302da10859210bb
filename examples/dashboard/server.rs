//! The control plane: an HTTP/1.1 server on the loopback interface, with a thread per connection and no async runtime.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const AGENT_CLASSES: usize = 250;
pub(crate) const DEFINITIONS: usize = 430;
const DEPLOYMENTS: usize = 40;

/// One replica of the control plane.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    site: Arc<Site>,
}

#[derive(Debug)]
struct Site {
    /// How much longer than others it takes.
    delay: Duration,
    requests: AtomicUsize,
    deployments_asked_for: AtomicUsize,
}

impl Server {
    /// Starts a replica that takes `delay` longer for each answer than a quick one.
    pub(crate) fn start(delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let site = Arc::new(Site {
            delay,
            requests: AtomicUsize::new(0),
            deployments_asked_for: AtomicUsize::new(0),
        });
        let server = Self {
            address,
            site: Arc::clone(&site),
        };
        // It serves until the process ends.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let site = Arc::clone(&site);
                // It is the client that has to cope with a broken connection.
                thread::spawn(move || _ = site.serve(&stream));
            }
        });
        Ok(server)
    }

    /// Returns how many requests have come in.
    pub(crate) fn requests(&self) -> usize {
        self.site.requests.load(Ordering::SeqCst)
    }
}

/// Returns an address where nobody listens.
pub(crate) fn dead_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

impl Site {
    /// Answers the requests of one connection.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream).lines();
        while let Some(request_line) = lines.next().transpose()? {
            let target = request_line.split(' ').nth(1).unwrap_or_default();
            for header in lines.by_ref() {
                if header?.is_empty() {
                    break;
                }
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let (latency, answer) = self.answer(path, query);
            thread::sleep(self.delay + Duration::from_millis(latency));
            send(stream, answer)?;
        }
        Ok(())
    }

    /// Returns how many milliseconds the answer takes, and what it is; or else the status.
    fn answer(&self, path: &str, query: &str) -> (u64, Result<Value, u16>) {
        let path: Vec<_> = path.split('/').skip(1).collect();
        match path[..] {
            ["health"] => (20, Ok(json!({ "status": "healthy" }))),
            ["agent-classes"] => (150, Ok(page(AGENT_CLASSES, "class", query))),
            ["agent-classes", id] => match id.parse::<usize>() {
                Ok(id) if id < AGENT_CLASSES => (10, Ok(item("class", id))),
                _ => (10, Err(404)),
            },
            ["agent-definitions"] => (60, Ok(page(DEFINITIONS, "definition", query))),
            ["agent-definitions", id] => match id.parse::<usize>() {
                Ok(id) if id % 100 == 42 => (10, Err(500)),
                Ok(id) if id < DEFINITIONS => {
                    let model = ["large", "small", "tiny"][id % 3];
                    (10, Ok(json!({ "model": model })))
                }
                _ => (10, Err(404)),
            },
            // Half of the time there is no answer: each other time.
            ["deployments"] => {
                match self.deployments_asked_for.fetch_add(1, Ordering::SeqCst) % 2 {
                    0 => (30, Err(503)),
                    _ => (30, Ok(page(DEPLOYMENTS, "deployment", query))),
                }
            }
            // As good as dead.
            ["model-providers"] => (3_600_000, Err(504)),
            _ => (0, Err(404)),
        }
    }
}

/// Returns the items that the query asks for.
fn page(total: usize, kind: &str, query: &str) -> Value {
    let number = |key| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == key)?;
        value.parse::<usize>().ok()
    };
    let limit = number("limit").unwrap_or(total);
    let offset = number("offset").unwrap_or(0);
    let items: Vec<_> = (0..total)
        .skip(offset)
        .take(limit)
        .map(|id| item(kind, id))
        .collect();
    json!({ "items": items })
}

fn item(kind: &str, id: usize) -> Value {
    json!({ "id": id.to_string(), "name": format!("{kind}-{id}") })
}

fn send(mut stream: &TcpStream, answer: Result<Value, u16>) -> io::Result<()> {
    let (status, body) = match answer {
        Ok(value) => (200, value.to_string()),
        Err(status) => (status, String::new()),
    };
    let length = body.len();
    // Most answers follow another one on the same connection at most once: it is up to the client to close it.
    let head = format!(
        "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes())
}
