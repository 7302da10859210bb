//! Options of the command line: `--name value`, in any order.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The options that were given and have not been asked for yet.
#[derive(Debug)]
pub struct Args(BTreeMap<String, String>);

impl Args {
    /// Reads options.
    ///
    /// # Errors
    /// If something is not an option, or has no value.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let mut options = BTreeMap::new();
        while let Some(arg) = args.next() {
            let name = arg
                .strip_prefix("--")
                .ok_or_else(|| format!("{arg} is not an option"))?;
            let value = args.next().ok_or_else(|| format!("{arg} has no value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    /// Takes an option that may be missing.
    ///
    /// # Errors
    /// If its value is malformed.
    pub fn find<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(format!("--{name} {value}: {error}")),
        }
    }

    /// Takes an option, or returns `default` if it is missing.
    ///
    /// # Errors
    /// If its value is malformed.
    pub fn get<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> Result<T, String> {
        Ok(self.find(name)?.unwrap_or(default))
    }

    /// Takes a duration in milliseconds.
    ///
    /// # Errors
    /// If it is not a number.
    pub fn millis(&mut self, name: &str, default: Duration) -> Result<Duration, String> {
        Ok(self.find(name)?.map_or(default, Duration::from_millis))
    }

    /// Makes sure that no option is left.
    ///
    /// # Errors
    /// If there is one that nobody has asked for.
    pub fn finish(self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("there is no option --{name}")),
        }
    }
}
