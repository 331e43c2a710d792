//! What sshd says of itself, for one account.

use std::path::Path;
use std::process::Command;

use crate::cli::SshdCheck;
use crate::failure::{Failure, Status};

/// Where distributions have it. Nothing is looked up in `PATH`.
const PROGRAMS: [&str; 2] = ["/usr/sbin/sshd", "/usr/bin/sshd"];

/// Options with their values, in sshd's own words: names in lower case.
pub(super) struct Effective {
    lines: Vec<(String, String)>,
}

impl Effective {
    /// Asks sshd what holds for `user`; or what it complains about.
    pub(super) fn ask(user: &str, options: &SshdCheck) -> Result<Result<Self, String>, Failure> {
        let program = PROGRAMS
            .iter()
            .find(|program| Path::new(program).is_file())
            .ok_or_else(|| {
                let text = format!("{}: no sshd there: install it", PROGRAMS.join(", "));
                Failure::new(Status::Unavailable, text)
            })?;
        // Every word that a Match block can ask for.
        let SshdCheck {
            address,
            host,
            port,
            ..
        } = options;
        let connection = format!(
            "user={user},host={},addr={address},laddr={address},lport={port},rdomain=",
            host.clone().unwrap_or_else(|| address.to_string())
        );
        let output = Command::new(program)
            .env_clear()
            .args(["-T", "-C", &connection, "-f"])
            .arg(&options.sshd_config)
            .output()
            .map_err(|error| Failure::with(Path::new(program), &error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let complaint = said.lines().next().unwrap_or("it does not say why");
            return Ok(Err(complaint.trim().to_owned()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let split = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_lowercase(), value.trim().to_owned())
        };
        Ok(Ok(Self {
            lines: text.lines().map(split).collect(),
        }))
    }

    /// The value of an option; empty where sshd does not print it.
    pub(super) fn get(&self, option: &str) -> &str {
        let mut lines = self.lines.iter();
        let found = lines.find(|(name, _)| name == option);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The words of an option's values, which may be given several times; `none` is no word.
    pub(super) fn words<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a str> {
        let of_option = self.lines.iter().filter(move |(name, _)| name == option);
        of_option
            .flat_map(|(_, value)| value.split_whitespace())
            .filter(|word| *word != "none")
    }
}
