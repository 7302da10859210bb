//! A polite crawler: follows each link once, with at most two requests at a time to each host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use abreast::{BoxErrors, Group, Limit, task_group};
use cookbook::{Error, Site, client};

struct Crawler {
    client: reqwest::Client,
    /// A limit for each host: what waits for one holds up no other.
    hosts: BTreeMap<String, Limit>,
    seen: Mutex<BTreeSet<String>>,
}

impl Crawler {
    fn visit<'env>(&'env self, group: &Group<'env, reqwest::Error>, url: String) {
        // Other hosts are left alone, and so is what was seen before.
        let host = self.hosts.iter().find(|(host, _)| url.starts_with(*host));
        let is_new = || self.seen.lock().unwrap().insert(url.clone());
        let Some((_, limit)) = host.filter(|_| is_new()) else {
            return;
        };
        let inner = group.clone();
        group.spawn(async move {
            let permit = limit.acquire().await;
            let page = self.client.get(url).send().await?.text().await?;
            drop(permit);
            page.lines()
                .for_each(|link| self.visit(&inner, link.to_owned()));
            Ok(())
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let sites = [Site::start().await?, Site::start().await?];
    let hosts = sites.iter().map(|site| (site.url.clone(), Limit::new(2)));
    let crawler = Crawler {
        client: client(),
        hosts: hosts.collect(),
        seen: Mutex::default(),
    };

    // Ends when there is no link left, or with the first error. The visits borrow the crawler.
    let crawl = task_group(async |group| {
        for site in &sites {
            crawler.visit(&group, format!("{}/1", site.url));
        }
        Ok(())
    });
    crawl.await.boxed()?;

    let most = sites.each_ref().map(Site::most_at_a_time);
    println!("{} pages", crawler.seen.lock().unwrap().len());
    println!("at most {} and {} at a time", most[0], most[1]);
    Ok(())
}
