//! Values that users attach to events.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use serde_json::{Map, Value};

/// Values by name that are attached to every event of an operation. Clones share one map, which never changes.
///
/// ```
/// use abreast::operation::EventContext;
///
/// let context = EventContext::from([("user_id", "user_123"), ("section", "search")]);
/// assert_eq!(context.get("user_id").unwrap(), "user_123");
/// assert_eq!(context.get("attempts"), None);
/// assert_eq!(context.iter().count(), 2);
/// assert!(!context.is_empty() && EventContext::new().is_empty());
/// ```
///
/// Values are those of JSON, nested ones too. A map of `serde_json` turns into a context:
///
/// ```
/// use abreast::operation::EventContext;
/// use serde_json::json;
///
/// let context: EventContext = [("user", json!({"id": 123, "roles": ["admin"]})), ("trial", json!(false))].into();
/// assert_eq!(context.get("user").unwrap()["roles"][0], "admin");
///
/// let serde_json::Value::Object(map) = json!({"user": {"id": 123}}) else { panic!() };
/// assert_eq!(EventContext::from(map).get("user").unwrap()["id"], 123);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct EventContext(Option<Arc<Map<String, Value>>>);

impl EventContext {
    /// Returns one without values, which is what operations have unless they are given another.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Returns the value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Returns all values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.0.iter().flat_map(|map| map.iter());
        entries.map(|(name, value)| (name.as_str(), value))
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl From<Map<String, Value>> for EventContext {
    fn from(map: Map<String, Value>) -> Self {
        Self(Some(Arc::new(map)))
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for EventContext {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Self {
        let values = values.into_iter();
        let map: Map<_, _> = values
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        map.into()
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for EventContext {
    fn from(values: [(K, V); N]) -> Self {
        values.into_iter().collect()
    }
}

impl fmt::Debug for EventContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
