//! The form as the fragment of an address: `#mode=compare&scenario=slow-head&tasks=16&..`, and back.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlFormElement, HtmlInputElement};

/// Returns what the form says, as far as the mode that is chosen has to do with it.
pub(crate) fn of(form: &HtmlFormElement) -> String {
    let mode = chosen(form, "mode");
    let mut pairs = Vec::new();
    for input in inputs(form) {
        let is_set = !is_switch(&input) || input.checked();
        if is_set && belongs_to(&input, &mode) {
            pairs.push(format!("{}={}", input.name(), input.value()));
        }
    }
    pairs.join("&")
}

/// A fragment, taken apart.
pub(crate) struct Link<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Link<'a> {
    pub(crate) fn new(fragment: &'a str) -> Self {
        let fragment = fragment.trim_start_matches('#');
        Self(
            fragment
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .collect(),
        )
    }

    /// Returns whether it says all that there is to a run, rather than which part of the page to show.
    pub(crate) fn is_complete(&self) -> bool {
        self.has_name("seed")
    }

    /// Sets what is chosen from a list, which other settings may depend on.
    pub(crate) fn choose(&self, form: &HtmlFormElement) {
        for input in inputs(form) {
            if input.type_() == "radio" && self.has(&input.name(), &input.value()) {
                input.set_checked(true);
            }
        }
    }

    /// Sets the rest. A number that is out of bounds is brought within them.
    pub(crate) fn set(&self, form: &HtmlFormElement) {
        let mode = chosen(form, "mode");
        for input in inputs(form).filter(|input| belongs_to(input, &mode)) {
            let name = input.name();
            if input.type_() == "checkbox" {
                if self.is_complete() {
                    input.set_checked(self.has(&name, &input.value()));
                }
            } else if input.type_() == "number" {
                let value = self.0.iter().find(|(other, _)| *other == name);
                if let Some(value) = value.and_then(|(_, value)| value.parse::<u32>().ok()) {
                    input.set_value(&value.to_string());
                    input.set_value(&number(&input).to_string());
                }
            }
        }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.0.contains(&(name, value))
    }

    fn has_name(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| *other == name)
    }
}

/// Returns the number in an input, within its bounds even while it is being typed.
pub(crate) fn number(input: &HtmlInputElement) -> u64 {
    let bound = |text: String| text.parse::<f64>().unwrap_or(0.0);
    let number = input.value_as_number();
    let number = if number.is_nan() { 0.0 } else { number };
    number.clamp(bound(input.min()), bound(input.max())) as u64
}

/// Returns the value of the radio button of this name that is chosen.
pub(crate) fn chosen(form: &HtmlFormElement, name: &str) -> String {
    inputs(form)
        .find(|input| input.type_() == "radio" && input.name() == name && input.checked())
        .map(|input| input.value())
        .unwrap_or_default()
}

pub(crate) fn inputs(form: &HtmlFormElement) -> impl Iterator<Item = HtmlInputElement> {
    let elements = form.elements();
    (0..elements.length())
        .filter_map(move |index| elements.item(index))
        .filter_map(|element| element.dyn_into::<HtmlInputElement>().ok())
}

fn is_switch(input: &HtmlInputElement) -> bool {
    ["radio", "checkbox"].contains(&&*input.type_())
}

/// Returns whether an input is there in this mode: those of one mode are in an element that says so.
fn belongs_to(input: &Element, mode: &str) -> bool {
    match input.closest("[data-only]") {
        Ok(Some(part)) => part.get_attribute("data-only").as_deref() == Some(mode),
        _ => true,
    }
}
