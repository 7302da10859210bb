//! The command line.

use std::path::PathBuf;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Shows that everything runs.
    Quick,
    /// Takes a few minutes.
    Usual,
    /// Takes what is needed, in processes of its own, and writes the results down.
    Long,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// What the titles of tables contain that are measured.
    pub(crate) words: Vec<String>,
    /// What the names of contenders contain that take part: one of several, between commas.
    pub(crate) only: String,
    /// Where to write all samples: this is one of the processes of the long form.
    pub(crate) samples: Option<PathBuf>,
    /// Where to write the page of the long form, if not to the one of this repository, which has plots.
    pub(crate) page: Option<PathBuf>,
    /// Where to draw the ratios to the fastest peers.
    pub(crate) plot: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Panics
    /// If there is one that means nothing.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            mode: Mode::Usual,
            words: Vec::new(),
            only: String::new(),
            samples: None,
            page: None,
            plot: None,
        };
        for arg in args {
            match arg.split_once('=') {
                None if arg == "--quick" => options.mode = Mode::Quick,
                None if arg == "--long" => options.mode = Mode::Long,
                Some(("--only", name)) => name.clone_into(&mut options.only),
                Some(("--samples", path)) => options.samples = Some(PathBuf::from(path)),
                Some(("--long", path)) => {
                    options.mode = Mode::Long;
                    options.page = Some(PathBuf::from(path));
                }
                Some(("--plot", path)) => options.plot = Some(PathBuf::from(path)),
                _ => {
                    let expected = "--quick, --long, --long=FILE, --only=NAME,NAME, --plot=FILE, or a word of a title";
                    assert!(!arg.starts_with('-'), "{arg}: expected {expected}");
                    options.words.push(arg.to_lowercase());
                }
            }
        }
        let is_drawn_twice = options.mode == Mode::Long && options.plot.is_some();
        assert!(
            !is_drawn_twice,
            "--plot is for the short form: --long has its own plots"
        );
        options
    }

    /// Returns whether a table is to be measured.
    pub(crate) fn wants(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        self.words.iter().all(|word| title.contains(word.as_str()))
    }

    /// Returns whether this measures for the long form.
    pub(crate) fn is_for_long(&self) -> bool {
        self.samples.is_some()
    }
}
