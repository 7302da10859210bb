//! `cargo run -p abreast-browser-serve [PORT]`

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};

use abreast_browser_serve::{build, serve};

fn main() -> Result<(), Box<dyn Error>> {
    let port = match env::args().nth(1) {
        Some(port) => port.parse().map_err(|_| format!("{port} is not a port"))?,
        None => 8000,
    };
    let folder = build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("The page is at http://{}", listener.local_addr()?);
    serve(&listener, folder)?;
    Ok(())
}
