//! A thousand keys of a NetHSM listed with their details, beside the vendor's tool: on one simulated device
//! that takes 5 ms for each answer, as one does over a local network.
//!
//! It runs outside the throwaway enclave: no login shell takes part.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::contest::{Contestant, Input, in_turns};
use super::repetitions;
use super::table::Table;
use crate::failure::{Because, Failure, Result};
use crate::release;
use crate::tools::{python, system};
use crate::workspace::Workspace;

/// Rounds; a listing by the other tool takes many seconds.
const ROUNDS: u32 = 10;
/// What an answer waits for, in milliseconds.
const LATENCY_MS: &str = "5";
const KEYS: usize = 1_000;
/// At most this part of the other tool's time.
const BOUND: f64 = 0.25;
/// Throw-away values: the other tool takes its passphrase as an argument.
const PASSPHRASE: &str = "throw-away-passphrase";

/// Measures.
pub(crate) fn run(effort: u32) -> Result<Vec<Table>> {
    system::ensure(&system::TESTS)?;
    python::ensure()?;
    let workspace = Workspace::get()?;
    let nitropy = workspace.target_directory.join("tools/python/bin/nitropy");
    let ours = release::nethsm_cli()?;
    let device = Device::start(&ours)?;
    let contestants = [
        Contestant::new(
            "nethsm-cli",
            device.asked(&ours, &["key", "list", "--long"]),
        ),
        Contestant::new("nitropy", {
            let address = device.address.clone();
            let folder = device.folder.path().to_owned();
            move || {
                let mut command = Command::new(&nitropy);
                command
                    .args(["nethsm", "--host", &address, "--username", "admin"])
                    .args(["--password", PASSPHRASE, "--no-verify-tls"])
                    .args(["list-keys", "--details"])
                    .env("ALLOW_ROOT", "1")
                    // It writes a log for every start.
                    .env("TMPDIR", &folder)
                    .env("COLUMNS", "200")
                    .current_dir(&folder);
                command
            }
        }),
    ];
    for contestant in &contestants {
        complete(contestant)?;
    }
    let rounds = repetitions(ROUNDS, effort);
    println!("listing {KEYS} keys, {rounds} rounds");
    let table = Table {
        title: format!("{KEYS} keys of a NetHSM with their details, {LATENCY_MS} ms for an answer"),
        unit: "ms",
        repetitions: rounds,
        rows: in_turns(&contestants, Input::Bytes(&[]), rounds)?,
        goals: Vec::new(),
    };
    Ok(vec![table.at_most("nitropy", BOUND)])
}

/// Who lists fewer keys, or without their types, does less.
fn complete(contestant: &Contestant) -> Result<()> {
    let name = &contestant.name;
    let output = (contestant.command)().output();
    let output = output.because(format_args!("cannot start {name}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let full = (0..KEYS).all(|number| {
        let id = id(number);
        text.lines()
            .any(|line| line.contains(&id) && line.contains("Curve25519"))
    });
    match output.status.success() && full {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "{name} does not list every key: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        ))),
    }
}

fn id(number: usize) -> String {
    format!("key{number:04}")
}

/// A simulated device with its keys, and a folder with what is asked with.
struct Device {
    process: Child,
    folder: tempfile::TempDir,
    address: String,
    pin: String,
}

impl Drop for Device {
    fn drop(&mut self) {
        // One that has ended is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Device {
    fn start(ours: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().because("cannot make a temporary folder")?;
        let mut process = Command::new(simulator()?)
            .args(["--listen", "127.0.0.1:0", "--latency", LATENCY_MS])
            .stdout(Stdio::piped())
            .spawn()
            .because("cannot start the simulator")?;
        let mut lines = Vec::new();
        if let Some(said) = process.stdout.take() {
            lines.extend(
                BufReader::new(said)
                    .lines()
                    .take(2)
                    .map_while(|line| line.ok()),
            );
        }
        let mut device = Self {
            process,
            folder,
            address: String::new(),
            pin: String::new(),
        };
        let (Some(url), Some(pin)) = (lines.first(), lines.get(1)) else {
            return Err(Failure::new("the simulator says nothing"));
        };
        let address = url.trim_start_matches("https://");
        device.address = address.trim_end_matches("/api/v1").to_owned();
        device.pin = pin.trim_start_matches("sha256 ").to_owned();
        device.fill(ours)?;
        Ok(device)
    }

    fn fill(&self, ours: &Path) -> Result<()> {
        println!("making {KEYS} keys");
        let write = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).because(format_args!("cannot write {}", path.display()))
        };
        write("passphrase", PASSPHRASE)?;
        let keys = (0..KEYS).map(|number| {
            format!(
                "[key.{}]\ntype = \"Curve25519\"\nmechanisms = [\"EdDSA_Signature\"]\n",
                id(number)
            )
        });
        let source = "\"file:passphrase\"";
        let provision = format!(
            "version = 1\n[provision]\nunlock-passphrase = {source}\nadmin-passphrase = {source}\n"
        );
        write("desired.toml", &(provision + &keys.collect::<String>()))?;
        let apply = self.asked(ours, &["config", "apply", "desired.toml"]);
        let output = apply().output().because("cannot start nethsm-cli")?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "cannot make the keys: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            ))),
        }
    }

    /// Our tool as `admin`.
    fn asked(&self, ours: &Path, words: &'static [&'static str]) -> impl Fn() -> Command + 'static {
        let (ours, folder) = (ours.to_owned(), self.folder.path().to_owned());
        let (address, pin) = (self.address.clone(), self.pin.clone());
        move || {
            let mut command = Command::new(&ours);
            command
                .args(["--url", &address, "--pin", &pin, "--user", "admin"])
                .args(["--passphrase-file", "passphrase"])
                .args(words)
                .env("HOME", &folder)
                .current_dir(&folder);
            command
        }
    }
}

fn simulator() -> Result<PathBuf> {
    let package = "signstar-nethsm-simulator";
    let workspace = Workspace::get()?;
    let cargo = workspace.cargo();
    cargo
        .args(["build", "--release", "--locked", "--package", package])
        .run()?;
    Ok(workspace.target_directory.join("release/nethsm-simulator"))
}
