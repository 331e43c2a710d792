//! `status --watch`: the same look again and again.
//!
//! On a terminal each look takes the place of the one before; elsewhere it follows it, in JSON as one line.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Globals;
use crate::failure::{Failure, Status};
use crate::health::StatusOptions;
use crate::provision::now;
use crate::report::{Output, Report};
use crate::yaml;

/// Clears the screen and goes to its beginning.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// Looks until `--count` is reached; what the last look ended with is what the program ends with. A
/// device that does not answer is a look too. Nothing is left to be reported.
pub(crate) fn watch(
    globals: &Globals,
    options: &StatusOptions,
    mut look: impl FnMut() -> Result<Report, Failure>,
) -> Result<Report, Failure> {
    let pause = Duration::from_secs(options.watch.unwrap_or_default().into());
    let mut looks = 0_u32;
    loop {
        let (status, text, value) = match look() {
            Ok(report) => (report.status, report.text, report.value),
            // A wrong passphrase is not tried again, and a wrong profile does not mend itself.
            Err(failure) if matches!(failure.status, Status::Authentication | Status::Usage) => {
                return Err(failure);
            }
            Err(failure) => {
                let value = json!({ "problem": failure.text });
                (
                    failure.status,
                    format!("{}\n", failure.text).into_bytes(),
                    value,
                )
            }
        };
        let written = written(globals.output, &text, value);
        io::stdout()
            .write_all(&written)
            .and_then(|()| io::stdout().flush())
            .map_err(|error| Failure::with("standard output".as_ref(), &error))?;
        looks = looks.saturating_add(1);
        if options.count.is_some_and(|count| looks >= count) {
            return Ok(Report::nothing(status));
        }
        sleep(pause);
    }
}

fn written(output: Output, text: &[u8], value: Value) -> Vec<u8> {
    let time = now();
    let mut value = value;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("time".to_owned(), time.as_str().into());
    }
    match output {
        Output::Text => {
            let clear = if io::stdout().is_terminal() {
                CLEAR
            } else {
                ""
            };
            [clear.as_bytes(), time.as_bytes(), b"\n", text].concat()
        }
        Output::Json => format!("{value}\n").into_bytes(),
        Output::Yaml => format!("---\n{}", yaml::document(&value)).into_bytes(),
    }
}
