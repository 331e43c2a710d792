//! Words that must not stand in the code.

use std::path::Path;

use super::source::{Strings, code};
use super::{File, Tree};
use crate::workspace::Workspace;

/// Nowhere in the tree.
const NOWHERE: [(&str, &str); 6] = [
    ("todo!", "finish it"),
    ("unimplemented!", "finish it"),
    ("#[ignore", "a test runs or is not there"),
    ("allow(unsafe_code)", "unsafe is forbidden"),
    ("allow(missing_docs)", "write the documentation"),
    ("macro_rules!", "no own macros"),
];

/// Modules of the standard library that the core does without: it has no file system, no
/// environment, no sockets, no processes and no threads.
const NOT_IN_CORE: [&str; 6] = ["fs", "env", "process", "thread", "io::stdin", "os"];

/// Everything that is forbidden where it stands.
pub(crate) fn problems(tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let blanked = code(&file.text, Strings::Blanked);
        for (word, advice) in NOWHERE {
            for line in lines_with(&blanked, word) {
                problems.push(format!("{}:{line}: `{word}`: {advice}", file.path));
            }
        }
        problems.extend(features(file));
    }
    for file in tree
        .shipped()
        .filter(|file| file.under("signstar-core/src"))
    {
        problems.extend(core(file));
    }
    for file in &tree.files {
        problems.extend(machine_paths(file, workspace));
    }
    problems
}

/// The numbers of the lines with `word` in them.
fn lines_with<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.lines()
        .enumerate()
        .filter(move |(_, line)| line.contains(word))
        .map(|(index, _)| index + 1)
}

/// The lists of back ends: the login shell's and the operators' tool's.
const LISTS: [&str; 2] = [
    "signstar-cli/shell/src/back_ends.rs",
    "signstar-cli/admin/src/device.rs",
];

/// Conditional compilation stands where the lists of back ends do, and in two named places.
fn features(file: &File) -> Vec<String> {
    if file.is_test() {
        return Vec::new();
    }
    let kept = code(&file.text, Strings::Kept);
    let mut problems = Vec::new();
    for (index, line) in kept.lines().enumerate() {
        if !line.contains("cfg") {
            continue;
        }
        for rest in line.split("feature = \"").skip(1) {
            let feature = rest.split('"').next().unwrap_or_default();
            let allowed = LISTS.contains(&file.path.as_str())
                || feature == "selftest" && file.under("signstar-cli/confine/src")
                || feature == "provision" && file.under("signstar-backends");
            if !allowed {
                problems.push(format!(
                    "{}:{}: cfg of feature {feature} belongs in {}",
                    file.path,
                    index + 1,
                    LISTS.join(" or ")
                ));
            }
        }
    }
    problems
}

fn core(file: &File) -> Vec<String> {
    let blanked = code(&file.text, Strings::Blanked);
    let mut problems = Vec::new();
    for path in std_paths(&blanked) {
        let forbidden = NOT_IN_CORE
            .iter()
            .any(|module| path == *module || path.starts_with(&format!("{module}::")));
        let socket = path.starts_with("net::") && !path.starts_with("net::Ip");
        if forbidden || socket {
            problems.push(format!("{}: the core does without std::{path}", file.path));
        }
    }
    problems
}

/// What is named after `std::`, with one level of `{…}` taken apart.
fn std_paths(blanked: &str) -> Vec<String> {
    let is_path = |char: &char| char.is_alphanumeric() || *char == '_' || *char == ':';
    let mut paths = Vec::new();
    for rest in blanked.split("std::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split(';').next().unwrap_or_default();
                let items = group.split([',', '{', '}']).map(str::trim);
                paths.extend(items.filter(|item| !item.is_empty()).map(str::to_owned));
            }
            None => paths.push(rest.chars().take_while(is_path).collect()),
        }
    }
    paths
}

/// Paths of the machine that this runs on have no business in the tree.
fn machine_paths(file: &File, workspace: &Workspace) -> Vec<String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let home = Path::new(&home);
    let own = [
        workspace.workspace_root.clone(),
        home.join(".cargo"),
        home.join(".rustup"),
    ];
    let mut problems = Vec::new();
    for path in own.iter().filter(|path| path.components().count() > 2) {
        for line in lines_with(&file.text, &path.to_string_lossy()) {
            problems.push(format!("{}:{line}: a path of this machine", file.path));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::std_paths;

    #[test]
    fn groups_of_the_standard_library_are_taken_apart() {
        let code = "use std::{fmt, env, io::{Read, Write}};\nlet x = std::net::IpAddr::V4;";
        assert_eq!(
            std_paths(code),
            ["fmt", "env", "io::", "Read", "Write", "net::IpAddr::V4"]
        );
    }
}
