//! The form, the buttons and the address. What runs, and how it is shown, is up to the mode that is chosen.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, LocalBoxFuture, select};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlButtonElement, HtmlFormElement, HtmlInputElement, KeyboardEvent};

use crate::axis::Seconds;
use crate::dom::{by_id, document, is_calm, is_narrow, now, on, set_attribute, window};
use crate::link::{self, Link};
use crate::timer::{next_frame, sleep};
use crate::{compare, verb};

/// A run that has been made ready.
pub(crate) struct Run {
    /// Resolves to a sentence that says how it ended.
    pub(crate) future: LocalBoxFuture<'static, String>,
    pub(crate) view: Box<dyn View>,
}

/// Shows a run.
pub(crate) trait View {
    /// Shows it as it is now.
    fn update(&mut self);
    /// Shows it as it is when it has ended or was dropped.
    fn finish(&mut self);
}

/// What the page can show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Compare,
    Verb,
}

impl Mode {
    fn chosen() -> Self {
        match &*link::chosen(&by_id("plan"), "mode") {
            "verb" => Self::Verb,
            _ => Self::Compare,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compare => "compare",
            Self::Verb => "verb",
        }
    }

    fn preset(self) -> Vec<(&'static str, u32)> {
        match self {
            Self::Compare => compare::preset(),
            Self::Verb => verb::PRESET.to_vec(),
        }
    }

    fn preview(self) {
        match self {
            Self::Compare => compare::preview(),
            Self::Verb => verb::preview(),
        }
    }

    /// Takes over what can be set while a run is under way.
    fn change(self) {
        match self {
            Self::Compare => {}
            Self::Verb => verb::change(),
        }
    }

    fn start(self) -> Run {
        match self {
            Self::Compare => compare::start(),
            Self::Verb => verb::start(),
        }
    }
}

/// The run that is under way, if there is one.
#[derive(Default)]
struct Current {
    cancel: RefCell<Option<oneshot::Sender<()>>>,
    /// Counts what was shown: a run that finds another number when it ends is no longer there to be seen.
    number: Cell<u32>,
}

impl Current {
    fn is_running(&self) -> bool {
        self.cancel.borrow().is_some()
    }

    /// Ends the run at once, and says so.
    fn cancel(&self) {
        if let Some(cancel) = self.cancel.take() {
            // If nobody hears it, the run has just ended.
            let _ = cancel.send(());
        }
    }

    /// Ends the run without a word, as something else is about to be shown.
    fn replace(&self) -> u32 {
        self.number.set(self.number.get() + 1);
        if self.is_running() {
            self.cancel();
            release_buttons();
        }
        self.number.get()
    }
}

pub(crate) fn open() {
    let current = Rc::new(Current::default());
    let form: HtmlFormElement = by_id("plan");
    if is_narrow() {
        by_id::<Element>("more")
            .remove_attribute("open")
            .expect("it is an attribute");
    }
    compare::list_lanes();

    on(&form, "input", {
        let current = current.clone();
        move |event| {
            let changed = event.target().expect("an event of an input has one");
            input(&changed.unchecked_into(), &current);
        }
    });
    on(&form, "submit", {
        let current = current.clone();
        move |event| {
            event.prevent_default();
            if !current.is_running() {
                start(&current);
                show_run();
            }
        }
    });
    on(&by_id::<Element>("cancel"), "click", {
        let current = current.clone();
        move |_| current.cancel()
    });
    on(&by_id::<Element>("stop"), "click", |_| verb::stop());
    on(&by_id::<Element>("share"), "click", |_| share());
    on(&document(), "keydown", {
        let current = current.clone();
        move |event| {
            let event: KeyboardEvent = event.unchecked_into();
            if event.key() == "Escape" {
                current.cancel();
            }
        }
    });
    on(&window(), "hashchange", {
        let current = current.clone();
        move |_| follow(&current)
    });

    by_id::<HtmlButtonElement>("run").set_disabled(false);
    follow(&current);
}

/// Takes over what the address says. A link to a run starts it, unless motion is unwelcome: all is outlined anyway.
fn follow(current: &Rc<Current>) {
    current.replace();
    let form: HtmlFormElement = by_id("plan");
    let fragment = window().location().hash().unwrap_or_default();
    let link = Link::new(&fragment);
    link.choose(&form);
    fill_in(&form);
    link.set(&form);
    preview();
    if link.is_complete() && !is_calm() {
        start(current);
    }
}

/// Sets what the choice of a mode or a scenario brings with it.
fn fill_in(form: &HtmlFormElement) {
    let mode = Mode::chosen();
    if let Some(body) = document().body() {
        set_attribute(&body, "data-mode", mode.name());
    }
    let preset = mode.preset();
    for input in link::inputs(form) {
        if let Some((_, value)) = preset.iter().find(|(name, _)| *name == input.name()) {
            input.set_value(&value.to_string());
        }
    }
    if mode == Mode::Compare {
        compare::choose_lanes();
    }
}

fn input(changed: &HtmlInputElement, current: &Current) {
    if ["mode", "scenario"].contains(&&*changed.name()) {
        current.replace();
        fill_in(&by_id("plan"));
    }
    if current.is_running() {
        Mode::chosen().change();
    } else {
        preview();
        show_link();
    }
}

/// Shows what the form says, and what is going to become of it.
fn preview() {
    Mode::chosen().preview();
    set_phase(
        "ready",
        "Ready. What is outlined is what a virtual clock says.",
    );
}

/// Makes the address say what the form says, without leaving a trail in the history.
fn show_link() -> String {
    let fragment = format!("#{}", link::of(&by_id("plan")));
    let history = window().history().expect("a page has a history");
    // A page within another may not be allowed to; then its address stays as it is.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&fragment));
    window().location().href().unwrap_or(fragment)
}

/// Copies the link, or says where it is.
fn share() {
    let address = show_link();
    let status: Element = by_id("shared");
    status.set_text_content(None);
    spawn_local(async move {
        let copied = window().navigator().clipboard().write_text(&address);
        status.set_text_content(Some(match JsFuture::from(copied).await {
            Ok(_) => "Copied: the link runs the same plan.",
            Err(_) => "The address of the page is the link.",
        }));
    });
}

fn start(current: &Rc<Current>) {
    let number = current.replace();
    let Run { future, mut view } = Mode::chosen().start();
    let (sender, cancelled) = oneshot::channel();
    *current.cancel.borrow_mut() = Some(sender);

    by_id::<HtmlButtonElement>("run").set_disabled(true);
    by_id::<HtmlButtonElement>("cancel").set_disabled(false);
    by_id::<HtmlButtonElement>("stop").set_disabled(false);
    set_phase("running", "Running…");

    let (began, current) = (now(), current.clone());
    spawn_local(async move {
        let ended = select(future, cancelled);
        let outcome = match select(ended, pin!(animate(&mut *view))).await {
            Either::Left((Either::Left((sentence, _)), _)) => Ok(sentence),
            Either::Left((Either::Right((_, future)), _)) => {
                drop(future);
                Err("Cancelled: the future was dropped, and its tasks with it")
            }
            Either::Right((never, _)) => match never {},
        };
        let elapsed = Duration::from_secs_f64((now() - began) / 1000.0);
        if current.number.get() != number {
            return;
        }
        current.cancel.take();
        view.finish();
        match outcome {
            Ok(sentence) => set_phase("done", &sentence),
            Err(sentence) => {
                set_phase(
                    "cancelled",
                    &format!("{sentence}, after {}.", Seconds(elapsed)),
                );
            }
        }
        release_buttons();
    });
}

/// Makes ready for another run.
fn release_buttons() {
    let [run, cancel, stop] = ["run", "cancel", "stop"].map(by_id::<HtmlButtonElement>);
    run.set_disabled(false);
    // A button that is disabled loses the focus, so it goes to where it was.
    let focused = document().active_element();
    if focused.is_some_and(|focused| focused == **cancel || focused == **stop) {
        // There is nothing to be done if it cannot have it.
        let _ = run.focus();
    }
    cancel.set_disabled(true);
    stop.set_disabled(true);
}

/// Shows the run anew for each frame of the screen, or now and then if motion is unwelcome.
async fn animate(view: &mut dyn View) -> Infallible {
    loop {
        if is_calm() {
            sleep(Duration::from_millis(500)).await;
        } else {
            next_frame().await;
        }
        view.update();
    }
}

/// Scrolls to what runs on a small screen, where it is below the form.
fn show_run() {
    if is_narrow() {
        let part: Element = by_id("run-shown");
        part.scroll_into_view();
    }
}

/// Tells readers of the screen, and tests.
fn set_phase(phase: &str, status: &str) {
    by_id::<Element>("status").set_text_content(Some(status));
    if let Some(body) = document().body() {
        set_attribute(&body, "data-phase", phase);
    }
}
