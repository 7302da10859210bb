//! Shows the lanes: bars in slots, one time axis for all, and the figures of each.

use std::rc::Rc;

use web_sys::{Element, HtmlElement};

use super::figures::Figures;
use super::lanes::Lane;
use super::plan::Plan;
use super::record::{Part, Place, Record, Span};
use super::run::forecast;
use crate::axis;
use crate::dom::{append, by_id, is_narrow, set_attribute, set_style};
use crate::page::View;

/// A lane of the chart.
struct Row {
    lane: &'static Lane,
    record: Rc<Record>,
    forecast: Rc<Record>,
    element: HtmlElement,
    /// The slots from the top, as many as have been needed.
    slots: Vec<HtmlElement>,
    /// The body of the loop.
    body: HtmlElement,
    end: HtmlElement,
    now: HtmlElement,
    bars: Vec<Bar>,
    /// Whether nothing is going to change any more, unless the scale does.
    is_settled: bool,
}

/// A span on the screen.
struct Bar {
    element: HtmlElement,
    /// What is shown of it: it is left alone until that changes.
    shown: (String, String, &'static str),
}

pub(super) struct Chart {
    plan: Plan,
    rows: Vec<Row>,
    /// The milliseconds from one end of the axis to the other.
    scale: f64,
}

impl Chart {
    /// Creates a chart in place of what is there. `record` makes the record of a lane.
    pub(super) fn new(plan: &Plan, mut record: impl FnMut(&Lane) -> Rc<Record>) -> Self {
        let list: HtmlElement = by_id("lanes");
        list.set_inner_html("");
        let rows = plan.lanes.iter().map(|lane| {
            let forecast = forecast(plan, lane);
            let used = forecast.slots();
            let slots = if lane.is_bounded {
                plan.limit.min(plan.workload.tasks)
            } else {
                used
            };
            Row::new(&list, lane, record(lane), forecast, slots.max(used))
        });
        let rows: Vec<_> = rows.collect();
        let ends = rows.iter().filter_map(|row| row.forecast.end());
        let end = ends.fold(0.0, f64::max);
        let mut chart = Self {
            plan: plan.clone(),
            rows,
            scale: 0.0,
        };
        chart.rescale(end * 1.05);
        chart
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (&'static Lane, Rc<Record>)> {
        self.rows.iter().map(|row| (row.lane, row.record.clone()))
    }

    /// Shows what is going to happen, in lieu of what has happened.
    pub(super) fn show_forecast(&mut self) {
        for row in &mut self.rows {
            row.show_figures(&row.forecast.clone(), &self.plan);
        }
    }

    fn rescale(&mut self, millis: f64) {
        self.scale = millis.max(50.0);
        let most = if is_narrow() { 5.0 } else { 10.0 };
        let step = axis::step(self.scale, most);
        axis::label(&by_id("lanes-axis"), self.scale, step);
        // The lines of the axis are part of the background of each lane.
        let list: HtmlElement = by_id("lanes");
        set_style(&list, "--step", &axis::percent(step, self.scale));
        for row in &mut self.rows {
            row.show_outlines(self.scale);
        }
    }
}

impl View for Chart {
    fn update(&mut self) {
        let now = |row: &Row| row.record.end().unwrap_or_else(|| row.record.now());
        let now = self.rows.iter().map(now).fold(0.0, f64::max);
        if now > self.scale {
            self.rescale(now * 1.2);
        }
        for row in &self.rows {
            set_style(&row.now, "left", &axis::percent(now, self.scale));
        }
        for row in &mut self.rows {
            row.draw(self.scale, &self.plan);
        }
    }

    fn finish(&mut self) {
        for row in &self.rows {
            // What has been cancelled has not ended by itself.
            if row.record.end().is_none() {
                row.record.finish();
            }
        }
        self.update();
    }
}

impl Row {
    fn new(
        list: &Element,
        lane: &'static Lane,
        record: Rc<Record>,
        forecast: Rc<Record>,
        slots: usize,
    ) -> Self {
        let element = append(list, "li", "lane");
        set_attribute(&element, "data-lane", lane.id);
        set_attribute(&element, "data-library", lane.library);

        let head = append(&element, "div", "head");
        let title = append(&head, "h2", "");
        append(&title, "span", "library").set_text_content(Some(lane.library));
        append(&title, "span", "title").set_text_content(Some(lane.title));
        append(&head, "span", "about").set_text_content(Some(lane.about));
        let figures = append(&element, "dl", "lane-figures");
        for (name, label) in [
            ("total", "Total"),
            ("idle", "Slots idle"),
            ("in-flight", "Most in flight"),
            ("polls", "Polls"),
        ] {
            let figure = append(&figures, "div", name);
            append(&figure, "dt", "").set_text_content(Some(label));
            append(&figure, "dd", "");
        }

        let code = append(&element, "details", "lane-code");
        // On a small screen, the bars of the next lane are worth more than this.
        if !is_narrow() {
            set_attribute(&code, "open", "");
        }
        append(&code, "summary", "").set_text_content(Some("Code"));
        let text = append(&code, "pre", "");
        set_attribute(&text, "tabindex", "0");
        set_attribute(&text, "aria-label", &format!("Code of {}", lane.title));
        append(&text, "code", "").set_text_content(Some(&lane.code()));

        let plot = append(&element, "div", "bars");
        set_attribute(&plot, "role", "img");
        let slots = (0..slots).map(|_| append(&plot, "div", "slot")).collect();
        let body = append(&plot, "div", "slot loop");
        // There is nothing in it when the tasks save.
        body.set_hidden(lane.saves_in_tasks);
        let end = append(&plot, "i", "end");
        let now = append(&plot, "i", "now");
        append(&element, "p", "summary");
        Self {
            lane,
            record,
            forecast,
            element,
            slots,
            body,
            end,
            now,
            bars: Vec::new(),
            is_settled: false,
        }
    }

    /// Shows what is going to happen, as if drawn with a pencil.
    fn show_outlines(&mut self, scale: f64) {
        let old = self.element.get_elements_by_class_name("outline");
        while let Some(outline) = old.item(0) {
            outline.remove();
        }
        let tasks = self.forecast.tasks();
        for span in self.forecast.spans() {
            let outline = self.bar("outline", &span);
            set_attribute(&outline, "data-state", tasks[span.task].state.name());
            set_style(&outline, "left", &axis::percent(span.start, scale));
            set_style(
                &outline,
                "width",
                &axis::percent(span.end - span.start, scale),
            );
        }
        let end = self.forecast.end().unwrap_or_default();
        set_style(&self.end, "left", &axis::percent(end, scale));
        self.is_settled = false;
    }

    fn draw(&mut self, scale: f64, plan: &Plan) {
        if self.is_settled {
            return;
        }
        let (record, now) = (self.record.clone(), self.record.now());
        record.note_stalls();
        while self.slots.len() < record.slots() {
            // One more than foreseen, since timers are not exact.
            let slot = append(&self.element, "div", "slot");
            self.body
                .before_with_node_1(&slot)
                .expect("it is in a plot");
            self.slots.push(slot);
        }
        let tasks = record.tasks();
        for (index, span) in record.spans().into_iter().enumerate() {
            if index == self.bars.len() {
                self.bars.push(Bar {
                    element: self.bar("bar", &span),
                    shown: (String::new(), String::new(), ""),
                });
            }
            let end = if span.is_open { now } else { span.end };
            let left = axis::percent(span.start, scale);
            let width = axis::percent((end - span.start).max(0.0), scale);
            let shown = (left, width, tasks[span.task].state.name());
            let bar = &mut self.bars[index];
            if bar.shown != shown {
                // Most of the time it is only its width that changes.
                if bar.shown.0 != shown.0 {
                    set_style(&bar.element, "left", &shown.0);
                }
                set_style(&bar.element, "width", &shown.1);
                if bar.shown.2 != shown.2 {
                    set_attribute(&bar.element, "data-state", shown.2);
                }
                bar.shown = shown;
            }
        }
        if let Some(end) = record.end() {
            self.is_settled = true;
            set_style(&self.end, "left", &axis::percent(end, scale));
            self.show_figures(&record, plan);
            set_attribute(&self.element, "data-ended", "");
        }
    }

    fn bar(&self, class: &str, span: &Span) -> HtmlElement {
        let bar = append(self.place(span.place), "span", class);
        set_attribute(&bar, "data-part", span.part.name());
        if span.is_first || span.part == Part::Saving {
            bar.set_text_content(Some(&span.task.to_string()));
        }
        bar
    }

    fn place(&self, place: Place) -> &Element {
        match place {
            Place::Slot(slot) => self.slots.get(slot).unwrap_or(&self.body),
            Place::Loop => &self.body,
        }
    }

    fn show_figures(&self, record: &Rc<Record>, plan: &Plan) {
        let figures = Figures::new(record, self.lane, plan);
        let find = |selector: &str| {
            let found = self.element.query_selector(selector);
            found.expect("it is a selector").expect("it is there")
        };
        for (name, figure) in figures.shown() {
            find(&format!(".{name} dd")).set_text_content(Some(&figure));
        }
        // What is still to come is said to be so.
        let planned = if Rc::ptr_eq(record, &self.forecast) {
            "Planned: "
        } else {
            ""
        };
        let summary = format!("{planned}{}", figures.summary);
        find(".summary").set_text_content(Some(&summary));
        let [total, ..] = figures.shown();
        let label = format!("{}, in {}. {summary}", self.lane.title, total.1);
        set_attribute(&find(".bars"), "aria-label", &label);
    }
}
