//! Builds the page, and serves it.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

/// What the page consists of, beside what is made of the module.
const PAGE: [&str; 4] = ["index.html", "style.css", "compare.css", "verb.css"];

/// Builds the page, and returns the folder that it is in.
///
/// If the environment names a module in `ABREAST_BROWSER_WASM`, that one is taken instead of a new one.
pub fn build() -> Result<PathBuf, Box<dyn Error>> {
    let module = match env::var_os("ABREAST_BROWSER_WASM") {
        Some(module) => module.into(),
        None => build_module()?,
    };
    let folder = module.with_file_name("abreast-browser");
    fs::create_dir_all(&folder)?;
    Bindgen::new()
        .input_path(&module)
        .web(true)?
        .omit_default_module_path(false)
        .typescript(false)
        .generate(&folder)?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../page");
    for file in PAGE {
        fs::copy(page.join(file), folder.join(file))?;
    }
    Ok(folder)
}

/// Compiles `abreast-browser` to WebAssembly.
fn build_module() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "abreast-browser"])
        .args(["--target", "wasm32-unknown-unknown"])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(
            "the page does not compile; it needs `rustup target add wasm32-unknown-unknown`".into(),
        );
    }
    let messages = String::from_utf8(output.stdout)?;
    let module = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let files = message["filenames"].as_array()?;
        let file = files
            .iter()
            .filter_map(Value::as_str)
            .find(|file| file.ends_with("abreast_browser.wasm"))?;
        Some(file.into())
    });
    module.ok_or_else(|| "cargo says nothing of a module".into())
}

/// Serves the files in `folder` to whoever connects, for ever.
pub fn serve(listener: &TcpListener, folder: PathBuf) -> io::Result<()> {
    let folder = Arc::new(folder);
    for connection in listener.incoming() {
        let (connection, folder) = (connection?, folder.clone());
        // What goes wrong with one connection is the business of its other end.
        thread::spawn(move || answer(connection, &folder));
    }
    Ok(())
}

fn answer(mut connection: TcpStream, folder: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The headers are of no interest, but have to be read before the connection is closed.
    while lines
        .next()
        .transpose()?
        .is_some_and(|header| !header.is_empty())
    {}

    let path = request.split(' ').nth(1).unwrap_or_default();
    let path = path
        .split('?')
        .next()
        .unwrap_or_default()
        .trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let file = if is_plain {
        fs::read(folder.join(name))
    } else {
        Err(io::ErrorKind::NotFound.into())
    };
    let (status, kind, body) = match file {
        Ok(body) => ("200 OK", kind(name), body),
        Err(_) => (
            "404 Not Found",
            "text/plain",
            b"There is no such file.".to_vec(),
        ),
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    connection.write_all(&body)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
