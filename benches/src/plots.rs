//! Plots of cost against size, as SVG: a panel for each table, and one legend for all of a file.

use std::error::Error;

use harness::Role;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::repository;
use crate::table::{Row, Table, grouped};

type Drawn = Result<(), Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The tables that are drawn, by what their titles begin with, and to which file: side by side.
const PLOTS: [(&str, &str, &str); 6] = [
    (
        "parallel W",
        "docs/bench-windows.svg",
        "Cost of a window against K",
    ),
    (
        "parallel huge",
        "docs/bench-huge.svg",
        "Cost of a huge window against K",
    ),
    (
        "parallel against N",
        "docs/bench-tasks.svg",
        "Cost of a window against N",
    ),
    (
        "stream unordered",
        "docs/bench-streams.svg",
        "Cost of a stream against K",
    ),
    ("race", "docs/bench-races.svg", "Cost of a race against N"),
    ("gather", "docs/bench-gather.svg", "Cost of a set against N"),
];

/// The size of one panel.
const PANEL: (u32, u32) = (520, 330);
/// The size of an entry of the legend.
const ENTRY: (u32, u32) = (260, 20);
const MARGIN: u32 = 12;

/// Apart from each other for those who see few colours, too, and dark enough for the white ground.
const COLOURS: [RGBColor; 9] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(122, 60, 140),
    RGBColor(140, 86, 75),
    RGBColor(150, 20, 40),
];
const GREYS: [RGBColor; 2] = [RGBColor(165, 165, 165), RGBColor(105, 105, 105)];

/// How the lines of a contender are drawn, in all panels of a file.
struct Entry<'a> {
    name: &'a str,
    role: Role,
    style: ShapeStyle,
}

/// Draws all plots that there are tables for. Returns their titles and files.
///
/// # Panics
/// If one cannot be written.
pub(crate) fn write(tables: &[Table]) -> Vec<(&'static str, &'static str)> {
    let mut written = Vec::new();
    for (titles, file, title) in PLOTS {
        let is_meant = |table: &&Table| table.title.starts_with(titles) && table.columns.len() > 3;
        let panels: Vec<&Table> = tables.iter().filter(is_meant).collect();
        if !panels.is_empty() {
            draw(file, &panels).expect("the plot can be drawn");
            written.push((title, file));
        }
    }
    written
}

fn draw(file: &str, tables: &[&Table]) -> Drawn {
    let legend = legend(tables);
    let across = tables.len().min(2);
    let down = tables.len().div_ceil(across);
    let width = PANEL.0 * across as u32;
    let lines = legend.len().div_ceil((width / ENTRY.0) as usize) as u32;
    let above = 2 * MARGIN + lines * ENTRY.1;

    let path = repository(file);
    let area = SVGBackend::new(&path, (width, above + PANEL.1 * down as u32)).into_drawing_area();
    // Not transparent: pages may be dark.
    area.fill(&WHITE)?;
    let (top, panels) = area.split_vertically(above);
    draw_legend(&top, &legend, width)?;
    for (panel, table) in panels.split_evenly((down, across)).iter().zip(tables) {
        draw_panel(panel, table, &legend)?;
    }
    area.present()?;
    Ok(())
}

/// Returns the contenders of all tables.
fn legend<'a>(tables: &[&'a Table]) -> Vec<Entry<'a>> {
    let mut legend: Vec<Entry<'a>> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if legend.iter().any(|entry| entry.name == row.name) {
            continue;
        }
        let is_floor = row.role == Role::Floor;
        let alike = |entry: &&Entry<'_>| (entry.role == Role::Floor) == is_floor;
        let before = legend.iter().filter(alike).count();
        let style = match row.role {
            Role::Subject => BLACK.stroke_width(3),
            Role::Floor => GREYS[before % GREYS.len()].stroke_width(2),
            Role::Peer | Role::Variant => COLOURS[before % COLOURS.len()].stroke_width(1),
        };
        legend.push(Entry {
            name: &row.name,
            role: row.role,
            style,
        });
    }
    legend
}

fn draw_legend(area: &Area<'_>, legend: &[Entry<'_>], width: u32) -> Drawn {
    let across = (width / ENTRY.0) as usize;
    for (index, entry) in legend.iter().enumerate() {
        let x = (2 * MARGIN + ENTRY.0 * (index % across) as u32) as i32;
        let y = (MARGIN + ENTRY.1 * (index / across) as u32) as i32;
        let middle = y + ENTRY.1 as i32 / 2;
        area.draw(&PathElement::new(
            [(x, middle), (x + 20, middle)],
            entry.style,
        ))?;
        let font = ("sans-serif", 12);
        area.draw(&Text::new(
            entry.name.to_owned(),
            (x + 26, middle - 6),
            font,
        ))?;
    }
    Ok(())
}

/// Returns the points of a row, without the columns that it was left out of.
fn points(table: &Table, row: &Row) -> Vec<(f64, f64)> {
    let columns = table.columns.iter().enumerate();
    columns
        .filter_map(|(column, &size)| Some((size as f64, table.median(row, column)?)))
        .collect()
}

fn draw_panel(panel: &Area<'_>, table: &Table, legend: &[Entry<'_>]) -> Drawn {
    let lines: Vec<(&Row, Vec<(f64, f64)>)> = table
        .rows
        .iter()
        .map(|row| (row, points(table, row)))
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points);
    let lowest = all().map(|&(_, y)| y).fold(f64::INFINITY, f64::min);
    let highest = all().map(|&(_, y)| y).fold(0.0, f64::max);
    let (first, last) = (
        table.columns[0] as f64,
        *table.columns.last().unwrap_or(&1) as f64,
    );

    // Both axes are logarithmic: sizes are, and ratios are what is of interest.
    let mut chart = ChartBuilder::on(panel)
        .caption(&table.title, ("sans-serif", 15))
        .margin(8)
        .margin_right(36)
        .x_label_area_size(34)
        .y_label_area_size(54)
        .build_cartesian_2d(
            (first..last).log_scale(),
            (lowest * 0.8..highest * 1.25).log_scale(),
        )?;
    let label = |number: &f64| {
        if *number < 1.0 {
            number.to_string()
        } else {
            grouped(number.round() as usize)
        }
    };
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(&table.axis)
        .y_desc(&table.measure)
        .y_labels(6)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()?;

    // What matters is drawn last, over the others.
    for (row, points) in lines.into_iter().rev() {
        let entry = legend.iter().find(|entry| entry.name == row.name);
        let style = entry.expect("the legend has every contender").style;
        chart.draw_series(LineSeries::new(points, style).point_size(2))?;
    }
    Ok(())
}
