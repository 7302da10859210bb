//! The page of results: what the long form has measured.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use harness::Role;

use crate::long::{Build, PROCESSES};
use crate::table::{Row, Table};
use crate::targets::{self, Overall, overall};
use crate::{machine, plots};

/// What a reader has to know to read a table.
fn how_to_read() -> String {
    format!(
        "\
- A cell has the median time, and in brackets how many times as much as **abreast** that is: the median of the ratios within
  a round, and half the distance between their quartiles. More than 1x: abreast is faster.
- The *floors* at the end of some tables do less than the others. *One by one* is a loop that awaits one task after another,
  whatever K is. *Side by side* has K tasks in memory, as the others have, and next to nothing that schedules them.
- **W1**: every task is ready on its first poll. **W2**: every task wakes itself once. **W3**: every task waits to be woken from
  outside; whenever all wait, one random task is woken. **W4**: the same, 32 random tasks at a time.
- **K** is how many tasks run at once, **N** how many there are: of the tables against K, at least 20,000. In races, sets and
  groups, N run at once, in one set after another.
- All take turns within a round, in {PROCESSES} processes for each of two builds, as the same source moves by a fifth between
  builds. Heap and stack are shifted at random before each turn. The executor polls once for each wake.
- Instructions, polls and allocations, which do not depend on the machine, are in [`counts.tsv`](counts.tsv).
"
    )
}

/// Returns a path within the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The page that has plots.
const PAGE: &str = "benches/RESULTS.md";

/// Writes the page and its plots; or the page alone, to the file that was asked for.
///
/// # Panics
/// If a file cannot be written.
pub(crate) fn write(builds: &[Build], file: Option<&Path>) {
    // Which plots there are depends on what was measured.
    let plots = match file {
        None => plots::write(&builds[0].tables),
        Some(_) => Vec::new(),
    };
    let page = page(builds, &plots).expect("a string can be written to");
    let file = file.map_or_else(|| repository(PAGE), Path::to_path_buf);
    std::fs::write(&file, page).expect("the page can be written");
    println!("\nwritten: {}", file.display());
}

fn page(builds: &[Build], plots: &[(&str, &str)]) -> Result<String, fmt::Error> {
    let mut page = String::from("# Results\n\n");
    page += "Written by `cargo run --release -p abreast-benches -- --long`. The tasks, and who wakes them, are in\n";
    page += "[`harness`](harness); each library is used in a crate of its own, in [`peers`](peers).\n\n";
    write!(page, "## How to read this\n\n{}\n", how_to_read())?;
    writeln!(page, "## The machine\n\n{}", machine::description())?;

    writeln!(page, "## In short\n")?;
    // Only if all that belongs to the mean was measured.
    let means = builds.iter().flat_map(|build| {
        let overall = overall(&build.tables).into_iter();
        overall.map(move |overall| (build.description, overall))
    });
    let means: Vec<_> = means.collect();
    if !means.is_empty() {
        page += "Windows over W1-W4 and K = 5, 16, 64, 256, 4096: times as fast as the fastest peer of each. The\n";
        page += "floors schedule nothing, or next to nothing:\n\n";
        page += "| build | | geometric mean | the worst |\n|---|---|--:|--:|\n";
        for (build, overall) in means {
            let Overall {
                name, mean, worst, ..
            } = overall;
            writeln!(page, "| {build} | {name} | {mean:.2}x | {worst:.2}x |")?;
        }
        page.push('\n');
    }
    page += "Times as fast as the fastest peer, from the worst size to the best, and which that is at the worst:\n\n";
    write_summary(&mut page, builds)?;

    if !plots.is_empty() {
        writeln!(page, "## Plots\n\nOf {}.\n", builds[0].description)?;
        for (title, file) in plots {
            writeln!(page, "![{title}](../{file})\n")?;
        }
    }

    page += "## Tables\n\n";
    for (position, table) in builds[0].tables.iter().enumerate() {
        write_table(&mut page, table, position, builds)?;
    }

    page += "## Targets\n\n";
    for build in builds {
        writeln!(page, "With {}:\n", build.description)?;
        writeln!(page, "```text{}```\n", targets::Report(&build.tables))?;
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(page)
}

/// Writes how far ahead the subject is in each table that has peers, in each build.
fn write_summary(page: &mut String, builds: &[Build]) -> fmt::Result {
    page.push_str("| |");
    for build in builds {
        write!(page, " {} |", build.description)?;
    }
    writeln!(page, "\n|---|{}", "---|".repeat(builds.len()))?;
    for (position, table) in builds[0].tables.iter().enumerate() {
        let ends: Option<Vec<String>> = builds
            .iter()
            .map(|build| worst_to_best(&build.tables[position]))
            .collect();
        if let Some(ends) = ends.filter(|_| table.is_timed()) {
            writeln!(page, "| {} | {} |", table.title, ends.join(" | "))?;
        }
    }
    page.push('\n');
    Ok(())
}

/// Says how far ahead the subject is of the fastest peer of each column. Missing if there are no peers.
fn worst_to_best(table: &Table) -> Option<String> {
    let columns = 0..table.columns.len();
    let closest = columns.filter_map(|column| Some((table.closest("", column)?, column)));
    let mut closest: Vec<((&Row, _), usize)> = closest.collect();
    closest.sort_by(|((_, a), _), ((_, b), _)| a.median.total_cmp(&b.median));
    let (&((peer, worst), column), ((_, best), _)) = (closest.first()?, closest.last()?);
    let (from, to) = (worst.median, best.median);
    let (name, column) = (peer.name.trim(), table.column_name(column));
    Some(format!("{from:.2}x to {to:.2}x ({column}: {name})"))
}

/// Writes a table, with the builds one below the other.
fn write_table(page: &mut String, table: &Table, position: usize, builds: &[Build]) -> fmt::Result {
    writeln!(page, "### {}\n", table.title)?;
    write!(page, "| {} |", table.measure)?;
    for column in 0..table.columns.len() {
        write!(page, " {} |", table.column_name(column))?;
    }
    writeln!(page, "\n|---|{}", "--:|".repeat(table.columns.len()))?;
    // What is counted is the same in every build.
    let builds = if table.is_timed() {
        builds
    } else {
        &builds[..1]
    };
    for build in builds {
        if builds.len() > 1 {
            let cells = " |".repeat(table.columns.len());
            writeln!(page, "| *{}* |{cells}", build.description)?;
        }
        write_rows(page, &build.tables[position])?;
    }
    page.push('\n');
    let notes = table.rows.iter();
    let notes: Vec<_> = notes
        .filter_map(|row| Some((row, row.note.as_ref()?)))
        .collect();
    for (row, note) in &notes {
        writeln!(page, "- {}: {note}.", row.name.trim())?;
    }
    if !notes.is_empty() {
        page.push('\n');
    }
    Ok(())
}

fn write_rows(page: &mut String, table: &Table) -> fmt::Result {
    for row in &table.rows {
        match row.role {
            Role::Subject => write!(page, "| **{}** |", row.name.trim())?,
            _ => write!(page, "| {} |", row.name.trim())?,
        }
        for column in 0..table.columns.len() {
            let median = table.format_median(row, column);
            let ratio = table.ratio(row, column);
            match (median, ratio.filter(|_| row.role != Role::Subject)) {
                (Some(median), Some(ratio)) if table.is_timed() => {
                    write!(page, " {median} ({ratio}) |")?;
                }
                (Some(median), Some(ratio)) => write!(page, " {median} ({:.2}x) |", ratio.median)?,
                (Some(median), None) => write!(page, " **{median}** |")?,
                (None, _) => write!(page, " - |")?,
            }
        }
        writeln!(page)?;
    }
    Ok(())
}
