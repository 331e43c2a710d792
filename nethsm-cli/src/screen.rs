//! What the terminal can show, where there is one: how wide it is, and whether it has colours.
//!
//! Asked for once, before anything is done. What goes into a file or a pipe is the same everywhere: never
//! cut, never coloured unless somebody asks for it.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;
use terminal_size::{Width, terminal_size_of};

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// What there is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screen {
    /// The columns of standard output, where that is a terminal.
    pub(crate) width: Option<usize>,
    /// Whether standard output has colours.
    pub(crate) colour: bool,
    /// Whether standard error has colours.
    pub(crate) colour_of_errors: bool,
    /// The columns of standard error, where progress can be shown there.
    pub(crate) progress: Option<usize>,
}

static SCREEN: OnceLock<Screen> = OnceLock::new();
/// Columns that stand before what a device says.
static INDENTED: AtomicUsize = AtomicUsize::new(0);

impl Screen {
    /// What this process has. `quiet` is for diagnostics that go to standard error line by line.
    pub(crate) fn look(colour: Colour, quiet: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let plain = set("NO_COLOR").is_some() || set("TERM").is_none_or(|term| term == "dumb");
        let coloured = |terminal: bool| match colour {
            Colour::Auto => terminal && !plain,
            Colour::Always => true,
            Colour::Never => false,
        };
        let (out, errors) = (io::stdout(), io::stderr());
        let width_of = |size: Option<(Width, _)>| size.map(|(Width(width), _)| usize::from(width));
        // A terminal that does not know its size says 0.
        let known = |width: &usize| *width > 0;
        let width = out.is_terminal().then(|| width_of(terminal_size_of(&out)));
        let progress =
            errors.is_terminal() && !quiet && set("TERM").is_some_and(|term| term != "dumb");
        let progress = progress.then(|| width_of(terminal_size_of(&errors)).filter(known));
        Self {
            width: width.flatten().filter(known),
            colour: coloured(out.is_terminal()),
            colour_of_errors: coloured(errors.is_terminal()),
            progress: progress.map(|width| width.unwrap_or(80)),
        }
    }

    /// Makes it that of the process.
    pub(crate) fn set(self) {
        // Whoever comes second, in a program that embeds this, keeps what is there.
        let _ = SCREEN.set(self);
    }

    /// That of the process; one without anything before it is set.
    pub(crate) fn get() -> Self {
        SCREEN.get().copied().unwrap_or_default()
    }
}

/// What a device says stands behind so many columns from now on.
pub(crate) fn indent(columns: usize) {
    INDENTED.store(columns, Ordering::Relaxed);
}

/// The columns that a table may take.
pub(crate) fn columns() -> Option<usize> {
    let indented = INDENTED.load(Ordering::Relaxed);
    let width = Screen::get().width?;
    Some(width.saturating_sub(indented))
}

/// `text` as headers are shown.
pub(crate) fn header(text: &str) -> String {
    painted(text, "1", Screen::get().colour)
}

/// What is shown instead of a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    let colour = match text.trim_end() {
        "Operational" => "32",
        "Locked" | "Unprovisioned" => "33",
        "Failed" => "31",
        _ => return text.to_owned(),
    };
    painted(text, colour, Screen::get().colour)
}

/// A line about something that comes (`+ …`), goes (`- …`) or changes (`~ …`).
pub(crate) fn change(line: &str) -> String {
    let colour = match line.split(' ').next() {
        Some("+") => "32",
        Some("-") => "31",
        Some("~") => "33",
        _ => return line.to_owned(),
    };
    painted(line, colour, Screen::get().colour)
}

/// The program's name before what went wrong.
pub(crate) fn fault(name: &str) -> String {
    painted(name, "1;31", Screen::get().colour_of_errors)
}

fn painted(text: &str, colour: &str, really: bool) -> String {
    match really {
        true => format!("\x1b[{colour}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
