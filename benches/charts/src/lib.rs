//! Charts of lines, for the simulations.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// A line and its name.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called in the legend.
    pub name: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// What both axes of a chart are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Of even steps.
    Linear,
    /// Of powers of ten.
    Logarithmic,
}

/// Lines between two axes.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What stands above.
    pub caption: &'static str,
    /// What stands at the axes: below, and to the left.
    pub axes: [&'static str; 2],
    /// What the axes show.
    pub ranges: [Range<f64>; 2],
    /// Whether they are logarithmic.
    pub scale: Scale,
    /// The radius of the points; 0 for a line alone.
    pub point_size: u32,
    /// In the order of the legend.
    pub lines: Vec<Line>,
}

/// Draws charts, one below the other, each of this size.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(path: &Path, size: (u32, u32), charts: &[Chart]) -> Result<(), Box<dyn Error>> {
    let (width, height) = size;
    let area = SVGBackend::new(path, (width, height * charts.len() as u32)).into_drawing_area();
    // Not transparent: pages may be dark.
    area.fill(&WHITE)?;
    for (part, chart) in area.split_evenly((charts.len(), 1)).iter().zip(charts) {
        let [x, y] = chart.ranges.clone();
        match chart.scale {
            Scale::Linear => draw_lines(part, chart, x, y)?,
            Scale::Logarithmic => draw_lines(part, chart, x.log_scale(), y.log_scale())?,
        }
    }
    area.present()?;
    Ok(())
}

fn draw_lines<X, Y>(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    chart: &Chart,
    x: X,
    y: Y,
) -> Result<(), Box<dyn Error>>
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let mut context = ChartBuilder::on(area)
        .caption(chart.caption, ("sans-serif", 15))
        .margin(8)
        .margin_right(24)
        .x_label_area_size(34)
        .y_label_area_size(48)
        .build_cartesian_2d(x, y)?;
    let [x_axis, y_axis] = chart.axes;
    context
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(x_axis)
        .y_desc(y_axis)
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()?;
    // Each has a hue of its own.
    for (index, line) in chart.lines.iter().enumerate() {
        let hue = index as f64 / chart.lines.len() as f64;
        let style = HSLColor(hue, 0.8, 0.4).stroke_width(2);
        let series = LineSeries::new(line.points.iter().copied(), style);
        context
            .draw_series(series.point_size(chart.point_size))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], style));
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 10))
        .background_style(WHITE.mix(0.8))
        .legend_area_size(18)
        .draw()?;
    Ok(())
}
