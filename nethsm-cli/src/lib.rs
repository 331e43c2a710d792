//! The whole NetHSM from the command line, for those who have one or many.
//!
//! [`answer`] does for another program what a command line says, and returns what was found as a value
//! whose shape [`schema`] tells. [`run()`] is the program itself; [`command`] is its command line, for manual
//! pages and completions; [`files`] reads files without a device. Each
//! group of commands has a module with its options beside what they do: a function that takes a
//! `Device` and its options, and returns a `Report` or a `Failure`. What an operation of the device
//! is called here stands in [`operations`].
//!
//! # What is deliberately absent
//! A passphrase on the command line or in a variable; a way to talk to a device that does not prove who
//! it is; a second try with a wrong passphrase; what the login shell does.

mod aliases;
mod answer;
mod backup;
mod certificates;
mod cli;
mod cluster;
mod complete;
mod config;
mod cred;
mod desired;
mod device;
mod doctor;
mod exporter;
mod failure;
pub mod files;
mod health;
mod key;
mod known;
pub mod manual;
mod meant;
mod metrics;
mod namespace;
mod new_passphrase;
mod openpgp;
pub mod operations;
mod profiles;
mod progress;
mod provision;
mod report;
mod run;
mod schema;
mod screen;
mod selftest;
mod several;
mod system;
mod table;
mod tags;
mod tls;
mod update;
mod user;
mod validity;
mod variables;
mod watch;
mod yaml;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};

pub use complete::script as completion;
use signstar_console::{new_file, profile, role, secret, terminal};

pub use answer::{Answer, Problem, answer};
pub use schema::schema;

use cli::{Cli, Verb};
use cluster::ClusterVerb;
use device::Device;
use failure::{Failure, Status};
use report::Report;
use screen::Screen;

/// The command line, for manual pages and completions.
pub fn command() -> clap::Command {
    variables::command()
}

/// The command that a command line (the program's name first) leads to, as `key list`, also by a name that
/// another tool has for it. Nothing where it does not parse.
pub fn command_of(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let arguments = aliases::translated(arguments.into_iter().collect());
    let matches = command().try_get_matches_from(arguments).ok()?;
    let mut matches = &matches;
    let mut found = Vec::new();
    while let Some((verb, below)) = matches.subcommand() {
        found.push(verb);
        matches = below;
    }
    Some(found.join(" "))
}

/// Does what `arguments` (the program's name first) ask for and says so on standard output; a failure
/// is one line on standard error and a status of the table in the manual page.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some((verb, question)) = arguments.get(1..).and_then(<[OsString]>::split_first)
        && verb == complete::VERB
    {
        return complete::answer(question);
    }
    let arguments = aliases::translated(arguments);
    let cli = match variables::parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            match by_mistake(&error) {
                Some(text) => eprintln!("nethsm-cli: {text}"),
                // Where that cannot be written, nothing can be said.
                None => drop(error.print()),
            }
            return match error.use_stderr() {
                true => Status::Usage.into(),
                false => ExitCode::SUCCESS,
            };
        }
    };
    let level = if cli.globals.trace { "debug" } else { "warn" };
    let wanted = env_logger::Env::default().default_filter_or(level);
    let mut log = env_logger::Builder::from_env(wanted);
    // What goes over the wire has passphrases in it.
    for library in ["ureq", "ureq_proto", "rustls", "multipart", "mime"] {
        log.filter_module(library, log::LevelFilter::Off);
    }
    log.format_timestamp(None).init();
    Screen::look(cli.globals.color, cli.globals.trace).set();
    let done = progress::watch(|| perform(&cli));
    let done = done.and_then(|report| report.print(cli.globals.output));
    match done {
        Ok(status) => status.into(),
        Err(failure) => {
            eprintln!("{} {}", screen::fault("nethsm-cli:"), failure.text);
            failure.status.into()
        }
    }
}

/// What is wrong with where a passphrase comes from or goes, without repeating it: it may be one.
fn by_mistake(error: &clap::Error) -> Option<String> {
    let argument = error.get(ContextKind::InvalidArg)?.to_string();
    let forms = match &argument {
        option if option.contains("<SOURCE>") => secret::FORMS,
        option if option.contains("<PLACE>") => new_passphrase::PLACES,
        _ => return None,
    };
    let what = format!("{argument}: must be {forms}");
    (error.kind() == ErrorKind::ValueValidation).then_some(what)
}

fn perform(cli: &Cli) -> Result<Report, Failure> {
    let globals = &cli.globals;
    match &cli.verb {
        Verb::Device(verb) => return profiles::perform(globals, verb),
        Verb::Cred(verb) => return cred::perform(globals, verb),
        Verb::Schema(options) => return schema::perform(options),
        Verb::Doctor(options) => return doctor::perform(globals, options),
        Verb::Update(update::UpdateVerb::Show(options)) => return update::show(options),
        Verb::Backup(verb) => {
            if let Some(done) = backup::without_device(verb) {
                return done;
            }
        }
        _ => {}
    }
    let mut devices = meant::devices(globals)?;
    let parallel = usize::from(globals.parallel);
    match &cli.verb {
        Verb::Metrics(options) if options.together() => {
            return match options.listen {
                Some(address) => exporter::listen(&mut devices, parallel, address),
                None => metrics::together(&mut devices, parallel, options),
            };
        }
        Verb::Cluster(ClusterVerb::Join(options)) if options.promote_by.is_some() => {
            let by = options.promote_by.as_slice();
            let mut members = meant::devices_of(globals, &meant::profiles(globals)?, by)?;
            let [device] = devices.as_mut_slice() else {
                return Err(Failure::usage("one device joins at a time"));
            };
            let joined = cluster::join::join(device, members.first_mut(), options);
            return or_rehearsed(device, joined);
        }
        Verb::Status(options) if options.watch.is_some() => {
            return watch::watch(globals, options, || {
                several::ask(&mut devices, globals, &cli.verb, |device| {
                    on(device, &cli.verb)
                })
            });
        }
        Verb::Run(options) => {
            let streams = run::Streams::of(globals, &devices);
            return several::ask(&mut devices, globals, &cli.verb, |device| {
                let done = run::run(device, globals, options, streams);
                or_rehearsed(device, done)
            });
        }
        _ => {}
    }
    several::ask(&mut devices, globals, &cli.verb, |device| {
        on(device, &cli.verb)
    })
}

/// What a command does with one device.
fn on(device: &mut Device, verb: &Verb) -> Result<Report, Failure> {
    let done = done(device, verb);
    or_rehearsed(device, done)
}

/// A rehearsal ends where the first change would be, and that is no failure.
fn or_rehearsed(device: &Device, done: Result<Report, Failure>) -> Result<Report, Failure> {
    match done {
        Err(failure) if failure.status == Status::Done => {
            let text = several::own_words(&device.label, &failure).to_owned();
            let value = serde_json::json!({ "dry_run": true, "would": text });
            Ok(Report::done(text, value))
        }
        done => done,
    }
}

fn done(device: &mut Device, verb: &Verb) -> Result<Report, Failure> {
    match verb {
        Verb::Device(_) | Verb::Cred(_) | Verb::Doctor(_) | Verb::Schema(_) | Verb::Run(_) => {
            Err(Failure::usage("that is not done like this with one device"))
        }
        Verb::Info => health::info(device),
        Verb::State => health::state(device),
        Verb::Health(verb) => health::health(device, verb),
        Verb::Status(_) => health::status(device),
        Verb::Certificates(options) => certificates::certificates(device, options),
        Verb::Wait(options) => health::wait(device, options),
        Verb::Metrics(_) => metrics::metrics(device),
        Verb::Selftest => selftest::selftest(device),
        Verb::Provision(options) => provision::provision(device, options),
        Verb::Unlock(options) => provision::unlock(device, options),
        Verb::Lock => provision::lock(device),
        Verb::Random(options) => provision::random(device, options),
        Verb::System(verb) => system::system(device, verb),
        Verb::Update(verb) => update::update(device, verb),
        Verb::Backup(verb) => backup::backup(device, verb),
        Verb::User(verb) => user::user(device, verb),
        Verb::Namespace(verb) => namespace::namespace(device, verb),
        Verb::Key(verb) => key::key(device, verb),
        Verb::Openpgp(verb) => openpgp::openpgp(device, verb),
        Verb::Tls(verb) => tls::tls(device, verb),
        Verb::Config(verb) => config::config(device, verb),
        Verb::Cluster(verb) => cluster::cluster(device, verb),
    }
}
