//! A list of pages at two hosts: twenty requests at a time, of which at most two go to the same host.

use abreast::parallel_map;
use cookbook::{Error, Site, client};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let sites = [Site::start().await?, Site::start().await?];
    // All of the first host come before those of the second.
    let pages = sites
        .iter()
        .flat_map(|site| (1..=40).map(move |page| format!("{}/{page}", site.url)));
    let urls: Vec<String> = pages.collect();

    let client = client();
    let result = parallel_map(&urls, async |url| {
        client.get(url).send().await?.text().await
    })
    .concurrency(20)
    .per_key(2, |url| url.rsplit_once('/').map(|(host, _)| host))
    // While the pages of one host wait, those of the other are seen.
    .look_ahead(100)
    .on_error(|error: &reqwest::Error, index| eprintln!("{}: {error}", urls[index]))
    .await;

    let links = result.successful_results().flat_map(|page| page.lines());
    println!("{} pages, {} links", result.len(), links.count());
    let most = sites.each_ref().map(Site::most_at_a_time);
    println!("at most {} and {} at a time", most[0], most[1]);
    Ok(())
}
