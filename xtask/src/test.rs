//! `cargo xtask test`: everything that must hold, in stages, with a table of what each took.
//!
//! A stage that fails does not keep later ones from running: one run reports all there is.

mod report;
mod stages;

use clap::builder::PossibleValuesParser;
use clap::{Args, builder::TypedValueParser};

use crate::failure::{Failure, Result};
use report::Report;
use stages::{STAGES, Stage};

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
    let chosen = |stage: &&Stage| {
        options.part.is_empty() || options.part.iter().any(|part| part == stage.name)
    };
    let mut report = Report::default();
    for stage in STAGES.iter().filter(chosen) {
        report.stage(stage.name, stage.run);
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
