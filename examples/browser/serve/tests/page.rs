//! Drives the page in headless Chromium, by WebDriver: as somebody would who sees it and clicks.
//!
//! Needs `chromedriver` (or its path in `CHROMEDRIVER`) and the compiler for WebAssembly, so it is not run by default:
//! `cargo test -p abreast-browser-serve -- --ignored`. Pictures are left in the folder that `ABREAST_SCREENSHOTS` names.

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
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Where the page is, which is built and served once for all tests.
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
struct Page {
    client: Client,
    _driver: Driver,
}

impl Page {
    async fn open() -> Result<Self> {
        Self::open_with(&[]).await
    }

    async fn open_with(arguments: &[&str]) -> Result<Self> {
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
        let mut wanted = Map::new();
        wanted.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await?;
        client.goto(address()).await?;
        let page = Self {
            client,
            _driver: driver,
        };
        page.wait_for("body[data-phase=ready]").await?;
        Ok(page)
    }

    async fn close(self) -> Result {
        Ok(self.client.close().await?)
    }

    async fn wait_for(&self, selector: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(Duration::from_secs(30));
        let every = wait.every(Duration::from_millis(25));
        match every.for_element(Locator::Css(selector)).await {
            Ok(element) => Ok(element),
            Err(error) => {
                Err(format!("no {selector}: {error}; there is {:?}", self.bars().await?).into())
            }
        }
    }

    async fn click(&self, selector: &str) -> Result {
        Ok(self
            .client
            .find(Locator::Css(selector))
            .await?
            .click()
            .await?)
    }

    async fn text(&self, id: &str) -> Result<String> {
        Ok(self.client.find(Locator::Id(id)).await?.text().await?)
    }

    /// A figure of the page.
    async fn figure(&self, id: &str) -> Result<usize> {
        Ok(self.text(id).await?.parse()?)
    }

    async fn choose(&self, verb: &str, settings: &[(&str, u32)]) -> Result {
        // This one has all settings.
        self.click("label:has(input[value=batched])").await?;
        for (id, value) in settings {
            let input = self.client.find(Locator::Id(id)).await?;
            input.clear().await?;
            input.send_keys(&value.to_string()).await?;
        }
        self.click(&format!("label:has(input[value={verb}])")).await
    }

    async fn run(&self, verb: &str, settings: &[(&str, u32)]) -> Result {
        self.choose(verb, settings).await?;
        self.click("#run").await?;
        self.wait_for("body[data-phase=done]").await?;
        assert_eq!(self.figure("active").await?, 0, "{verb}");
        Ok(())
    }

    /// The states of the bars, from the top.
    async fn bars(&self) -> Result<Vec<String>> {
        let states =
            "return [...document.querySelectorAll('#rows li')].map(bar => bar.dataset.state)";
        Ok(serde_json::from_value(
            self.client.execute(states, vec![]).await?,
        )?)
    }

    async fn count(&self) -> Result<BTreeMap<String, usize>> {
        let mut count = BTreeMap::new();
        for state in self.bars().await? {
            *count.entry(state).or_default() += 1;
        }
        Ok(count)
    }

    /// Has the page note how many bars there are at most in a state at once.
    async fn watch(&self, state: &str) -> Result {
        let script = "
            const [state] = arguments, rows = document.getElementById('rows');
            window.most = 0;
            new MutationObserver(() => {
                window.most = Math.max(window.most, rows.querySelectorAll(`[data-state=${state}]`).length);
            }).observe(rows, { subtree: true, attributes: true, childList: true });";
        self.client.execute(script, vec![state.into()]).await?;
        Ok(())
    }

    async fn most(&self) -> Result<u64> {
        let most = self.client.execute("return window.most", vec![]).await?;
        Ok(most.as_u64().ok_or("it was not watched")?)
    }

    async fn picture(&self, name: &str) -> Result {
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

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .map(|(state, count)| (state.to_owned(), count))
        .into()
}

const QUICK: [(&str, u32); 5] = [
    ("tasks", 12),
    ("concurrency", 4),
    ("duration", 60),
    ("failures", 0),
    ("delay", 20),
];

#[tokio::test]
#[ignore = "needs Chromium"]
async fn every_verb_runs_to_its_end() -> Result {
    let page = Page::open().await?;
    for (verb, most) in [
        ("parallel", 4),
        ("sequential", 1),
        ("batched", 4),
        ("pool", 4),
    ] {
        page.choose(verb, &QUICK).await?;
        page.watch("running").await?;
        page.run(verb, &[]).await?;
        assert_eq!(page.count().await?, counts([("succeeded", 12)]), "{verb}");
        assert_eq!(page.figure("succeeded").await?, 12, "{verb}");
        assert!((1..=most).contains(&page.most().await?), "{verb}");
    }

    page.run("race", &QUICK).await?;
    assert_eq!(
        page.count().await?,
        counts([("dropped", 11), ("winner", 1)])
    );

    page.run("fall-through", &QUICK).await?;
    assert_eq!(
        page.count().await?,
        counts([("unstarted", 11), ("winner", 1)])
    );
    assert_eq!(page.bars().await?[0], "winner");

    // The first takes three seconds at least, and others are started meanwhile.
    page.choose("staggered", &QUICK).await?;
    page.run("staggered", &[("duration", 1000), ("delay", 300)])
        .await?;
    let count = page.count().await?;
    assert_eq!(count["winner"], 1);
    assert!(count["dropped"] > 0 && count["unstarted"] > 0, "{count:?}");
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn failures_are_what_the_verb_makes_of_them() -> Result {
    let page = Page::open().await?;
    page.run("parallel", &QUICK).await?;
    for verb in ["parallel", "batched", "pool"] {
        page.run(verb, &[("failures", 100)]).await?;
        assert_eq!(page.count().await?, counts([("failed", 12)]), "{verb}");
    }
    for verb in ["race", "staggered", "fall-through"] {
        page.run(verb, &[]).await?;
        assert_eq!(page.count().await?, counts([("failed", 12)]), "{verb}");
        assert!(
            page.text("status")
                .await?
                .starts_with("Nobody won: all 12 failed")
        );
    }
    page.run("sequential", &[]).await?;
    assert_eq!(
        page.count().await?,
        counts([("failed", 1), ("unstarted", 11)])
    );

    page.choose("parallel", &[]).await?;
    page.click("label:has(#fail-fast)").await?;
    for verb in ["parallel", "batched"] {
        page.run(verb, &[]).await?;
        let count = page.count().await?;
        // Those that end at the same moment may all have failed.
        assert!((1..4).contains(&count["failed"]), "{verb}: {count:?}");
        assert_eq!(count["failed"] + count["dropped"], 4, "{verb}: {count:?}");
        assert_eq!(count["unstarted"], 8, "{verb}: {count:?}");
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_same_tasks_fail_whatever_the_verb() -> Result {
    let page = Page::open().await?;
    let mut bars = Vec::new();
    for verb in ["parallel", "batched", "pool"] {
        page.choose(verb, &QUICK).await?;
        page.run(verb, &[("failures", 40)]).await?;
        bars.push(page.bars().await?);
    }
    assert!(bars[0].iter().any(|state| state == "failed"));
    assert!(bars.iter().all(|other| *other == bars[0]), "{bars:?}");
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn cancelling_drops_what_runs_and_starts_no_more() -> Result {
    let page = Page::open().await?;
    page.choose("parallel", &QUICK).await?;
    let long = [("duration", 10_000), ("delay", 50)];
    for (verb, running) in [
        ("parallel", 4),
        ("race", 12),
        ("staggered", 3),
        ("fall-through", 1),
        ("sequential", 1),
        ("batched", 4),
        ("pool", 4),
    ] {
        page.choose(verb, &long).await?;
        page.click("#run").await?;
        page.wait_for(&format!(
            "#rows li:nth-child({running})[data-state=running]"
        ))
        .await?;
        if verb == "pool" {
            assert_eq!(
                (page.figure("active").await?, page.figure("waiting").await?),
                (4, 8)
            );
        }
        page.click("#cancel").await?;
        page.wait_for("body[data-phase=cancelled]").await?;
        page.picture(&format!("cancelled-{verb}.png")).await?;
        let count = page.count().await?;
        let dropped = count["dropped"];
        // A staggered race has started some more meanwhile.
        assert!(
            dropped == running || verb == "staggered" && dropped > running,
            "{verb}: {count:?}"
        );
        assert_eq!(
            dropped + count.get("unstarted").unwrap_or(&0),
            12,
            "{verb}: {count:?}"
        );
        assert_eq!(page.figure("active").await?, 0, "{verb}");
        assert_eq!(page.figure("dropped").await?, dropped, "{verb}");
    }
    // And nothing is left that would be in the way of another.
    page.run("parallel", &QUICK).await?;
    assert_eq!(page.count().await?, counts([("succeeded", 12)]));
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_keyboard_is_enough() -> Result {
    let page = Page::open().await?;
    page.choose("parallel", &QUICK).await?;
    let chosen = page
        .client
        .find(Locator::Css("input[name=verb]:checked"))
        .await?;
    chosen.send_keys(&Key::Down.to_string()).await?;
    assert_eq!(page.text("code").await?, "race(tasks).await");

    let duration = page.client.find(Locator::Id("duration")).await?;
    duration.clear().await?;
    duration
        .send_keys(&format!("10000{}", char::from(Key::Enter)))
        .await?;
    page.wait_for("#rows li:nth-child(12)[data-state=running]")
        .await?;
    duration.send_keys(&Key::Escape.to_string()).await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    assert_eq!(page.count().await?, counts([("dropped", 12)]));
    page.close().await
}

/// The call in Rust, and what the settings of the verb are called.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_page_shows_the_call() -> Result {
    let page = Page::open().await?;
    page.choose("batched", &QUICK).await?;
    let call = "batched(items, handler).batch_size(4).pause(Duration::from_millis(20), sleep).settle().await";
    assert_eq!(page.text("code").await?, call);
    assert_eq!(page.text("concurrency-label").await?, "Batch size");
    page.choose("race", &[]).await?;
    assert!(
        !page
            .client
            .find(Locator::Id("concurrency"))
            .await?
            .is_enabled()
            .await?
    );
    // The forecast is there before anything has run: what the virtual clock says.
    assert!(
        page.text("forecast")
            .await?
            .starts_with("virtual clock: 0.0")
    );
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn it_has_nothing_to_complain_of_and_looks_like_this() -> Result {
    for (name, arguments) in [
        ("browser.png", &[][..]),
        ("browser-dark.png", &["--force-dark-mode"]),
    ] {
        let page = Page::open_with(arguments).await?;
        let errors = "
            window.errors = [];
            window.addEventListener('error', event => window.errors.push(event.message));
            return matchMedia('(prefers-color-scheme: dark)').matches";
        let is_dark = page.client.execute(errors, vec![]).await?;
        assert_eq!(is_dark, Value::from(name == "browser-dark.png"));
        page.choose("parallel", &[("duration", 1200)]).await?;
        page.click("#run").await?;
        page.wait_for("#rows li:nth-child(17)[data-state=running]")
            .await?;
        page.picture(name).await?;
        page.wait_for("body[data-phase=done]").await?;
        assert_eq!(
            page.client.execute("return window.errors", vec![]).await?,
            json!([])
        );
        page.close().await?;
    }
    Ok(())
}
