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
const BACK_ENDS: [&str; 8] = [
    "signstar-backends/nethsm/src",
    "signstar-cli/shell/src/back_ends/nethsm.rs",
    "signstar-backends/pkcs11/src",
    "signstar-cli/shell/src/back_ends/pkcs11.rs",
    "signstar-cli/shell/src/back_ends/smartcard.rs",
    "signstar-cli/shell/src/back_ends/tpm.rs",
    "signstar-core/src/messages",
    "signstar-core/src/messages.rs",
];

/// What only a key uses whose input is not `any`: printed, not counted.
const INPUTS: [&str; 7] = [
    "signstar-cli/shell/src/config/input.rs",
    "signstar-cli/shell/src/inspection.rs",
    "signstar-core/src/digest_list.rs",
    "signstar-core/src/finding.rs",
    "signstar-core/src/pattern.rs",
    "signstar-core/src/verdict.rs",
    "signstar-cli/inspector/src",
];

/// Prints the number; a problem when it is too large.
pub(crate) fn problems(tree: &Tree) -> Option<String> {
    let mut total = 0;
    for folder in COUNTED {
        let lines = lines(tree, folder);
        println!("{lines:>6} lines of code in {folder}");
        total += lines;
    }
    println!("{total:>6} lines of the login shell's own code, {LINES_MAX} at most");
    let beside = |places: &[&str]| -> usize {
        let lines = places.iter().map(|place| own_lines(tree, place));
        lines.sum()
    };
    for (places, what) in [
        (
            &BACK_ENDS[..],
            "that only the back ends nethsm, pkcs11, smartcard and tpm use",
        ),
        (
            &INPUTS[..],
            "for keys that do not sign everything, with the inspector",
        ),
        (&["signstar-cli/confine/src"], "in signstar-cli/confine/src"),
    ] {
        println!("{:>6} lines of code {what}, beside that", beside(places));
    }
    (total >= LINES_MAX).then(|| format!("the login shell's own code has {total} lines"))
}

fn lines(tree: &Tree, folder: &str) -> usize {
    let inside = BACK_ENDS
        .iter()
        .chain(&INPUTS)
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
