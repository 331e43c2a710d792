//! A variable of the environment for every option but secrets.
//!
//! Those of the options that every command has stand beside them (`cli.rs`). An option of one command has its
//! own by rule: `NETHSM_`, the command and the option. No variable has a passphrase in it, only where one comes
//! from. Deliberately absent: variables for what is no option, as the id of a key; a variable with several
//! values, since any letter may stand in one.

use std::ffi::OsString;

use clap::builder::FalseyValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::Cli;

/// Options without one, and why.
const WITHOUT: [(&str, &str, &str); 1] = [(
    "system factory-reset",
    "confirm",
    "agrees to the end of one device: what stands in a variable is not looked at again",
)];

/// The command line with its variables.
pub(crate) fn command() -> Command {
    let program = Cli::command().mut_args(switched);
    program.mut_subcommands(|verb| {
        let path = verb.get_name().to_owned();
        with_variables(verb, &path)
    })
}

/// What a command line (the program's name first) and the environment say.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))
}

fn with_variables(command: Command, path: &str) -> Command {
    let command = command.mut_args(|option| {
        let Some(name) = option.get_long() else {
            return option;
        };
        let without = WITHOUT
            .iter()
            .any(|(of, option, _)| (*of, *option) == (path, name));
        if without {
            return option;
        }
        let name = variable(path, name);
        // All of them in the help text would hide what matters there; manual pages name them.
        switched(option.env(OsString::from(name)).hide_env(true))
    });
    command.mut_subcommands(|verb| {
        let path = format!("{path} {}", verb.get_name());
        with_variables(verb, &path)
    })
}

/// An option without a value is on by any value of its variable, but for 0, n, no, f, false, off and nothing.
fn switched(option: Arg) -> Arg {
    match option.get_action() {
        ArgAction::SetTrue => option.value_parser(FalseyValueParser::new()),
        _ => option,
    }
}

/// The variable of an option of the command at `path`.
fn variable(path: &str, option: &str) -> String {
    let name = format!("NETHSM_{path}_{option}");
    name.replace([' ', '-'], "_").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Every option that has no variable, and every variable with its option.
    fn walk(
        command: &Command,
        path: &str,
        without: &mut Vec<(String, String)>,
        variables: &mut BTreeMap<String, String>,
    ) {
        for option in command.get_arguments() {
            let Some(name) = option
                .get_long()
                .filter(|name| !["help", "version"].contains(name))
            else {
                assert!(option.is_positional(), "{path}: {option:?}");
                continue;
            };
            match option.get_env() {
                Some(variable) => {
                    let variable = variable.to_string_lossy().into_owned();
                    let of = format!("{path} --{name}");
                    let taken = variables.insert(variable, of.clone());
                    assert_eq!(taken, None, "{of}: another one has its variable");
                }
                None => without.push((path.to_owned(), name.to_owned())),
            }
        }
        for verb in command.get_subcommands() {
            let path = format!("{path} {}", verb.get_name());
            walk(verb, path.trim_start(), without, variables);
        }
    }

    #[test]
    fn every_option_has_a_variable_of_its_own_or_a_reason() {
        let (mut without, mut variables) = (Vec::new(), BTreeMap::new());
        walk(&command(), "", &mut without, &mut variables);
        let reasoned: Vec<(String, String)> = WITHOUT
            .iter()
            .map(|(path, option, reason)| {
                assert!(!reason.is_empty());
                ((*path).to_owned(), (*option).to_owned())
            })
            .collect();
        assert_eq!(without, reasoned);
        assert!(variables.len() > 100, "{variables:?}");
        assert!(variables.keys().all(|name| name.starts_with("NETHSM_")));
        assert_eq!(
            variables["NETHSM_KEY_GENERATE_LENGTH"],
            "key generate --length"
        );
        assert_eq!(variables["NETHSM_YES"], " --yes");
    }
}
