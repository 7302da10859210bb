//! Short words for what a page consists of.

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, Window};

pub(crate) fn window() -> Window {
    web_sys::window().expect("this runs in a page")
}

pub(crate) fn document() -> Document {
    window().document().expect("a page is a document")
}

/// Returns the milliseconds since the page was opened.
pub(crate) fn now() -> f64 {
    window().performance().expect("a page has a clock").now()
}

/// Returns the element of the page with this id.
#[track_caller]
pub(crate) fn by_id<T: JsCast>(id: &str) -> T {
    let element = document().get_element_by_id(id);
    match element.map(JsCast::dyn_into) {
        Some(Ok(element)) => element,
        _ => panic!("the page has no such element with the id {id}"),
    }
}

/// Returns a new element, the last one in `parent`.
pub(crate) fn append(parent: &Element, tag: &str, class: &str) -> HtmlElement {
    let element = document().create_element(tag).expect("it is a tag");
    element.set_class_name(class);
    parent.append_child(&element).expect("it has no parent yet");
    element.unchecked_into()
}

pub(crate) fn set_style(element: &HtmlElement, property: &str, value: &str) {
    element
        .style()
        .set_property(property, value)
        .expect("it is a property");
}

pub(crate) fn set_attribute(element: &Element, name: &str, value: &str) {
    element.set_attribute(name, value).expect("it is a name");
}

/// Calls `handler` on each such event, for as long as there is the page.
pub(crate) fn on(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler).into_js_value();
    let handler: &Function = handler.unchecked_ref();
    target
        .add_event_listener_with_callback(event, handler)
        .expect("it can be listened to");
}

/// Returns whether a media query holds now.
pub(crate) fn media(query: &str) -> bool {
    let list = window().match_media(query).expect("it is a query");
    list.is_some_and(|list| list.matches())
}

/// Returns whether there is room for one column only: a phone, say.
pub(crate) fn is_narrow() -> bool {
    media("(max-width: 60rem)")
}

/// Returns whether whoever looks has asked for less motion.
pub(crate) fn is_calm() -> bool {
    media("(prefers-reduced-motion: reduce)")
}
