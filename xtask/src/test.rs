//! `cargo xtask test`: everything that must hold, in stages, with a table of what each took.
//!
//! A stage that fails does not keep later ones from running: one run reports all there is.

mod beside;
mod report;
mod stages;

use clap::builder::PossibleValuesParser;
use clap::{Args, builder::TypedValueParser};

use crate::failure::{Failure, Result};
use beside::Beside;
use report::Report;
use stages::STAGES;

/// Run all tests; what they need is installed where that is allowed
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run only this stage (may be given several times)
    #[arg(long, value_name = "NAME", value_parser = stage_name())]
    part: Vec<String>,
}

fn stage_name() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(
        STAGES
            .iter()
            .map(|stage| clap::builder::PossibleValue::new(stage.name).help(stage.what)),
    )
}

/// Runs the chosen stages, all of them when none is chosen.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    // Beside a single stage there is nothing to run.
    let mut beside = if options.part.is_empty() {
        Some(Beside::start()?)
    } else {
        None
    };
    let waiting = beside.is_some();
    for stage in &STAGES {
        let chosen = waiting || options.part.iter().any(|part| part == stage.name);
        if waiting && beside::STAGES.contains(&stage.name) {
            if let Some(beside) = beside.take() {
                report.stage("release …", |report| beside.finish(report));
            }
        } else if chosen {
            report.stage(stage.name, stage.run);
        }
    }
    report.print();
    if report.failed().is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "failed: {}; repeat one by `cargo xtask test --part NAME`",
        report.failed().join(", ")
    )))
}
