//! Manual pages and completions from the command-line definitions of the operators' tools.
//!
//! A program of its own, behind a feature: it links those tools, and `cargo xtask` itself is to
//! start within seconds on a fresh machine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, Parser, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

/// Write manual pages or completions
#[derive(Debug, Parser)]
struct Arguments {
    kind: Kind,
    package: String,
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Man,
    Completions,
}

/// The tools that have a command line to describe.
fn command(package: &str) -> Option<Command> {
    match package {
        "signstar-admin" => Some(signstar_admin::command()),
        _ => None,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(command) = command(&arguments.package) else {
        eprintln!("{}: has no command line of its own", arguments.package);
        return ExitCode::FAILURE;
    };
    let written = std::fs::create_dir_all(&arguments.folder).and_then(|()| match arguments.kind {
        Kind::Man => manuals(command, &arguments.folder),
        Kind::Completions => completions(command, &arguments.package, &arguments.folder),
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write to {}: {error}", arguments.folder.display());
            ExitCode::FAILURE
        }
    }
}

fn manuals(command: Command, folder: &Path) -> std::io::Result<()> {
    let source = format!("Signstar {}", command.get_version().unwrap_or_default());
    let mut command = command.disable_help_subcommand(true);
    command.build();
    pages(&command, &source, folder)
}

/// A page for the command, and one for each that it leads to.
fn pages(command: &Command, source: &str, folder: &Path) -> std::io::Result<()> {
    Man::new(command.clone())
        .source(source)
        .manual("Signstar")
        .generate_to(folder)?;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        pages(verb, source, folder)?;
    }
    Ok(())
}

fn completions(mut command: Command, name: &str, folder: &Path) -> std::io::Result<()> {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, name, folder)?;
    }
    Ok(())
}
