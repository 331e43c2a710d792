//! How much of our own code stands between a caller and the key.

use super::Tree;
use super::source::{Strings, code};

/// Lines of the login shell's own code: without tests, comments and blank lines.
const LINES_MAX: usize = 5_000;

/// What is linked into it with a software key, and counts.
const COUNTED: [&str; 3] = [
    "signstar-core/src",
    "signstar-backends/software/src",
    "signstar-cli/shell/src",
];

/// What only another back end links: printed, not counted.
const BESIDE: [&str; 6] = [
    "signstar-backends/nethsm/src",
    "signstar-cli/shell/src/back_ends/nethsm.rs",
    "signstar-backends/pkcs11/src",
    "signstar-cli/shell/src/back_ends/pkcs11.rs",
    "signstar-core/src/messages",
    "signstar-core/src/messages.rs",
];

/// Prints the number; a problem when it is too large.
pub(crate) fn problems(tree: &Tree) -> Option<String> {
    let mut total = 0;
    for folder in COUNTED {
        let lines = lines(tree, folder);
        println!("{lines:>6} lines of code in {folder}");
        total += lines;
    }
    let beside: usize = BESIDE.iter().map(|place| own_lines(tree, place)).sum();
    println!("{beside:>6} lines of code that only the back ends nethsm and pkcs11 link, beside that");
    let confine = lines(tree, "signstar-cli/confine/src");
    println!("{total:>6} lines of the login shell's own code, {LINES_MAX} at most");
    println!("{confine:>6} lines of code in signstar-cli/confine/src beside that");
    (total >= LINES_MAX).then(|| format!("the login shell's own code has {total} lines"))
}

fn lines(tree: &Tree, folder: &str) -> usize {
    let inside = BESIDE
        .iter()
        .filter(|place| place.starts_with(&format!("{folder}/")));
    let beside: usize = inside.map(|place| own_lines(tree, place)).sum();
    own_lines(tree, folder) - beside
}

/// The lines of a file, or of all files in a folder.
fn own_lines(tree: &Tree, place: &str) -> usize {
    tree.shipped()
        .filter(|file| file.path == place || file.under(place))
        .map(|file| code(&file.text, Strings::Kept))
        .map(|code| code.lines().filter(|line| !line.trim().is_empty()).count())
        .sum()
}
