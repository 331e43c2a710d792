//! `metrics --listen`, asked by a plain socket.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use signstar_nethsm_simulator::{Options, Running, Simulator};
use tempfile::TempDir;

const PASSPHRASE: &str = "passphrase-of-metrics";

struct Exporter {
    child: Child,
    address: String,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nethsm_cli(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nethsm-cli"));
    command
        .current_dir(folder.path())
        .env_clear()
        .env("NETHSM_CONFIG", "config.toml")
        .stdin(Stdio::null());
    command
}

/// A provisioned device with a user for metrics, and one that is not there.
fn stage() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let device = Simulator::start(Options::default()).unwrap();
    let (url, pin) = (device.url(), device.fingerprint());
    let user = "role = \"Metrics\"\npassphrase = \"file:metrics.txt\"";
    let profile = format!(
        "version = 1\n[device.one]\nurl = \"{url}\"\npin = \"{pin}\"\n[device.one.user.metrics]\n{user}\n\
         [device.two]\nurl = \"127.0.0.1:9\"\npin = \"{pin}\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), profile).unwrap();
    for (name, text) in [
        ("metrics.txt", PASSPHRASE),
        ("admin.txt", "passphrase-of-admin"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    for line in [
        "-d one provision --unlock-passphrase-from file:admin.txt --admin-passphrase-from file:admin.txt",
        "-d one --user admin --passphrase-from file:admin.txt user add metrics --role Metrics \
         --new-passphrase-from file:metrics.txt",
    ] {
        let status = nethsm_cli(&folder).args(line.split_whitespace()).status();
        assert!(status.unwrap().success(), "{line}");
    }
    (folder, device)
}

fn start(folder: &TempDir) -> Exporter {
    let mut child = nethsm_cli(folder)
        .args(["--all", "metrics", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("answers at http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap().to_owned();
    Exporter { child, address }
}

fn ask(exporter: &Exporter, request: &str) -> String {
    let mut stream = TcpStream::connect(&exporter.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn prometheus_is_answered_and_sees_devices_go_and_come() {
    let (folder, device) = stage();
    let exporter = start(&folder);
    assert!(exporter.address.starts_with("127.0.0.1:"));
    let answer = ask(&exporter, GET);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for line in [
        "nethsm_up{device=\"one\"} 1",
        "nethsm_up{device=\"two\"} 0",
        "nethsm_state{device=\"one\",state=\"Operational\"} 1",
        "nethsm_complete{device=\"one\"} 1",
        "nethsm_uptime{device=\"one\"} ",
    ] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
    // Each metric is introduced once, however many devices have it.
    assert_eq!(answer.matches("# TYPE nethsm_up gauge").count(), 1);
    device.power_off();
    assert!(ask(&exporter, GET).contains("nethsm_up{device=\"one\"} 0"));
    device.power_on();
    let answer = ask(&exporter, GET);
    assert!(answer.contains("state=\"Locked\""), "{answer}");
    assert!(!answer.contains("nethsm_uptime"), "{answer}");
}

#[test]
fn what_is_no_request_for_metrics_gets_none_and_holds_nobody_up() {
    let (folder, device) = stage();
    let exporter = start(&folder);
    let before = device.all_requests();
    let not_found = ask(&exporter, "GET /other HTTP/1.1\r\n\r\n");
    assert!(not_found.starts_with("HTTP/1.1 404 "), "{not_found}");
    let refused = ask(&exporter, "POST /metrics HTTP/1.1\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 405 "), "{refused}");
    // Endless headers, bytes that are no text, and somebody who says nothing and stays.
    let mut endless = TcpStream::connect(&exporter.address).unwrap();
    let _ = endless.write_all(&[b'x'; 64 << 10]);
    let mut odd = TcpStream::connect(&exporter.address).unwrap();
    let _ = odd.write_all(b"\xff\xfe\r\n\r\n");
    assert_eq!(device.all_requests(), before);
    let silent = TcpStream::connect(&exporter.address).unwrap();
    assert!(ask(&exporter, GET).contains("nethsm_up{device=\"one\"} 1"));
    drop(silent);
}

#[test]
fn a_refused_passphrase_is_not_tried_again() {
    let (folder, device) = stage();
    std::fs::write(folder.path().join("metrics.txt"), "not-the-passphrase").unwrap();
    let exporter = start(&folder);
    let count = || {
        device
            .all_requests()
            .get("metrics_get")
            .copied()
            .unwrap_or(0)
    };
    let before = count();
    for _ in 0..3 {
        let answer = ask(&exporter, GET);
        assert!(answer.contains("nethsm_up{device=\"one\"} 1"), "{answer}");
    }
    assert_eq!(count(), before + 1);
    assert!(ask(&exporter, GET).contains("nethsm_complete{device=\"one\"} 0"));
}
