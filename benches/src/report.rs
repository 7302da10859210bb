//! `benches/RESULTS.md`: what the long form has measured.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use harness::Role;

use crate::long::Build;
use crate::table::Table;
use crate::targets::{self, Overall, overall};
use crate::{machine, plots};

const HEAD: &str = "\
# Results

Written by `cargo run --release -p abreast-benches -- --long`. The tasks, and who wakes them, are in `harness`; each library is
used in a crate of its own, in `peers`.

- **W1**: every task is ready on its first poll. **W2**: every task wakes itself once. **W3**: every task waits to be woken from
  outside; whenever all wait, one random task is woken. **W4**: the same, 32 random tasks at a time.
- A cell has the median of all rounds, and behind it how many times as much as abreast that is: the median of the ratios within
  a round, and half the distance between their quartiles. More than 1x: abreast is faster.
- All contenders take turns within a round, in three processes for each build; heap and stack are shifted at random before each
  turn. The executor clears the flag of its waker before it polls, so that a wake is one poll.
- Instructions, polls and allocations, which do not depend on the machine, are in [`counts.tsv`](counts.tsv).
- Differences of less than a fifth between two single builds say little: the same source moves by as much.

";

/// Returns a path within the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// Writes the page and its plots.
///
/// # Panics
/// If a file cannot be written.
pub(crate) fn write(builds: &[Build]) {
    let page = page(builds).expect("a string can be written to");
    std::fs::write(repository("benches/RESULTS.md"), page).expect("the page can be written");
    println!("\nwritten: benches/RESULTS.md");
}

fn page(builds: &[Build]) -> Result<String, fmt::Error> {
    let mut page = String::from(HEAD);
    writeln!(page, "## The machine\n\n{}", machine::description())?;

    writeln!(page, "## In short\n")?;
    // Only if all that belongs to the mean was measured.
    let means = builds
        .iter()
        .filter_map(|build| Some((build, overall(&build.tables)?)));
    let means: Vec<_> = means.collect();
    if !means.is_empty() {
        page += "Windows over W1-W4 and K = 5, 16, 64, 256, 4096, to the fastest peer of each:\n\n";
        page += "| build | geometric mean | the worst |\n|---|--:|--:|\n";
        for (build, Overall { mean, worst }) in means {
            writeln!(page, "| {} | {mean:.2}x | {worst:.2}x |", build.description)?;
        }
        page.push('\n');
    }
    let description = builds[0].description;
    writeln!(page, "To the fastest peer, in {description}:\n")?;
    for table in &builds[0].tables {
        writeln!(page, "- {}: {}", table.title, in_short(table))?;
    }

    // Which plots there are depends on what was measured.
    let plots = plots::write(&builds[0].tables);
    if !plots.is_empty() {
        writeln!(page, "\n## Plots\n")?;
        for (title, file) in plots {
            writeln!(page, "![{title}](../{file})\n")?;
        }
    }

    for build in builds {
        writeln!(page, "## Built with {}\n", build.description)?;
        for table in &build.tables {
            write_table(&mut page, table)?;
        }
        writeln!(page, "```text{}```\n", targets::Report(&build.tables))?;
    }
    Ok(page)
}

/// Says how far ahead the subject is in each column.
fn in_short(table: &Table) -> String {
    let columns = 0..table.columns.len();
    let ratios = columns.filter_map(|column| {
        let (_, ratio) = table.closest("", column)?;
        Some(format!(
            "{} {:.2}x",
            table.column_name(column),
            ratio.median
        ))
    });
    let ratios: Vec<String> = ratios.collect();
    if ratios.is_empty() {
        return "no peer".to_owned();
    }
    ratios.join(", ")
}

fn write_table(page: &mut String, table: &Table) -> fmt::Result {
    writeln!(page, "### {}\n", table.title)?;
    write!(page, "| {} |", table.measure)?;
    for column in 0..table.columns.len() {
        write!(page, " {} |", table.column_name(column))?;
    }
    writeln!(page, "\n|---|{}", "--:|".repeat(table.columns.len()))?;
    for row in &table.rows {
        write!(page, "| {} |", row.name.trim())?;
        for column in 0..table.columns.len() {
            let median = table.format_median(row, column);
            let ratio = table.ratio(row, column);
            match (median, ratio.filter(|_| row.role != Role::Subject)) {
                (Some(median), Some(ratio)) => write!(page, " {median} ({ratio}) |")?,
                (Some(median), None) => write!(page, " **{median}** |")?,
                (None, _) => write!(page, " - |")?,
            }
        }
        writeln!(page)?;
    }
    writeln!(page)?;
    for row in &table.rows {
        if let Some(note) = &row.note {
            writeln!(page, "{}: {note}.  ", row.name)?;
        }
    }
    writeln!(page)
}
