//! Shows a board: bars on a time axis, figures, and how many tasks are running.

use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use web_sys::{Element, HtmlElement, HtmlProgressElement};

use super::board::{Board, State};
use super::plan::Plan;
use super::run::forecast;
use crate::axis::{self, Seconds};
use crate::dom::{append, by_id, is_narrow, set_attribute, set_style};
use crate::page::View;

struct Row {
    row: HtmlElement,
    /// What the forecast says.
    ghost: HtmlElement,
    bar: HtmlElement,
    note: HtmlElement,
}

pub(crate) struct Chart {
    board: Rc<Board>,
    rows: Vec<Row>,
    /// The milliseconds from one end of the axis to the other.
    scale: f64,
    forecast: (Rc<Board>, Duration),
    limit: usize,
}

impl Chart {
    /// Creates an empty chart in place of what is there.
    pub(crate) fn new(board: Rc<Board>, plan: &Plan) -> Self {
        let list: HtmlElement = by_id("rows");
        list.set_inner_html("");
        list.set_class_name(if plan.workload.tasks > 30 {
            "dense"
        } else {
            ""
        });
        let rows = (0..plan.workload.tasks).map(|index| {
            let row = append(&list, "li", "");
            append(&row, "span", "name").set_text_content(Some(&plan.name(index)));
            let track = append(&row, "span", "track");
            let ghost = append(&track, "span", "ghost");
            let bar = append(&track, "span", "bar");
            let note = append(&bar, "span", "note");
            Row {
                row,
                ghost,
                bar,
                note,
            }
        });
        let limit = plan
            .verb
            .limit()
            .map_or(plan.workload.tasks, |_| plan.limit);
        let forecast = forecast(plan);
        let end = forecast.1.as_secs_f64() * 1000.0;
        let mut chart = Self {
            board,
            rows: rows.collect(),
            scale: 0.0,
            forecast,
            limit,
        };
        by_id::<Element>("limit").set_text_content(Some(&match plan.verb.limit() {
            Some(_) => format!("of {limit}"),
            None => String::new(),
        }));
        by_id::<HtmlProgressElement>("progress").set_max(plan.workload.tasks as f64);
        chart.rescale(end * 1.08);
        chart.draw(0.0);
        chart
    }
}

impl View for Chart {
    /// Shows the board as it is now.
    fn update(&mut self) {
        let now = self.board.now();
        if now > self.scale {
            self.rescale(now * 1.25);
        }
        self.draw(now);
        let line: HtmlElement = by_id("now");
        set_style(&line, "left", &self.position(now));
        line.set_hidden(false);
    }

    /// Shows the board as it is at the end: what waits will never start.
    fn finish(&mut self) {
        self.board.close();
        self.update();
        by_id::<HtmlElement>("now").set_hidden(true);
    }
}

impl Chart {
    fn draw(&self, now: f64) {
        for index in self.board.take_changed() {
            self.show(index, now);
        }
        for index in 0..self.rows.len() {
            if self.board.entry(index).state == State::Running {
                self.stretch(index, now);
            }
        }
        self.show_figures(now);
        self.show_load(now);
    }

    /// Returns where a moment is between the left and the right of the plot.
    fn position(&self, millis: f64) -> String {
        let share = (millis / self.scale).min(1.0);
        format!("calc(var(--label) + (100% - var(--label)) * {share:.5})")
    }

    fn percent(&self, millis: f64) -> String {
        axis::percent(millis, self.scale)
    }

    fn rescale(&mut self, millis: f64) {
        self.scale = millis.max(50.0);
        let most = if is_narrow() { 4.0 } else { 9.0 };
        axis::label(&by_id("axis"), self.scale, axis::step(self.scale, most));
        let forecast: HtmlElement = by_id("forecast");
        let (board, end) = &self.forecast;
        set_style(
            &forecast,
            "left",
            &self.position(end.as_secs_f64() * 1000.0),
        );
        let text = format!("virtual clock: {}", Seconds(*end));
        if let Some(label) = forecast.first_element_child() {
            label.set_text_content(Some(&text));
        }
        forecast.set_hidden(false);
        for (index, row) in self.rows.iter().enumerate() {
            let entry = board.entry(index);
            set_style(&row.ghost, "left", &self.percent(entry.started));
            set_style(
                &row.ghost,
                "width",
                &self.percent(entry.ended - entry.started),
            );
            self.stretch(index, self.board.now());
        }
    }

    fn stretch(&self, index: usize, now: f64) {
        let (row, entry) = (&self.rows[index], self.board.entry(index));
        let end = if entry.state == State::Running {
            now
        } else {
            entry.ended
        };
        set_style(&row.bar, "left", &self.percent(entry.started));
        set_style(
            &row.bar,
            "width",
            &self.percent((end - entry.started).max(0.0)),
        );
        set_attribute(
            &row.row,
            "class",
            if end > self.scale * 0.9 { "late" } else { "" },
        );
    }

    fn show(&self, index: usize, now: f64) {
        let (row, entry) = (&self.rows[index], self.board.entry(index));
        let state = entry.state.name();
        set_attribute(&row.row, "data-state", state);
        let took = entry.ended - entry.started;
        let (note, label) = match entry.state {
            State::Waiting | State::Running | State::Unstarted => {
                (String::new(), format!("Task {index}: {state}"))
            }
            _ => {
                let mark = match entry.state {
                    State::Failed => "✕ ",
                    State::Winner => "★ ",
                    State::Dropped => "dropped after ",
                    _ => "",
                };
                (
                    format!("{mark}{took:.0} ms"),
                    format!("Task {index}: {state} after {took:.0} ms"),
                )
            }
        };
        row.note.set_text_content(Some(&note));
        set_attribute(&row.row, "aria-label", &label);
        self.stretch(index, now);
    }

    fn show_figures(&self, now: f64) {
        let board = &self.board;
        let figures = [
            ("active", board.active()),
            ("waiting", board.waiting()),
            ("succeeded", board.count(&[State::Succeeded, State::Winner])),
            ("failed", board.count(&[State::Failed])),
            ("dropped", board.count(&[State::Dropped])),
        ];
        for (id, figure) in figures {
            by_id::<Element>(id).set_text_content(Some(&figure.to_string()));
        }
        by_id::<Element>("elapsed").set_text_content(Some(&format!("{:.2}", now / 1000.0)));
        let (completed, total) = (board.completed(), self.rows.len());
        by_id::<HtmlProgressElement>("progress").set_value(completed as f64);
        by_id::<Element>("progress-text").set_text_content(Some(&format!("{completed}/{total}")));
    }

    fn show_load(&self, now: f64) {
        let mut path = String::from("M0 100");
        let mut level = 0.0;
        for (at, running) in self.board.load() {
            let x = at / self.scale * 1000.0;
            let to = 100.0 - running as f64 / self.limit.max(1) as f64 * 90.0;
            let from = if path.len() == 6 { 100.0 } else { level };
            write!(path, " L{x:.1} {from:.1} L{x:.1} {to:.1}").expect("a string can be written to");
            level = to;
        }
        let end = now.min(self.scale) / self.scale * 1000.0;
        write!(path, " L{end:.1} {level:.1} L{end:.1} 100 Z").expect("a string can be written to");
        set_attribute(&by_id::<Element>("load-area"), "d", &path);
    }
}
