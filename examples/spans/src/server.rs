//! A small HTTP server on the loopback interface: pages, mirrors, an index, and a language model.
//!
//! It has a thread for each connection and serves one request on it.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the model says, when it does not break off.
pub(crate) const SUMMARY: &str = "Eight pages, of which one is missing.";

pub(crate) struct Server {
    address: SocketAddr,
    site: Arc<Site>,
    listening: JoinHandle<io::Result<()>>,
}

/// What the threads share.
#[derive(Default)]
struct Site {
    closing: AtomicBool,
    /// The models that have been asked once, and have broken off.
    asked: Mutex<HashSet<String>>,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let site = Arc::<Site>::default();
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

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all requests have been served.
    pub(crate) fn shut_down(self) -> io::Result<()> {
        self.site.closing.store(true, Ordering::Release);
        // The listening thread looks at the flag when somebody connects.
        TcpStream::connect(self.address)?;
        self.listening.join().expect("the server panicked")
    }
}

fn listen(listener: &TcpListener, site: &Arc<Site>) -> io::Result<()> {
    let mut connections = Vec::new();
    loop {
        let (stream, _) = listener.accept()?;
        if site.closing.load(Ordering::Acquire) {
            break;
        }
        let site = Arc::clone(site);
        // A client that hangs up, such as the loser of a race, is none of the server's errors.
        connections.push(thread::spawn(move || _ = site.serve(&stream)));
    }
    for connection in connections {
        connection.join().expect("a connection panicked");
    }
    Ok(())
}

impl Site {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let (path, body) = read_request(&mut BufReader::new(stream))?;
        let (_, directory, name) = {
            let mut parts = path.splitn(3, '/');
            let mut next = || parts.next().unwrap_or_default().to_owned();
            (next(), next(), next())
        };
        match (&*directory, &*name) {
            ("pages", "5") => answer(stream, 10, "503 Service Unavailable", "broken"),
            ("pages", page) => {
                // The later the page, the longer it takes.
                let number: u64 = page.parse().unwrap_or_default();
                answer(stream, 10 + 5 * number, "200 OK", &format!("page {page}"))
            }
            ("mirrors", "slow") => answer(stream, 300, "200 OK", "here"),
            ("mirrors", "quick") => answer(stream, 40, "200 OK", "here"),
            ("mirrors", _) => answer(stream, 15, "502 Bad Gateway", "broken"),
            ("index", _) => answer(stream, 5 * body.len() as u64, "200 OK", "indexed"),
            ("chat", model) => self.chat(stream, model),
            _ => answer(stream, 0, "404 Not Found", "nothing here"),
        }
    }

    /// Sends tokens, one a line. The first answer of a model breaks off.
    fn chat(&self, mut stream: &TcpStream, model: &str) -> io::Result<()> {
        let is_first = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(model.to_owned())
        };
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        let tokens = SUMMARY.split_inclusive(' ');
        for token in tokens.take(if is_first { 2 } else { usize::MAX }) {
            thread::sleep(Duration::from_millis(15));
            writeln!(stream, "{token}")?;
        }
        if !is_first {
            writeln!(stream, "[DONE]")?;
        }
        Ok(())
    }
}

/// Answers after a while.
fn answer(mut stream: &TcpStream, millis: u64, status: &str, text: &str) -> io::Result<()> {
    thread::sleep(Duration::from_millis(millis));
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

/// Reads a request, and returns its path and its body.
fn read_request(reader: &mut impl BufRead) -> io::Result<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();

    // Of the headers, only the length of the body matters here.
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok((path, body))
}
