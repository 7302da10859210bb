//! An HTTP/1.1 server with slow and faulty pages.
//!
//! It has a thread per connection and no async runtime, so that it is the same for all clients.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::pages::{self, Fault};

/// How long a request head may be, in bytes.
const HEAD_LIMIT: u64 = 16 * 1024;

/// How long after its start a server waits for the crowd to be complete.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server on the loopback interface.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    site: Arc<Site>,
    listening: JoinHandle<io::Result<()>>,
}

/// What the server has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// How many requests have come in.
    pub(crate) requests: usize,
    /// How many requests were open at the same time, at most.
    pub(crate) peak: usize,
    open: usize,
}

impl Server {
    /// Starts a server that holds back its answers until `crowd` requests have been open at the same time.
    ///
    /// On a busy machine, the first page could be delivered before the last client has connected, and the peak would be
    /// a matter of luck.
    pub(crate) fn start(crowd: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let site = Arc::new(Site {
            started: Instant::now(),
            crowd,
            load: Mutex::default(),
            arrived: Condvar::new(),
            closing: AtomicBool::new(false),
        });
        let listening = thread::spawn({
            let site = Arc::clone(&site);
            move || listen(&listener, &site)
        });
        Ok(Self {
            address,
            site,
            listening,
        })
    }

    /// Returns where the server listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections and waits for the threads to end.
    pub(crate) fn shut_down(self) -> io::Result<Load> {
        self.site.closing.store(true, Ordering::Release);
        // The listening thread looks at the flag when somebody connects.
        TcpStream::connect(self.address)?;
        self.listening.join().expect("the server panicked")?;
        Ok(*self.site.load())
    }
}

/// Takes connections until the server is to shut down.
fn listen(listener: &TcpListener, site: &Arc<Site>) -> io::Result<()> {
    let mut connections: Vec<(TcpStream, JoinHandle<()>)> = Vec::new();
    loop {
        let (stream, _) = listener.accept()?;
        if site.closing.load(Ordering::Acquire) {
            break;
        }
        connections.retain(|(_, thread)| !thread.is_finished());
        let handle = stream.try_clone()?;
        let site = Arc::clone(site);
        let thread = thread::spawn(move || {
            // It is the client that has to cope with a broken connection.
            _ = site.serve(&stream);
            // Dropping the stream would not do: the listening thread has a handle to it.
            _ = stream.shutdown(Shutdown::Both);
        });
        connections.push((handle, thread));
    }
    for (stream, thread) in connections {
        // A client may keep an idle connection for as long as it likes, and its thread would wait for another request.
        _ = stream.shutdown(Shutdown::Both);
        thread.join().expect("a connection panicked");
    }
    Ok(())
}

/// What the threads of a server share.
#[derive(Debug)]
struct Site {
    started: Instant,
    crowd: usize,
    load: Mutex<Load>,
    arrived: Condvar,
    closing: AtomicBool,
}

impl Site {
    /// Answers the requests of one connection until either side closes it.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        loop {
            let request = match Request::read(&mut reader) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Response::new("400 Bad Request", error.to_string()).send(stream, false);
                }
                Err(error) => return Err(error),
            };
            let keep_alive = request.keep_alive;
            match self.answer(&request) {
                (response, None | Some(Fault::Status)) => response.send(stream, keep_alive)?,
                (_, Some(Fault::HangUp)) => return Ok(()),
                (response, Some(Fault::CutShort)) => return response.send_half(stream),
            }
            if !keep_alive {
                return Ok(());
            }
        }
    }

    fn answer(&self, request: &Request) -> (Response, Option<Fault>) {
        if request.method != "GET" {
            let response = Response::new("405 Method Not Allowed", "Only GET is allowed.\n");
            return (response.header("Allow: GET"), None);
        }
        let Some(page) = pages::at_path(&request.path) else {
            return (Response::new("404 Not Found", "No such page.\n"), None);
        };
        // The request counts as open until just before its answer is sent. Any later, and the client could have sent
        // the next one already.
        self.enter();
        thread::sleep(pages::latency(page));
        self.load().open -= 1;
        match pages::fault(page) {
            fault @ Some(Fault::Status) => {
                let response = Response::new("500 Internal Server Error", "This page is broken.\n");
                (response, fault)
            }
            fault => (Response::new("200 OK", pages::content(page)), fault),
        }
    }

    /// Counts a request, and waits until there are enough of them.
    fn enter(&self) {
        let mut load = self.load();
        load.requests += 1;
        load.open += 1;
        load.peak = load.peak.max(load.open);
        self.arrived.notify_all();
        let crowd_missing = |load: &mut Load| load.peak < self.crowd;
        let patience = PATIENCE.saturating_sub(self.started.elapsed());
        let waited = self
            .arrived
            .wait_timeout_while(load, patience, crowd_missing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of a request, as far as it matters here.
#[derive(Debug)]
struct Request {
    method: String,
    path: String,
    /// Whether another request may follow on the same connection.
    keep_alive: bool,
}

impl Request {
    /// Reads the next request; `None` if the client has closed the connection instead.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = reader.take(HEAD_LIMIT);
        let Some(request_line) = read_line(&mut head)? else {
            return Ok(None);
        };
        let mut parts = request_line.split(' ');
        let (Some(method), Some(path), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("That is not a request line.\n"));
        };
        if !version.starts_with("HTTP/1.") {
            return Err(malformed("Only HTTP/1 is spoken here.\n"));
        }

        let mut has_host = false;
        let mut keep_alive = version != "HTTP/1.0";
        loop {
            let line = read_line(&mut head)?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(malformed("That is not a header.\n"));
            };
            match name.to_ascii_lowercase().as_str() {
                "host" => has_host = true,
                "connection" => {
                    let mut options = value.split(',').map(str::trim);
                    keep_alive &= !options.any(|option| option.eq_ignore_ascii_case("close"));
                }
                // Nothing here reads a body. So it must not be taken for the next request.
                "content-length" | "transfer-encoding" => keep_alive = false,
                _ => {}
            }
        }
        if !has_host && version != "HTTP/1.0" {
            return Err(malformed("There is no host.\n"));
        }
        Ok(Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            keep_alive,
        }))
    }
}

/// Reads a line without its end; `None` at the end of the connection.
fn read_line(head: &mut io::Take<impl BufRead>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 && head.limit() > 0 {
        return Ok(None);
    }
    match line.strip_suffix('\n') {
        Some(line) => Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned())),
        None if head.limit() == 0 => Err(malformed("The head is too long.\n")),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// An answer with a text.
#[derive(Debug)]
struct Response {
    status: &'static str,
    header: Option<&'static str>,
    body: String,
}

impl Response {
    fn new(status: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            header: None,
            body: body.into(),
        }
    }

    fn header(mut self, header: &'static str) -> Self {
        self.header = Some(header);
        self
    }

    fn send(&self, mut stream: &TcpStream, keep_alive: bool) -> io::Result<()> {
        stream.write_all(self.encode(keep_alive).as_bytes())
    }

    /// Sends what ends in the middle of the body.
    fn send_half(&self, mut stream: &TcpStream) -> io::Result<()> {
        let bytes = self.encode(true).into_bytes();
        stream.write_all(&bytes[..bytes.len() - self.body.len() / 2])
    }

    fn encode(&self, keep_alive: bool) -> String {
        let mut response = format!("HTTP/1.1 {}\r\n", self.status);
        for header in [
            "Content-Type: text/plain; charset=utf-8",
            &format!("Content-Length: {}", self.body.len()),
        ]
        .into_iter()
        .chain(self.header)
        .chain((!keep_alive).then_some("Connection: close"))
        {
            response.push_str(header);
            response.push_str("\r\n");
        }
        response.push_str("\r\n");
        response.push_str(&self.body);
        response
    }
}
