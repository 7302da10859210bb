//! Holds the pages to their links: what is in the repository is there, and so is the heading.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs"))
        .expect("there are pages")
        .map(|entry| entry.expect("it can be read").path())
        .chain(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|page| root.join(page)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();

    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).expect("it is a text");
        for link in links(&text) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().expect("it is in a folder").join(path),
            };
            let is_there = target.exists() && (heading.is_empty() || has_heading(&target, heading));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Returns where links within the repository lead, those that are defined apart included.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let inline = text.split("](").skip(1).map(|rest| rest.split(')').next());
    let apart = text.lines().filter(|line| line.starts_with('['));
    let apart = apart.map(|line| line.split_once("]: ").map(|(_, target)| target));
    let all = inline.chain(apart).flatten();
    all.filter(|link| !link.contains("://") && !link.contains(' ') && !link.contains("::"))
}

/// Returns whether a page has this heading, written as it is in a link.
fn has_heading(page: &Path, heading: &str) -> bool {
    let text = fs::read_to_string(page).expect("it is a text");
    let mut titles = text.lines().filter(|line| line.starts_with('#'));
    titles.any(|title| {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let words = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        words.collect::<String>().replace(' ', "-") == heading
    })
}
