//! Plots of cost against size, as SVG.

use std::error::Error;

use harness::Role;
use plotters::prelude::*;

use crate::report::repository;
use crate::table::{Row, Table};

type Drawn = Result<(), Box<dyn Error>>;

/// The tables that are drawn, by what their titles begin with, and to which file: side by side.
const PLOTS: [(&str, &str, &str); 5] = [
    (
        "parallel W",
        "docs/bench-windows.svg",
        "Cost of a window against K",
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
const PANEL: (u32, u32) = (520, 380);

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
    let across = tables.len().min(2);
    let down = tables.len().div_ceil(across);
    let size = (PANEL.0 * across as u32, PANEL.1 * down as u32);
    let path = repository(file);
    let area = SVGBackend::new(&path, size).into_drawing_area();
    // Not transparent: pages may be dark.
    area.fill(&WHITE)?;
    for (panel, table) in area.split_evenly((down, across)).iter().zip(tables) {
        draw_panel(panel, table)?;
    }
    area.present()?;
    Ok(())
}

/// Returns the points of a row, without the columns that it was left out of.
fn points(table: &Table, row: &Row) -> Vec<(f64, f64)> {
    let columns = table.columns.iter().enumerate();
    columns
        .filter_map(|(column, &size)| Some((size as f64, table.median(row, column)?)))
        .collect()
}

fn draw_panel(panel: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, table: &Table) -> Drawn {
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
        .margin_right(24)
        .x_label_area_size(34)
        .y_label_area_size(48)
        .build_cartesian_2d(
            (first..last).log_scale(),
            // Room above for the legend.
            (lowest * 0.8..highest * 15.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(&table.axis)
        .y_desc(&table.measure)
        .x_label_formatter(&|size| format!("{size}"))
        .y_label_formatter(&|cost| format!("{cost}"))
        .draw()?;

    let rows = lines.len();
    for (index, (row, points)) in lines.into_iter().enumerate() {
        let style = match row.role {
            Role::Subject => BLACK.stroke_width(3),
            Role::Floor => RGBColor(150, 150, 150).stroke_width(2),
            // Colours apart from each other, all of them dark enough for the white ground.
            Role::Peer | Role::Variant => {
                HSLColor(index as f64 / rows as f64, 0.8, 0.4).stroke_width(1)
            }
        };
        chart
            .draw_series(LineSeries::new(points, style).point_size(2))?
            .label(&row.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 10))
        .background_style(WHITE.mix(0.8))
        .legend_area_size(18)
        .draw()?;
    Ok(())
}
