//! `cargo xtask`: building, testing, demonstrating and measuring Signstar.
//!
//! Everything that a person or a machine does with this tree beside plain cargo commands is a
//! subcommand here, in Rust, without scripts. What is built for users never depends on it.

mod advisories;
mod bench;
mod caller;
mod closure;
mod demo;
mod dist;
mod failure;
mod pages;
mod private;
mod program;
mod release;
mod scene;
mod soak;
mod stage;
mod symbols;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Result;

/// Build, test, demonstrate and measure Signstar
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Demo(demo::Options),
    Test(test::Options),
    /// Install what the tests need
    Tools,
    /// Check the rules of the tree
    Tidy,
    Closure(closure::Options),
    Stage(stage::Options),
    Dist(dist::Options),
    /// Write manual pages
    #[command(alias = "manpages")]
    Man(pages::Options),
    /// Write completions for bash, zsh and fish
    Completions(pages::Options),
    Bench(bench::Options),
    Soak(soak::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Demo(options) => demo::run(options),
        Task::Test(options) => test::run(options),
        Task::Tools => tools::run(),
        Task::Tidy => tidy::run(),
        Task::Closure(options) => closure::run(options),
        Task::Stage(options) => stage::run(options),
        Task::Dist(options) => dist::run(options),
        Task::Man(options) => pages::run_man(options),
        Task::Completions(options) => pages::run_completions(options),
        Task::Bench(options) => bench::run(options),
        Task::Soak(options) => soak::run(options),
    }
}
