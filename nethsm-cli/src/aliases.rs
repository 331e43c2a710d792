//! Names of commands that people know from `nitropy nethsm`.

use std::ffi::OsString;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::operations::NITROPY;

/// Puts our name in the place of another tool's. What is a command here stays what it is.
pub(crate) fn translated(arguments: Vec<OsString>) -> Vec<OsString> {
    let own = Cli::command();
    let is_own = |word: &str| own.get_subcommands().any(|verb| verb.get_name() == word);
    let found = arguments
        .iter()
        .enumerate()
        .skip(1)
        .find_map(|(place, word)| {
            let word = word.to_str()?;
            let alias = NITROPY.iter().find(|(name, _)| *name == word);
            (is_own(word) || alias.is_some()).then_some((place, word, alias))
        });
    match found {
        Some((place, word, Some((_, path)))) if !is_own(word) => {
            let (before, after) = arguments.split_at(place);
            let ours = path.split(' ').map(OsString::from);
            let after = after.iter().skip(1).cloned();
            before.iter().cloned().chain(ours).chain(after).collect()
        }
        _ => arguments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translate(line: &str) -> String {
        let words = translated(line.split(' ').map(OsString::from).collect());
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn names_of_another_tool_are_understood_and_ours_stay() {
        assert_eq!(
            translate("x -d one list-keys --long"),
            "x -d one key list --long"
        );
        assert_eq!(translate("x reboot"), "x system reboot");
        assert_eq!(translate("x backup create"), "x backup create");
        assert_eq!(translate("x key show list-keys"), "x key show list-keys");
        assert_eq!(translate("x"), "x");
    }
}
