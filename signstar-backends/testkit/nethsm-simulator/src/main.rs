//! `nethsm-simulator`: a simulated NetHSM, started by hand.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use signstar_nethsm_simulator::{
    DeviceOptions, Fault, Network, Options, Running, ScryptCost, Simulator, Version, operations,
};

/// Answer like a NetHSM, over HTTPS.
///
/// Prints the base address and the certificate's SHA-256, and runs until it is ended or told to shut
/// down through its interface. For tests only: nothing is protected.
#[derive(Debug, Parser)]
#[command(name = "nethsm-simulator", disable_version_flag = true)]
struct Arguments {
    /// Where to serve HTTPS; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where to answer HTTP with the address of HTTPS.
    #[arg(long)]
    listen_http: Option<SocketAddr>,
    /// The firmware to simulate, 4.0 or 5.0.
    #[arg(long, default_value = "5.0", value_parser = Version::parse)]
    version: Version,
    /// The cost of unlock and backup passphrases, N,r,p. A device's is 16384,8,16.
    #[arg(long, default_value = "16384,8,16", value_parser = scrypt)]
    scrypt: ScryptCost,
    /// A file that keeps the device's memory between runs. It holds every key, unprotected.
    #[arg(long)]
    state_file: Option<PathBuf>,
    /// Hold every answer back for so many milliseconds.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Answer the next requests of an operation with a status, `OPERATION=STATUS*TIMES`, such as
    /// keys_key_id_sign_post=503*2; without `OPERATION=` of any.
    #[arg(long, value_parser = failure)]
    fail_next: Vec<Failure>,
    /// Append every exchange to a file, passphrases and all.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Start in state Failed.
    #[arg(long)]
    failed: bool,
    /// The public key of update images, PEM.
    #[arg(long)]
    update_key: Option<PathBuf>,
    /// Where other simulators reach this one to make a cluster, on loopback; port 0 is any that is free.
    #[arg(long)]
    listen_members: Option<SocketAddr>,
    /// Where a member of the cluster to join is, `ADDRESS=PLACE`: the address of its network settings, and its
    /// --listen-members, such as 192.168.1.1=127.0.0.1:7001. That one tells of the others.
    #[arg(long, value_parser = peer)]
    peer: Vec<(String, SocketAddr)>,
    /// The device's number. Members of one cluster have different ones.
    #[arg(long, default_value = "0000000000")]
    device_id: String,
    /// Behave as old firmware did: v4-304-body puts a body after status 304.
    #[arg(long, value_parser = ["v4-304-body"])]
    quirk: Vec<String>,
}

/// What `--fail-next` says.
#[derive(Debug, Clone)]
struct Failure {
    operation: Option<String>,
    status: u16,
    times: usize,
}

fn failure(text: &str) -> Result<Failure, String> {
    let wrong = || "give OPERATION=STATUS*TIMES, such as keys_key_id_sign_post=503*2".to_owned();
    let (operation, rest) = match text.split_once('=') {
        Some((operation, _)) if !operations().any(|known| known == operation) => {
            return Err("there is no such operation".to_owned());
        }
        Some((operation, rest)) => (Some(operation.to_owned()), rest),
        None => (None, text),
    };
    let (status, times) = rest.split_once('*').unwrap_or((rest, "1"));
    let status = status
        .parse()
        .ok()
        .filter(|status| (200..600).contains(status));
    Ok(Failure {
        operation,
        status: status.ok_or_else(wrong)?,
        times: times.parse().map_err(|_| wrong())?,
    })
}

/// Where members listen if nobody says.
const ANY_PLACE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn peer(text: &str) -> Result<(String, SocketAddr), String> {
    let wrong = || "give ADDRESS=PLACE, such as 192.168.1.1=127.0.0.1:7001".to_owned();
    let (host, place) = text.split_once('=').ok_or_else(wrong)?;
    Ok((host.to_owned(), place.parse().map_err(|_| wrong())?))
}

/// The network, if there is anybody in it.
fn network(peers: &[(String, SocketAddr)], listens: bool) -> Option<Network> {
    let network = Network::new();
    for (host, place) in peers {
        network.lead(host, *place);
    }
    (listens || !peers.is_empty()).then_some(network)
}

fn scrypt(text: &str) -> Result<ScryptCost, String> {
    let wrong = || "give N,r,p, such as 16384,8,16".to_owned();
    let mut numbers = text.split(',');
    let mut next = || numbers.next().ok_or_else(wrong);
    let (n, r, p) = (next()?, next()?, next()?);
    let n = n.parse().map_err(|_| wrong())?;
    let r = r.parse().map_err(|_| wrong())?;
    ScryptCost::new(n, r, p.parse().map_err(|_| wrong())?)
}

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(running) => {
            // Who started this may have read as much as they wanted.
            let _ = announce(&running);
            running.wait_for_shutdown();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("nethsm-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn announce(running: &Running) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", running.url())?;
    writeln!(out, "sha256 {}", running.fingerprint())?;
    if let Some(http) = running.http_address() {
        writeln!(out, "http://{http}")?;
    }
    if let Some(place) = running.member_address() {
        writeln!(out, "members {place}")?;
    }
    out.flush()
}

fn start(arguments: Arguments) -> Result<Running, String> {
    let update_key =
        match &arguments.update_key {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                format!("cannot read the update key {}: {error}", path.display())
            })?),
        };
    let options = Options {
        listen: arguments.listen,
        listen_http: arguments.listen_http,
        device: DeviceOptions {
            version: arguments.version,
            scrypt: arguments.scrypt,
            update_key,
            body_with_304: !arguments.quirk.is_empty(),
            device_id: arguments.device_id,
        },
        network: network(&arguments.peer, arguments.listen_members.is_some()),
        listen_members: arguments.listen_members.unwrap_or(ANY_PLACE),
        state_file: arguments.state_file,
        record: arguments.record,
        latency: Duration::from_millis(arguments.latency),
        reboot: Duration::from_secs(1),
    };
    let running = Simulator::start(options).map_err(|error| error.to_string())?;
    running.set_failed(arguments.failed);
    for failure in arguments.fail_next {
        let body = "{\"message\":\"asked to fail\"}".to_owned();
        let fault = Fault::Status(failure.status, body);
        running.fail_next(failure.operation.as_deref(), fault, failure.times);
    }
    Ok(running)
}
