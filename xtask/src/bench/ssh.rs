//! Through a real sshd: new connections, and many clients that keep theirs.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::contest::{Contestant, Input, in_turns, median};
use super::keys::user_id;
use super::rivals::Gpg;
use super::sshd::Server;
use super::table::{Row, Table};
use super::{ED25519, repetitions};
use crate::failure::{Because, Failure, Result};
use crate::scene::Scene;

/// Clients at a time.
const CLIENTS: usize = 16;

/// Signatures of each client in one round.
const SIGNATURES: u32 = 20;

/// Rounds of single signatures.
const SINGLES: u32 = 40;

/// Rounds of many clients.
const ROUNDS: u32 = 7;

/// How long a client may take to connect.
const CONNECT: Duration = Duration::from_secs(20);

/// What runs at the other end.
struct Service {
    name: &'static str,
    account: &'static str,
}

const SERVICES: [Service; 3] = [
    Service {
        name: "signstar",
        account: "ed25519",
    },
    Service {
        name: "gpg",
        account: "bench-gpg",
    },
    Service {
        name: "true",
        account: "bench-true",
    },
];

/// A single one over a new and over a kept connection, and many over kept ones.
pub(crate) fn measure(root: &Path, gpg: &Gpg, effort: u32) -> Result<Vec<Table>> {
    let folder = root.join("ssh");
    std::fs::create_dir(&folder).because("cannot make a folder for sshd")?;
    let server = Server::start(&folder, &blocks(gpg))?;
    let input = [0x5a; 1024];
    let rounds = repetitions(SINGLES, effort);

    let new: Vec<Contestant> = SERVICES
        .iter()
        .map(|service| {
            let template = server.client(service.account);
            Contestant::new(service.name, move || copy(&template))
        })
        .collect();
    let single = table("A single signature over a new connection", rounds).with(in_turns(
        &new,
        Input::Bytes(&input),
        rounds,
    )?);

    let masters = Masters::connect(&server)?;
    let kept: Vec<Contestant> = SERVICES
        .iter()
        .map(|service| {
            let template = masters.client(&server, service, 0);
            Contestant::new(service.name, move || copy(&template))
        })
        .collect();
    let rounds_kept = rounds.saturating_mul(5);
    let single_kept = table("A single signature over a kept connection", rounds_kept)
        .with(in_turns(&kept, Input::Bytes(&input), rounds_kept)?);

    let rounds = repetitions(ROUNDS, effort);
    let many = Table {
        unit: "per second",
        ..table(
            "16 clients, each with a connection of its own that it keeps",
            rounds,
        )
        .with(many(&server, &masters, rounds)?)
    };
    Ok(vec![
        single.at_most("true", 1.15),
        single_kept,
        many.at_least("gpg", 1.25),
    ])
}

fn table(title: &str, repetitions: u32) -> Table {
    Table {
        title: format!("{title}, 1 KiB, Ed25519"),
        unit: "ms",
        repetitions,
        rows: Vec::new(),
        goals: Vec::new(),
    }
}

impl Table {
    fn with(self, rows: Vec<Row>) -> Self {
        Self { rows, ..self }
    }
}

/// Accounts for what runs beside ours: root's by another name, since gpg needs root's agent here.
pub(crate) fn add_accounts(scene: &Scene) -> Result<()> {
    for (file, rest) in [
        ("etc/passwd", "x:0:0::/:/bin/sh"),
        ("etc/shadow", "*:19000:0:99999:7:::"),
    ] {
        let path = scene.path(file);
        let attempt = "cannot add accounts";
        let mut file = File::options().append(true).open(path).because(attempt)?;
        for service in SERVICES.iter().filter(|service| service.name != "signstar") {
            writeln!(file, "{}:{rest}", service.account).because(attempt)?;
        }
    }
    Ok(())
}

/// The parts of sshd's configuration for each account. gpg and `true` run from a plain shell.
fn blocks(gpg: &Gpg) -> String {
    format!(
        "PermitRootLogin yes\n\
         Match User ed25519\n  ForceCommand /usr/bin/signstar\n  DisableForwarding yes\n\
         Match User bench-gpg\n  ForceCommand exec gpg --homedir {} --batch --quiet \
         --local-user {} --digest-algo SHA512 --detach-sign\n\
         Match User bench-true\n  ForceCommand exec true\n",
        gpg.home().display(),
        user_id(&ED25519),
    )
}

/// std cannot clone a command.
fn copy(template: &Command) -> Command {
    let mut command = Command::new(template.get_program());
    command.args(template.get_args());
    command
}

/// Connections that are kept: so many for each service.
struct Masters {
    children: Vec<(Child, PathBuf)>,
}

impl Masters {
    fn connect(server: &Server) -> Result<Self> {
        let mut masters = Self {
            children: Vec::new(),
        };
        for service in &SERVICES {
            for index in 0..CLIENTS {
                let socket = server.socket(service.account, index);
                let mut command = server.client(service.account);
                command.args(["-M", "-N", "-S"]).arg(&socket);
                command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                let child = command.spawn().because("cannot start ssh")?;
                masters.children.push((child, socket));
            }
        }
        let start = Instant::now();
        while !masters.children.iter().all(|(_, socket)| socket.exists()) {
            if start.elapsed() > CONNECT {
                return Err(Failure::new("not every ssh client could connect"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(masters)
    }

    fn client(&self, server: &Server, service: &Service, index: usize) -> Command {
        let mut command = server.client(service.account);
        command.arg("-S").arg(server.socket(service.account, index));
        command
    }
}

impl Drop for Masters {
    fn drop(&mut self) {
        for (child, _) in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Signatures per second of all clients together, service by service in turns.
fn many(server: &Server, masters: &Masters, rounds: u32) -> Result<Vec<Row>> {
    let mut rates: Vec<Vec<f64>> = SERVICES.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (service, rates) in SERVICES.iter().zip(&mut rates) {
            rates.push(rate(server, masters, service)?);
        }
    }
    let ours = rates.first().cloned().unwrap_or_default();
    Ok(SERVICES
        .iter()
        .zip(&rates)
        .map(|(service, theirs)| Row {
            name: service.name.to_owned(),
            value: median(theirs.iter().copied()),
            ratio: median(ours.iter().zip(theirs).map(|(a, b)| a / b)),
            more: None,
        })
        .collect())
}

fn rate(server: &Server, masters: &Masters, service: &Service) -> Result<f64> {
    let start = Instant::now();
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|index| {
                scope.spawn(move || {
                    let template = masters.client(server, service, index);
                    let client = Contestant::new(service.name, move || copy(&template));
                    for _ in 0..SIGNATURES {
                        super::contest::once(&client, Input::Bytes(&[0x5a; 1024]))?;
                    }
                    Ok(())
                })
            })
            .collect();
        let died = || Err(Failure::new("a client died"));
        clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| died()))
            .collect()
    });
    let took = start.elapsed().as_secs_f64();
    results.into_iter().collect::<Result<Vec<()>>>()?;
    let clients = u32::try_from(CLIENTS).unwrap_or(u32::MAX);
    Ok(f64::from(clients * SIGNATURES) / took)
}
