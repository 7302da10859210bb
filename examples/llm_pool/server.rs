//! A server that speaks the streaming protocol of chat completions, and has its faults.
//!
//! It has a thread per connection and no async runtime. Which fault an answer has is up to the model that is asked for.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

/// What a model does.
#[derive(Clone, Copy)]
enum Answer {
    /// Streams a text, word by word.
    Text(&'static str),
    /// Connects, and sends no token.
    SlowFirstToken,
    /// Sends two tokens, and no more.
    Stall,
    /// Sends two tokens, and hangs up.
    HangUp,
    /// Is refused with a status and headers.
    Status(&'static str, &'static str),
}

const JSON: &str = r#"{"greeting": "Hola", "language": "Spanish"}"#;

/// Returns what a model answers when it is called for the `call`th time, 0-based.
fn answer(model: &str, call: usize, prompt: &str) -> Answer {
    match (model, call) {
        ("slow", _) => Answer::SlowFirstToken,
        ("stalls-once", 0) => Answer::Stall,
        ("drops-once", 0) => Answer::HangUp,
        ("limited-once", 0) => Answer::Status("429 Too Many Requests", "Retry-After: 2\r\n"),
        ("overloaded", _) => Answer::Status("500 Internal Server Error", ""),
        ("locked", _) => Answer::Status("401 Unauthorized", ""),
        ("refuses", _) => Answer::Text("I'm sorry, but I can't assist with that."),
        ("json-broken-once", 0) => Answer::Text(r#"{"greeting": "Hola", "lang"#),
        ("json-broken-once", _) => Answer::Text(JSON),
        _ => Answer::Text(match prompt {
            "Translate to Spanish: Hello" => "Hola, ¿qué tal?",
            "Translate to French: Hello" => "Bonjour tout le monde !",
            "Translate to German: Hello" => "Hallo, wie geht's?",
            _ => "An answer to that.",
        }),
    }
}

/// A server on the loopback interface.
pub(crate) struct Server {
    address: SocketAddr,
    house: Arc<House>,
    listening: JoinHandle<io::Result<()>>,
}

#[derive(Default)]
struct House {
    calls: Mutex<HashMap<String, usize>>,
    closing: Mutex<bool>,
    closed: Condvar,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let house = Arc::new(House::default());
        let listening = thread::spawn({
            let house = house.clone();
            move || listen(&listener, &house)
        });
        Ok(Self {
            address,
            house,
            listening,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all answers, and waits for the threads to end. Returns how many requests there were.
    pub(crate) fn shut_down(self) -> io::Result<usize> {
        *lock(&self.house.closing) = true;
        self.house.closed.notify_all();
        // The listening thread looks at the flag when somebody connects.
        TcpStream::connect(self.address)?;
        self.listening.join().expect("the server panicked")?;
        Ok(lock(&self.house.calls).values().sum())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(listener: &TcpListener, house: &Arc<House>) -> io::Result<()> {
    let mut connections = Vec::new();
    loop {
        let (stream, _) = listener.accept()?;
        if *lock(&house.closing) {
            break;
        }
        let house = house.clone();
        // It is the client that has to cope with a broken connection.
        connections.push(thread::spawn(move || _ = house.serve(&stream)));
    }
    for connection in connections {
        connection.join().expect("a connection panicked");
    }
    Ok(())
}

impl House {
    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let body = read_request(&mut BufReader::new(stream))?;
        let model = body["model"].as_str().unwrap_or_default();
        let prompt = body["messages"][0]["content"].as_str().unwrap_or_default();
        let call = {
            let mut calls = lock(&self.calls);
            let calls = calls.entry(model.to_owned()).or_default();
            *calls += 1;
            *calls - 1
        };
        let head = "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        match answer(model, call, prompt) {
            Answer::Status(status, header) => {
                let error = json!({"error": {"message": status}}).to_string();
                let length = error.len();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\n"
                )?;
                write!(stream, "Connection: close\r\n\r\n{error}")
            }
            Answer::Text(text) => {
                write!(stream, "HTTP/1.1 200 OK\r\n{head}")?;
                // The first chunk has a role and no content, as is usual.
                send(stream, "")?;
                for token in text.split_inclusive(' ') {
                    send(stream, token)?;
                }
                write!(stream, "data: [DONE]\n\n")
            }
            Answer::SlowFirstToken => {
                write!(stream, "HTTP/1.1 200 OK\r\n{head}")?;
                send(stream, "")?;
                self.wait_until_closed();
                Ok(())
            }
            broken @ (Answer::Stall | Answer::HangUp) => {
                write!(stream, "HTTP/1.1 200 OK\r\n{head}")?;
                send(stream, "I was about ")?;
                send(stream, "to say")?;
                if matches!(broken, Answer::Stall) {
                    self.wait_until_closed();
                }
                Ok(())
            }
        }
    }

    fn wait_until_closed(&self) {
        let closing = lock(&self.closing);
        drop(self.closed.wait_while(closing, |closing| !*closing));
    }
}

/// Sends a chunk with a token.
fn send(mut stream: &TcpStream, token: &str) -> io::Result<()> {
    let chunk = json!({
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": token}}],
    });
    write!(stream, "data: {chunk}\n\n")
}

/// Reads a request, and returns its body.
fn read_request(reader: &mut impl BufRead) -> io::Result<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}
