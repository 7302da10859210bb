//! What the example needs of an async runtime. Everything else in it is the same under all of them.

use std::future::Future;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// A runtime to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Smol,
    /// One with a single thread.
    Tokio,
}

/// A connection over TCP, in the terms of tokio's traits: the client of PostgreSQL asks for them.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

impl Runtime {
    /// Runs a future on the current thread until it resolves.
    ///
    /// # Panics
    /// If tokio cannot be started.
    pub fn block_on<F: Future>(self, future: F) -> F::Output {
        match self {
            Self::Smol => smol::block_on(future),
            Self::Tokio => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("tokio starts")
                .block_on(future),
        }
    }

    /// Runs a future in the background.
    pub fn spawn(self, future: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Smol => smol::spawn(future).detach(),
            Self::Tokio => drop(tokio::spawn(future)),
        }
    }

    /// Waits.
    pub async fn sleep(self, duration: Duration) {
        match self {
            Self::Smol => drop(smol::Timer::after(duration).await),
            Self::Tokio => tokio::time::sleep(duration).await,
        }
    }

    /// Returns [`sleep`](Self::sleep) as a timer.
    pub fn timer(self) -> impl abreast::Timer<Sleep: Send> + Copy + Send + Sync {
        move |duration| self.sleep(duration)
    }

    /// Connects to `host:port`.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn connect(self, address: &str) -> io::Result<Box<dyn Socket>> {
        Ok(match self {
            Self::Smol => {
                let stream = smol::net::TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream.compat())
            }
            Self::Tokio => {
                let stream = tokio::net::TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "smol" => Ok(Self::Smol),
            "tokio" => Ok(Self::Tokio),
            _ => Err("a runtime is smol or tokio".to_owned()),
        }
    }
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Smol => "smol",
            Self::Tokio => "tokio",
        })
    }
}
