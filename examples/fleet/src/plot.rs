//! Plots of a few lines over a logarithmic axis, as SVG that follows the reader's colours.

use std::fmt::Write;

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    /// What is on the horizontal axis, which is logarithmic, with a tick at each of these.
    pub across: &'static str,
    pub ticks: Vec<f64>,
    pub scale: Scale,
    pub lines: Vec<Line>,
}

/// The vertical axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From 0 % to 100 %.
    Percent,
    /// Logarithmic, in seconds.
    Seconds,
    /// Logarithmic, without a unit.
    Rate,
}

/// A line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    pub label: String,
    pub points: Vec<(f64, f64)>,
    /// Whether it is something to compare with.
    pub is_dashed: bool,
}

impl Line {
    /// Creates a line without points.
    #[must_use]
    pub const fn new(label: String) -> Self {
        Self {
            label,
            points: Vec::new(),
            is_dashed: false,
        }
    }
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 42.0;
const COLOURS: [&str; 6] = [
    "#0969da", "#bf3989", "#1a7f37", "#bc4c00", "#8250df", "#6e7781",
];

/// Returns a picture of plots, two in a row.
#[must_use]
pub fn svg(plots: &[Plot]) -> String {
    let (width, height) = (WIDTH * 2.0, HEIGHT * plots.len().div_ceil(2) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <style>text {{ fill: #1f2328 }} .grid {{ stroke: #8c959f; stroke-opacity: 0.35 }} .title {{ font-weight: 600 }} \
         @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} }}</style>\n"
    );
    for (number, plot) in plots.iter().enumerate() {
        let (column, row) = ((number % 2) as f64, (number / 2) as f64);
        let (right, down) = (WIDTH * column, HEIGHT * row);
        _ = writeln!(svg, "<g transform=\"translate({right} {down})\">");
        plot.draw(&mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Plot {
    fn draw(&self, svg: &mut String) {
        let values = || self.lines.iter().flat_map(|line| &line.points);
        let (low, high) = match self.scale {
            Scale::Percent => (0.0, 1.0),
            Scale::Seconds | Scale::Rate => {
                let low = values().map(|point| point.1).fold(f64::INFINITY, f64::min);
                let high = values().map(|point| point.1).fold(0.0, f64::max);
                (low.log10().floor(), high.log10().ceil())
            }
        };
        let (first, last) = (
            self.ticks[0].log2(),
            self.ticks[self.ticks.len() - 1].log2(),
        );
        let x =
            |value: f64| LEFT + (value.log2() - first) / (last - first) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| {
            let value = match self.scale {
                Scale::Percent => value,
                Scale::Seconds | Scale::Rate => value.log10(),
            };
            HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        };

        // The axes, with a line across at each tick.
        _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{LEFT}\" y=\"18\">{}</text>",
            self.title
        );
        for tick in &self.ticks {
            let (x, bottom) = (x(*tick), HEIGHT - BOTTOM + 16.0);
            _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{bottom}\" text-anchor=\"middle\">{tick}</text>"
            );
        }
        let (middle, bottom) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0);
        let across = self.across;
        _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{bottom}\" text-anchor=\"middle\">{across}</text>"
        );
        let levels: Vec<f64> = match self.scale {
            Scale::Percent => vec![0.0, 0.25, 0.5, 0.75, 1.0],
            Scale::Seconds | Scale::Rate => (low as i32..=high as i32)
                .map(|power| 10_f64.powi(power))
                .collect(),
        };
        for level in levels {
            let y = y(level);
            let (end, before, below) = (WIDTH - RIGHT, LEFT - 6.0, y + 4.0);
            let label = match self.scale {
                Scale::Percent => format!("{:.0} %", level * 100.0),
                Scale::Seconds => format!("{level} s"),
                Scale::Rate => format!("{level}"),
            };
            _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{before}\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>"
            );
        }

        // The labels stand where their lines end, moved apart where they would cover each other.
        let mut ends: Vec<(f64, usize)> = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(number, line)| Some((y(line.points.last()?.1) + 4.0, number)))
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut above = f64::NEG_INFINITY;
        for (end, number) in ends {
            let line = &self.lines[number];
            let colour = COLOURS[number % COLOURS.len()];
            let dashes = if line.is_dashed {
                " stroke-dasharray=\"4 3\""
            } else {
                ""
            };
            let points: Vec<_> = line
                .points
                .iter()
                .map(|(across, up)| format!("{:.1},{:.1}", x(*across), y(*up)))
                .collect();
            let points = points.join(" ");
            let label = end.max(above + 13.0);
            above = label;
            let after = WIDTH - RIGHT + 6.0;
            _ = writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes} points=\"{points}\"/>\
                 <text x=\"{after}\" y=\"{label:.1}\" style=\"fill: {colour}\">{}</text>",
                line.label
            );
        }
    }
}
