//! A page in a browser of its own, and what there is to do with it and to see on it.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use abreast_browser_serve::{build, serve};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};

pub(crate) type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Returns where the page is, which is built and served once for all tests.
fn address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let folder = build().expect("the page can be built");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        thread::spawn(move || serve(&listener, folder));
        format!("http://{address}/")
    })
}

/// A chromedriver, which is ended when this is dropped.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start() -> Result<Self> {
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("it has no output")?).lines();
        let port = loop {
            let line = lines.next().ok_or("chromedriver ended")??;
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse()?;
            }
        };
        // It must not find that nobody reads what else it says.
        thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, port })
    }
}

impl Drop for Driver {
    /// Asks it to end, and its browsers with it: one that is killed leaves them behind.
    fn drop(&mut self) {
        if let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
            // What comes of it is seen below.
            let _ = connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = connection.read(&mut [0; 1024]);
        }
        let asked = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if asked.elapsed() > Duration::from_secs(10) {
                let _ = self.process.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The page in a window of its own.
pub(crate) struct Page {
    pub(crate) client: Client,
    _driver: Driver,
}

impl Page {
    /// Returns the page at this fragment, on a screen of a desk.
    pub(crate) async fn open(fragment: &str) -> Result<Self> {
        Self::open_with(fragment, &[], None).await
    }

    /// Returns the page on the screen of a phone, which is this wide and high.
    pub(crate) async fn open_on_phone(fragment: &str, width: u32, height: u32) -> Result<Self> {
        Self::open_with(fragment, &[], Some((width, height))).await
    }

    pub(crate) async fn open_with(
        fragment: &str,
        arguments: &[&str],
        phone: Option<(u32, u32)>,
    ) -> Result<Self> {
        let driver = Driver::start()?;
        let usual = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,1010",
        ];
        let arguments = [&usual, arguments].concat();
        let mut options = json!({ "args": arguments });
        if let Some((width, height)) = phone {
            let screen =
                json!({ "width": width, "height": height, "pixelRatio": 2, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": screen });
        }
        let mut wanted = Map::new();
        wanted.insert("goog:chromeOptions".into(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await?;
        client.goto(&format!("{}{fragment}", address())).await?;
        let page = Self {
            client,
            _driver: driver,
        };
        page.wait_for("body:not([data-phase=loading])").await?;
        Ok(page)
    }

    pub(crate) async fn close(self) -> Result {
        Ok(self.client.close().await?)
    }

    pub(crate) async fn wait_for(&self, selector: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(Duration::from_secs(30));
        let every = wait.every(Duration::from_millis(25));
        match every.for_element(Locator::Css(selector)).await {
            Ok(element) => Ok(element),
            Err(error) => {
                Err(format!("no {selector}: {error}; there is {:?}", self.bars().await?).into())
            }
        }
    }

    pub(crate) async fn click(&self, selector: &str) -> Result {
        Ok(self
            .client
            .find(Locator::Css(selector))
            .await?
            .click()
            .await?)
    }

    pub(crate) async fn text(&self, id: &str) -> Result<String> {
        Ok(self.client.find(Locator::Id(id)).await?.text().await?)
    }

    /// Returns a figure of the page.
    pub(crate) async fn figure(&self, id: &str) -> Result<usize> {
        Ok(self.text(id).await?.parse()?)
    }

    pub(crate) async fn choose(&self, verb: &str, settings: &[(&str, u32)]) -> Result {
        // This one has all settings.
        self.click("label:has([name=verb][value=batched])").await?;
        for (id, value) in settings {
            self.set(id, *value).await?;
        }
        self.click(&format!("label:has([name=verb][value={verb}])"))
            .await
    }

    pub(crate) async fn run(&self, verb: &str, settings: &[(&str, u32)]) -> Result {
        self.choose(verb, settings).await?;
        self.click("#run").await?;
        self.wait_for("body[data-phase=done]").await?;
        assert_eq!(self.figure("active").await?, 0, "{verb}");
        Ok(())
    }

    /// Returns the states of the bars, from the top.
    pub(crate) async fn bars(&self) -> Result<Vec<String>> {
        let states =
            "return [...document.querySelectorAll('#rows li')].map(bar => bar.dataset.state)";
        Ok(serde_json::from_value(
            self.client.execute(states, vec![]).await?,
        )?)
    }

    pub(crate) async fn count(&self) -> Result<BTreeMap<String, usize>> {
        let mut count = BTreeMap::new();
        for state in self.bars().await? {
            *count.entry(state).or_default() += 1;
        }
        Ok(count)
    }

    /// Makes the page note how many bars there are at most in a state at once.
    pub(crate) async fn watch(&self, state: &str) -> Result {
        let script = "
            const [state] = arguments, rows = document.getElementById('rows');
            window.most = 0;
            new MutationObserver(() => {
                window.most = Math.max(window.most, rows.querySelectorAll(`[data-state=${state}]`).length);
            }).observe(rows, { subtree: true, attributes: true, childList: true });";
        self.client.execute(script, vec![state.into()]).await?;
        Ok(())
    }

    pub(crate) async fn most(&self) -> Result<u64> {
        let most = self.client.execute("return window.most", vec![]).await?;
        Ok(most.as_u64().ok_or("it was not watched")?)
    }

    /// Runs a script, and returns what that returns.
    pub(crate) async fn ask(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Waits until a script returns true.
    pub(crate) async fn wait_until(&self, script: &str) -> Result {
        let asked = Instant::now();
        while self.ask(script).await? != Value::Bool(true) {
            if asked.elapsed() > Duration::from_secs(30) {
                return Err(format!("never true: {script}").into());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// Makes the page note errors that nobody catches.
    pub(crate) async fn note_errors(&self) -> Result {
        let script = "
            window.errors = [];
            window.addEventListener('error', event => window.errors.push(event.message))";
        self.ask(script).await?;
        Ok(())
    }

    pub(crate) async fn assert_no_errors(&self) -> Result {
        assert_eq!(self.ask("return window.errors").await?, json!([]));
        Ok(())
    }

    pub(crate) async fn press(&self, selector: &str, keys: &str) -> Result {
        let element = self.client.find(Locator::Css(selector)).await?;
        Ok(element.send_keys(keys).await?)
    }

    /// Sets a setting as somebody does who types.
    pub(crate) async fn set(&self, id: &str, value: u32) -> Result {
        let input = self.client.find(Locator::Id(id)).await?;
        input.clear().await?;
        Ok(input.send_keys(&value.to_string()).await?)
    }

    pub(crate) async fn picture(&self, name: &str) -> Result {
        if let Some(folder) = env::var_os("ABREAST_SCREENSHOTS") {
            fs::create_dir_all(&folder)?;
            fs::write(
                Path::new(&folder).join(name),
                self.client.screenshot().await?,
            )?;
        }
        Ok(())
    }
}
