//! Keys, certificates and checks of a Signstar enclave, for an operator at a console.
//!
//! Each verb is a function that takes what was asked and returns a `Report` or a
//! `Failure`; `run` does the rest. Keys are named as in the configuration
//! (`--key packages` is `[key.packages]`), which is read as strictly as the login shell reads it.
//!
//! # What is deliberately absent
//! Signing data, which is the login shell's (`try` starts that); reading a passphrase from the command line or from the
//! environment, where others can see it; and changing the configuration.

mod account;
mod audit;
mod certificate;
mod check;
mod cli;
mod device;
mod devices;
mod expiry;
mod explain;
mod failure;
mod finding;
mod health;
mod key;
mod linkage;
mod owners;
mod pinning;
mod policy;
mod primary;
mod rehearsal;
mod report;
mod sandbox;
mod secret_file;
mod settings;
mod sshd;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use signstar_console::{new_file, terminal};

use cli::{
    AuditVerb, CertVerb, Cli, ConfigVerb, DeviceVerb, KeyVerb, PolicyVerb, PrimaryVerb,
    SandboxVerb, SshdVerb, Verb,
};
use failure::{Failure, Status};
use report::Report;
use settings::Settings;

/// The command line, for manual pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Does what `arguments` (the program's name first) ask for, and says so on standard output;
/// a failure is one line on standard error and a status of sysexits(3).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // First of all, while there is one thread.
    signstar::back_ends::set_environment();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Where that cannot be written, nothing can be said.
            let _ = error.print();
            return match error.use_stderr() {
                true => Status::Usage.into(),
                false => ExitCode::SUCCESS,
            };
        }
    };
    if let Verb::Sandbox {
        verb: SandboxVerb::Attempt(attempt),
    } = &cli.verb
    {
        return sandbox::attempt(attempt);
    }
    if let Verb::Become(wanted) = &cli.verb {
        return rehearsal::become_and_start(&wanted.user);
    }
    let wanted = env_logger::Env::default().default_filter_or("warn");
    let mut log = env_logger::Builder::from_env(wanted);
    // What goes to and comes from a device is not for a log, and a failure is one line.
    for library in ["card_backend", "openpgp_card", "tss_esapi"] {
        log.filter_module(library, log::LevelFilter::Off);
    }
    log.init();
    match perform(&cli).and_then(|report| report.print(cli.output)) {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("signstar-admin: {}", failure.text);
            failure.status.into()
        }
    }
}

fn perform(cli: &Cli) -> Result<Report, Failure> {
    let settings = || Settings::load(&cli.config);
    match &cli.verb {
        Verb::Device { verb } => match verb {
            DeviceVerb::List(options) => devices::list(options, &cli.config),
            DeviceVerb::StorageKey(options) => devices::storage_key(options),
        },
        Verb::Key { verb } => match verb {
            KeyVerb::Generate(options) => key::generate(&settings()?.at(&options.at)?, options),
            KeyVerb::Import(options) => key::import(&settings()?, options),
            KeyVerb::List(options) => key::list(&settings()?.at(&options.at)?),
        },
        Verb::Primary {
            verb: PrimaryVerb::Generate(options),
        } => primary::generate(options),
        Verb::Cert { verb } => match verb {
            CertVerb::Create(options) => {
                certificate::create::create(&settings()?.at(&options.at)?, options)
            }
            CertVerb::Show(options) => {
                certificate::show::show(&settings()?.at(&options.at)?, options)
            }
            CertVerb::Store(options) => {
                certificate::store::store(&settings()?.at(&options.at)?, options)
            }
            CertVerb::Extend(options) => {
                certificate::extend::extend(&settings()?.at(&options.changing.at)?, options)
            }
            CertVerb::Revoke(options) => {
                certificate::revoke::revoke(&settings()?.at(&options.changing.at)?, options)
            }
            CertVerb::Rotate(options) => {
                certificate::rotate::rotate(&settings()?.at(&options.changing.at)?, options)
            }
            CertVerb::Export(options) => {
                certificate::export::export(&settings()?.at(&options.at)?, options)
            }
        },
        Verb::Policy { verb } => match verb {
            PolicyVerb::Explain(options) => policy::explain(options),
            PolicyVerb::Try(options) => policy::attempt(settings, options),
        },
        Verb::Audit { verb } => match verb {
            AuditVerb::List(options) => audit::list::list(&cli.config, options, cli.output),
            AuditVerb::Check(options) => audit::check::check(&cli.config, options),
        },
        Verb::Health(options) => health::health(&cli.config, options),
        Verb::Config {
            verb: ConfigVerb::Check(options),
        } => check::check(options.file.as_ref().unwrap_or(&cli.config)),
        Verb::Config {
            verb: ConfigVerb::Explain(options),
        } => explain::explain(options.file.as_ref().unwrap_or(&cli.config)),
        Verb::Sshd {
            verb: SshdVerb::Check(options),
        } => sshd::check(&settings()?, options),
        Verb::Try(options) => rehearsal::rehearse(&settings()?, options),
        Verb::Sandbox {
            verb: SandboxVerb::Selftest,
        } => sandbox::selftest(),
        // Answered before anything else, in processes that do nothing else.
        Verb::Become(_)
        | Verb::Sandbox {
            verb: SandboxVerb::Attempt(_),
        } => Err(Failure::new(
            Status::Usage,
            "this is done by `try` and `sandbox selftest`",
        )),
    }
}
