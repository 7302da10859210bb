//! A polite crawler: follows each link once, with at most two requests at a time to each host.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abreast::{BoxErrors, Group, task_group};
use axum::{Router, extract::Path, http::HeaderMap, routing::get};
use cookbook::{Gauge, client, serve};
use tokio::{sync::Semaphore, time::sleep};

struct Crawler {
    client: reqwest::Client,
    /// There is no verb for a limit per key: each host has a semaphore. What waits for one holds up no other host.
    hosts: BTreeMap<String, Semaphore>,
    seen: Mutex<BTreeSet<String>>,
}

impl Crawler {
    fn visit<'env>(&'env self, group: &Group<'env, reqwest::Error>, link: &str) {
        let url = link.to_owned();
        let host = self.hosts.iter().find(|(host, _)| url.starts_with(*host));
        // Other hosts are left alone, and so is what was seen before.
        let Some((_, permits)) = host.filter(|_| self.seen.lock().unwrap().insert(url.clone()))
        else {
            return;
        };
        let inner = group.clone();
        group.spawn(async move {
            let permit = permits.acquire().await.expect("it is never closed");
            let page = self.client.get(&url).send().await?.text().await?;
            drop(permit);
            page.lines().for_each(|link| self.visit(&inner, link));
            Ok(())
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let loads = [Arc::new(Gauge::default()), Arc::new(Gauge::default())];
    let hosts = [site(&loads[0]).await?, site(&loads[1]).await?];
    let crawler = Crawler {
        client: client(),
        hosts: hosts
            .iter()
            .map(|host| (host.clone(), Semaphore::new(2)))
            .collect(),
        seen: Mutex::default(),
    };

    // Ends when there is no link left, or with the first error. The visits borrow the crawler.
    let crawl = task_group(async |group| {
        hosts
            .iter()
            .for_each(|host| crawler.visit(&group, &format!("{host}/1")));
        Ok(())
    });
    crawl.await.boxed()?;

    println!("{} pages", crawler.seen.lock().unwrap().len());
    println!(
        "at most {} and {} at a time",
        loads[0].most(),
        loads[1].most()
    );
    Ok(())
}

/// Serves forty pages, each with links to two others and to another host.
async fn site(load: &Arc<Gauge>) -> Result<String, Box<dyn Error + Send + Sync>> {
    let load = load.clone();
    let page = async move |Path(page): Path<u32>, headers: HeaderMap| {
        load.during(sleep(Duration::from_millis(20))).await;
        let host = headers["host"].to_str().expect("it is ASCII");
        let others = [2 * page, 2 * page + 1]
            .into_iter()
            .filter(|page| *page <= 40);
        let links = others.map(|page| format!("http://{host}/{page}\n"));
        links.collect::<String>() + "http://example.org/"
    };
    let address = serve(Router::new().route("/{page}", get(page))).await?;
    Ok(format!("http://{address}"))
}
