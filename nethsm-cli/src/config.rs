//! `config …`: settings of the device.

mod section;
mod set;

use clap::{Args, Subcommand, ValueEnum as _};
use serde_json::{Map, Value};

use crate::desired::{self, Compare};
use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::tls::Out;
use crate::user::field;
pub(crate) use section::{Section, look, put};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Show settings (Administrator)
    Get(Get),
    /// Change a setting (Administrator)
    #[command(subcommand)]
    Set(set::SetVerb),
    /// Write settings, namespaces, users and keys as a file for `config apply` (Administrator)
    ///
    /// There is nothing secret in it. Keys of a namespace are in it if the profile has an administrator of
    /// the namespace.
    Export(Out),
    /// Say what differs from such a file: status 10 if something does (Administrator)
    Diff(Compare),
    /// Say what `config apply` would do (Administrator)
    Plan(Compare),
    /// Make the device what the file says, and say what was done (Administrator)
    ///
    /// A second time there is nothing to do. What is on the device and not in the file stays, unless there is
    /// --prune. With [provision] in the file a fresh device is provisioned, and a locked one unlocked.
    Apply(Compare),
}

#[derive(Args, Debug)]
pub(crate) struct Get {
    /// Which [default: all]
    #[arg(value_enum)]
    sections: Vec<Section>,
}

pub(crate) fn config(device: &mut Device, verb: &ConfigVerb) -> Result<Report, Failure> {
    match verb {
        ConfigVerb::Get(options) => get(device, options),
        ConfigVerb::Set(verb) => set::set(device, verb),
        ConfigVerb::Export(out) => desired::export(device, out),
        ConfigVerb::Diff(options) => desired::diff(device, options),
        ConfigVerb::Plan(options) => desired::plan(device, options),
        ConfigVerb::Apply(options) => desired::apply(device, options),
    }
}

fn get(device: &mut Device, options: &Get) -> Result<Report, Failure> {
    let all = options.sections.is_empty();
    let sections = if all {
        Section::value_variants()
    } else {
        &options.sections
    };
    let mut found = Map::new();
    let mut text = String::new();
    for section in sections {
        let name = section.name();
        let value = match look(device, *section) {
            Ok(value) => value,
            // Older devices have no NTP.
            Err(failure) if all && *section == Section::Ntp && failure.status == Status::Absent => {
                continue;
            }
            Err(failure) => return Err(failure),
        };
        for (key, item) in value.as_object().into_iter().flatten() {
            let shown = match item {
                Value::Object(inner) => inner
                    .keys()
                    .map(|key| format!("{key}={}", field(item, key)))
                    .collect::<Vec<_>>()
                    .join(" "),
                _ => field(&value, key),
            };
            text.push_str(&format!("{name}.{key}: {shown}\n"));
        }
        found.insert(name.replace('-', "_"), value);
    }
    Report::new(text, &found)
}
