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

/// What a page says beyond the command line: sections with things and what they are.
fn sections(package: &str, path: &str) -> Vec<nethsm_cli::manual::Section> {
    match package {
        "nethsm-cli" => nethsm_cli::manual::sections(path),
        _ => Vec::new(),
    }
}

/// A completion by the tool itself, for a shell.
fn asking(package: &str, shell: &str) -> Option<&'static str> {
    match package {
        "nethsm-cli" => nethsm_cli::completion(shell),
        _ => None,
    }
}

/// The tools that have a command line to describe.
fn command(package: &str) -> Option<Command> {
    match package {
        "nethsm-cli" => Some(nethsm_cli::command()),
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
        Kind::Man => manuals(command, &arguments.package, &arguments.folder),
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

fn manuals(command: Command, package: &str, folder: &Path) -> std::io::Result<()> {
    let source = format!("Signstar {}", command.get_version().unwrap_or_default());
    let mut command = command.disable_help_subcommand(true);
    command.build();
    pages(&command, &source, (package, ""), folder)
}

/// A page for the command at a path of a package, and one for each that it leads to.
fn pages(
    command: &Command,
    source: &str,
    (package, path): (&str, &str),
    folder: &Path,
) -> std::io::Result<()> {
    let man = Man::new(command.clone()).source(source).manual("Signstar");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    // A name with a hyphen that is not its own cannot be searched for.
    page.extend_from_slice(b".nh\n");
    man.render_name_section(&mut page)?;
    page.extend_from_slice(synopsis(command).as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    for section in sections(package, path) {
        page.extend_from_slice(rendered(&section).as_bytes());
    }
    std::fs::write(folder.join(man.get_filename()), page)?;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let below = format!("{path} {}", verb.get_name());
        pages(verb, source, (package, below.trim_start()), folder)?;
    }
    Ok(())
}

/// How the command is called, as its help says: with what it needs, and without the options that every command has.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let lines = usage.trim_start_matches("Usage: ").lines();
    let lines = lines.map(|line| escaped(line.trim())).collect::<Vec<_>>();
    format!(".SH SYNOPSIS\n{}\n", lines.join("\n.br\n"))
}

/// Text that says nothing to man(7).
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

/// A section in the language of man(7).
fn rendered(section: &nethsm_cli::manual::Section) -> String {
    let items = section
        .items
        .iter()
        .map(|(name, what)| match what.as_str() {
            "" => format!(".PP\n{}\n", escaped(name)),
            what => format!(".TP\n{}\n{}\n", escaped(name), escaped(what)),
        });
    format!(".SH \"{}\"\n{}", section.title, items.collect::<String>())
}

fn completions(mut command: Command, name: &str, folder: &Path) -> std::io::Result<()> {
    for shell in Shell::value_variants() {
        let file = clap_complete::generate_to(*shell, &mut command, name, folder)?;
        // One that asks the program itself, in the place of what only knows its options.
        if let Some(script) = asking(name, &shell.to_string()) {
            std::fs::write(file, script)?;
        }
    }
    Ok(())
}
