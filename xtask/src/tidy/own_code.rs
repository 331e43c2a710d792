//! How much of our own code stands between a caller and the key.

use super::Tree;
use super::source::{Strings, code};

/// Lines of the login shell's own code: without tests, comments and blank lines.
const LINES_MAX: usize = 5_000;

/// What is linked into it, and counts.
const COUNTED: [&str; 4] = [
    "signstar-core/src",
    "signstar-backends/pkcs11/src",
    "signstar-backends/software/src",
    "signstar-cli/shell/src",
];

/// Prints the number; a problem when it is too large.
pub(crate) fn problems(tree: &Tree) -> Option<String> {
    let mut total = 0;
    for folder in COUNTED {
        let lines = lines(tree, folder);
        println!("{lines:>6} lines of code in {folder}");
        total += lines;
    }
    let confine = lines(tree, "signstar-cli/confine/src");
    println!("{total:>6} lines of the login shell's own code, {LINES_MAX} at most");
    println!("{confine:>6} lines of code in signstar-cli/confine/src beside that");
    (total >= LINES_MAX).then(|| format!("the login shell's own code has {total} lines"))
}

fn lines(tree: &Tree, folder: &str) -> usize {
    tree.shipped()
        .filter(|file| file.under(folder))
        .map(|file| code(&file.text, Strings::Kept))
        .map(|code| code.lines().filter(|line| !line.trim().is_empty()).count())
        .sum()
}
