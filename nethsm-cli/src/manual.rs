//! What manual pages say beyond the options: examples, files, variables of the environment, statuses.

mod examples;

/// A section of a manual page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its title, in capitals.
    pub title: &'static str,
    /// Pairs of what something is called and what it is.
    pub items: Vec<(String, String)>,
}

/// The sections for the command at `path` below the program, as `key list`; empty for the program.
pub fn sections(path: &str) -> Vec<Section> {
    let examples = examples::examples().filter(|(of, _, _)| *of == path);
    let examples: Vec<_> = examples
        .map(|(_, what, line)| ((*line).to_owned(), (*what).to_owned()))
        .collect();
    let texts = |items: &[(&str, &str)]| {
        items
            .iter()
            .map(|(name, what)| ((*name).to_owned(), (*what).to_owned()))
            .collect()
    };
    let mut sections = Vec::new();
    if !examples.is_empty() {
        sections.push(Section {
            title: "EXAMPLES",
            items: examples,
        });
    }
    sections.push(Section {
        title: "FILES",
        items: texts(&FILES),
    });
    sections.push(Section {
        title: "ENVIRONMENT",
        items: environment(path),
    });
    sections.push(Section {
        title: "EXIT STATUS",
        items: texts(&STATUSES),
    });
    sections
}

const FILES: [(&str, &str); 2] = [
    (
        "$XDG_CONFIG_HOME/nethsm-cli/config.toml",
        "The profile: devices, and who asks them; below ~/.config where that variable is not set. TOML, mode \
         0600, without secrets. Commands change it and leave comments where they are.",
    ),
    (
        "$XDG_CACHE_HOME/nethsm-cli/known.json",
        "What lists of the last twelve hours had in them, for completions alone; below ~/.cache where that \
         variable is not set. Mode 0600, ids without secrets. It may be removed.",
    ),
];

const STATUSES: [(&str, &str); 13] = [
    ("0", "It is done."),
    ("1", "A file, a program or the device failed."),
    (
        "2",
        "The command line or the profile is wrong, or nobody confirmed.",
    ),
    ("3", "The device refuses user and passphrase."),
    (
        "4",
        "The user may not do it: another role, namespace or tag.",
    ),
    ("5", "The device does not have it."),
    ("6", "The device is in another state, as Locked."),
    ("7", "Something is in the way, as a key with that id."),
    (
        "8",
        "The device cannot be reached, or does not prove who it is.",
    ),
    ("9", "The device still waits after a failed login."),
    ("10", "The device differs from the file (config diff)."),
    (
        "11",
        "Something wants attention (doctor, certificates --expires-within).",
    ),
    (
        "12",
        "Something is wrong (doctor, key counters), or a signature is not good (key verify).",
    ),
];

/// The variables of the command's options and of those that every command has, none of them for a secret.
fn environment(path: &str) -> Vec<(String, String)> {
    let program = crate::command();
    let mut command = &program;
    for name in path.split_terminator(' ') {
        let Some(below) = command.find_subcommand(name) else {
            break;
        };
        command = below;
    }
    let mut found = Vec::new();
    if !path.is_empty() {
        found.push((format!("Of {path}"), variables_of(command)));
    }
    found.push(("Of every command".to_owned(), variables_of(&program)));
    found.retain(|(_, variables)| !variables.is_empty());
    found.push((
        "CREDENTIALS_DIRECTORY".to_owned(),
        "Where systemd(1) has put what credential:NAME means.".to_owned(),
    ));
    found.push((
        "NO_COLOR".to_owned(),
        "Where it is not empty, there are no colours but for --color always.".to_owned(),
    ));
    found.push((
        "RUST_LOG".to_owned(),
        "What diagnostics are shown, for example debug, which is what --trace means.".to_owned(),
    ));
    found
}

fn variables_of(command: &clap::Command) -> String {
    let variables = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_string_lossy();
        let option = argument.get_long().unwrap_or_default();
        Some(format!("{name} for --{option}"))
    });
    variables.collect::<Vec<_>>().join(", ")
}
