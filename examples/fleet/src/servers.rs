//! Servers for demonstrations, tests and measurements: on a free port, in a folder of their own, stopped when dropped.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// The engines that the queue can be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Redis,
    Postgres,
}

impl Engine {
    /// Returns what Debian calls the package.
    #[must_use]
    pub const fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
        }
    }

    /// Finds the program of the server, if it is installed.
    #[must_use]
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Self::Redis => find("redis-server"),
            Self::Postgres => find("postgres"),
        }
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "redis" => Ok(Self::Redis),
            "postgres" => Ok(Self::Postgres),
            _ => Err("an engine is redis or postgres".to_owned()),
        }
    }
}

/// Finds a program on the path, or among those of PostgreSQL, which Debian keeps elsewhere.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<_> = versions.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    let versions = versions.into_iter().rev().map(|folder| folder.join("bin"));
    env::split_paths(&path)
        .chain(versions)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A server that runs for as long as this value lives.
#[derive(Debug)]
pub struct Server {
    engine: Engine,
    port: u16,
    process: Option<Child>,
    // Removed when the server has been stopped.
    folder: Folder,
}

impl Server {
    /// Starts a server, and waits until it accepts connections.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start(engine: Engine) -> io::Result<Self> {
        let folder = Folder::new()?;
        if engine == Engine::Postgres {
            make_cluster(&folder.0)?;
        }
        let mut server = Self {
            engine,
            port: free_port()?,
            process: None,
            folder,
        };
        // Somebody else may have taken the port in the meantime.
        for _ in 0..3 {
            match server.restart() {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    server.port = free_port()?;
                }
                started => return started.map(|()| server),
            }
        }
        server.restart()?;
        Ok(server)
    }

    /// Returns what a queue in this server is addressed by.
    #[must_use]
    pub fn url(&self) -> String {
        match self.engine {
            Engine::Redis => format!("redis://127.0.0.1:{}", self.port),
            Engine::Postgres => format!("postgres://fleet@127.0.0.1:{}/postgres", self.port),
        }
    }

    /// Returns the port on the loopback interface.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server in the middle of what it does, as in a crash.
    ///
    /// # Errors
    /// If it cannot be stopped.
    pub fn crash(&mut self) -> io::Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        match self.engine {
            Engine::Redis => process.kill()?,
            // Asks for recovery at the next start, as a crash does, but takes the other processes of the server along.
            Engine::Postgres => signal(&process, Signal::QUIT)?,
        }
        process.wait()?;
        Ok(())
    }

    /// Starts the server again, with the data that it had.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> io::Result<()> {
        let program = self.engine.program().ok_or_else(|| {
            let package = self.engine.package();
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("{package} is not installed"),
            )
        })?;
        let mut command = tied(&program, self.engine == Engine::Postgres && is_root());
        let port = self.port.to_string();
        match self.engine {
            // What has been written survives the process, if not the machine.
            Engine::Redis => command
                .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "yes", "--appendfsync", "everysec"])
                .args(["--auto-aof-rewrite-percentage", "0"])
                .arg("--dir")
                .arg(&self.folder.0),
            Engine::Postgres => command
                .arg("-D")
                .arg(self.folder.0.join("data"))
                .args(["-p", &port, "-h", "127.0.0.1", "-k", ""])
                .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
                .args(["-c", "max_connections=50", "-c", "log_min_messages=fatal"]),
        };
        let log = fs::File::create(self.folder.0.join("log"))?;
        command
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log);
        self.process = Some(command.spawn()?);
        self.wait_until_ready()
    }

    /// Stops all processes of the server where they are: it accepts connections, and answers nothing.
    ///
    /// # Errors
    /// If it does not run.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal_all(Signal::STOP)
    }

    /// Lets a server that was frozen go on.
    ///
    /// # Errors
    /// If it does not run.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal_all(Signal::CONT)
    }

    /// Sends a signal to the process and to its children: PostgreSQL has one for each connection.
    fn signal_all(&self, signal: Signal) -> io::Result<()> {
        let Some(process) = &self.process else {
            return Ok(());
        };
        self::signal(process, signal)?;
        let id = process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        for child in children.split_whitespace() {
            if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
                // A connection may just have ended.
                _ = kill_process(child, signal);
            }
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let process = self.process.as_mut().expect("it has been started");
        // A server that accepts connections may still be loading. The clients try again then.
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let has_ended = process.try_wait()?.is_some();
            if has_ended || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.0.join("log")).unwrap_or_default();
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, log));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder goes with it, so there is nothing to be saved. It may have stopped by itself, or be frozen.
        _ = self.thaw();
        _ = self.crash();
    }
}

/// Makes the files of a database.
fn make_cluster(folder: &Path) -> io::Result<()> {
    let Some(initdb) = find("initdb") else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "initdb is not installed",
        ));
    };
    if is_root() {
        // The server refuses to run as root.
        let (user, group) = ids_of_postgres()?;
        chown(folder, Some(user), Some(group))?;
    }
    let output = tied(&initdb, is_root())
        .args([
            "--username=fleet",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .arg("-D")
        .arg(folder.join("data"))
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(reason))
}

/// Returns a command for a program that is killed when the thread that starts it ends, and so outlives no test,
/// whatever ends that. If `as_postgres`, it runs as the user `postgres`.
#[must_use]
pub fn tied(program: &Path, as_postgres: bool) -> Command {
    let Some(setpriv) = find("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    if as_postgres {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command.current_dir("/");
    }
    command.args([
        OsStr::new("--pdeathsig=KILL"),
        OsStr::new("--"),
        program.as_os_str(),
    ]);
    command
}

/// Sends a signal to a process that has been started here.
///
/// # Errors
/// If it has ended.
pub fn signal(process: &Child, signal: Signal) -> io::Result<()> {
    let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    Ok(kill_process(id.expect("it is a process"), signal)?)
}

fn is_root() -> bool {
    geteuid().is_root()
}

/// Returns the user and the group of `postgres`: its home belongs to it.
fn ids_of_postgres() -> io::Result<(u32, u32)> {
    let home = fs::metadata("/var/lib/postgresql")?;
    Ok((home.uid(), home.gid()))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// A folder that is removed when it is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("abreast-fleet-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // At worst it stays in the folder for what is temporary.
        _ = fs::remove_dir_all(&self.0);
    }
}
