//! One picture of all that was timed: how far ahead of the fastest peer, in each table at each size. SVG that follows
//! the reader's colours.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use crate::machine;
use crate::table::Table;

const WIDTH: f64 = 760.0;
const ROW: f64 = 19.0;
/// Where the axis begins, with the titles before it.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 58.0;
const BOTTOM: f64 = 46.0;
/// The ends of the axis, which is logarithmic. What is beyond is drawn at the end.
const FROM: f64 = 0.25;
const TO: f64 = 16.0;
const TICKS: [(f64, &str); 7] = [
    (0.25, "¼x"),
    (0.5, "½x"),
    (1.0, "1x"),
    (2.0, "2x"),
    (4.0, "4x"),
    (8.0, "8x"),
    (16.0, "16x"),
];

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px } .small { fill: #59636e }
.grid { stroke: #d1d9e0 } .even { stroke: #59636e; stroke-width: 1.5 } .span { stroke: #d1d9e0; stroke-width: 3 }
.ahead { fill: #0969da } .behind { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .grid, .span { stroke: #3d444d } .even { stroke: #9198a1 }
.ahead { fill: #4493f8 } .behind { fill: #f0883e }
}";

/// How far ahead the subject is in one column of a table.
struct Point {
    size: String,
    peer: String,
    ratio: f64,
}

/// Draws the picture of the tables that have peers.
///
/// # Panics
/// If the file cannot be written.
pub(crate) fn write(path: &Path, tables: &[Table]) {
    let rows = tables.iter().filter(|table| table.is_timed());
    let rows = rows.map(|table| (table.title.as_str(), points(table)));
    let rows: Vec<_> = rows.filter(|(_, points)| !points.is_empty()).collect();
    let picture = picture(&rows).expect("a string can be written to");
    fs::write(path, picture).expect("the plot can be written");
    println!("\nwritten: {}", path.display());
}

fn points(table: &Table) -> Vec<Point> {
    let columns = 0..table.columns.len();
    let points = columns.filter_map(|column| {
        let (peer, ratio) = table.closest("", column)?;
        Some(Point {
            size: table.column_name(column),
            peer: peer.name.trim().to_owned(),
            ratio: ratio.median,
        })
    });
    points.collect()
}

/// Returns where a ratio is on the axis.
fn across(ratio: f64) -> f64 {
    let part = (ratio.clamp(FROM, TO) / FROM).ln() / (TO / FROM).ln();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

fn picture(rows: &[(&str, Vec<Point>)]) -> Result<String, fmt::Error> {
    let height = TOP + ROW * rows.len() as f64 + BOTTOM;
    let mut svg = String::new();
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\">\n<title>abreast against the fastest peer of each workload</title>\n<style>{STYLE}</style>"
    )?;
    text(
        &mut svg,
        (8.0, 20.0),
        "start",
        "title",
        "Times as fast as the fastest peer",
    )?;
    let legend = "a dot for each size of the window or set, larger for more tasks; to the right of 1x, abreast is faster";
    text(&mut svg, (8.0, 38.0), "start", "small", legend)?;

    // The axis, with its ticks above and below.
    let end = height - BOTTOM;
    for (ratio, label) in TICKS {
        let x = across(ratio);
        let class = if ratio == 1.0 { "even" } else { "grid" };
        writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{end}\"/>"
        )?;
        text(&mut svg, (x, TOP - 5.0), "middle", "small", label)?;
        text(&mut svg, (x, end + 15.0), "middle", "small", label)?;
    }

    // A row for each table: a line from its worst size to its best, and the sizes on it.
    for (index, (title, points)) in rows.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        text(&mut svg, (LEFT - 10.0, y + 4.0), "end", "", title)?;
        let (worst, best) = ends(points);
        writeln!(
            svg,
            "<line class=\"span\" x1=\"{:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\"/>",
            across(worst),
            across(best)
        )?;
        for (position, Point { size, peer, ratio }) in points.iter().enumerate() {
            let radius = 2.5 + 3.0 * (position + 1) as f64 / points.len() as f64;
            let class = if *ratio >= 1.0 { "ahead" } else { "behind" };
            writeln!(
                svg,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y}\" r=\"{radius:.1}\"><title>{size}: {ratio:.2}x {peer}</title></circle>",
                across(*ratio)
            )?;
        }
    }

    text(
        &mut svg,
        (8.0, height - 10.0),
        "start",
        "small",
        &machine::in_short(),
    )?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Returns the smallest ratio and the largest.
fn ends(points: &[Point]) -> (f64, f64) {
    let ratios = points.iter().map(|point| point.ratio);
    ratios.fold((f64::INFINITY, 0.0), |(worst, best), ratio| {
        (ratio.min(worst), ratio.max(best))
    })
}

fn text(
    svg: &mut String,
    (x, y): (f64, f64),
    anchor: &str,
    class: &str,
    text: &str,
) -> fmt::Result {
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
    )
}
