//! The program, started by hand.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::authority::Authority;
use crate::client::{Client, Received};
use crate::cluster::{ask_to_join, learner};
use crate::device::UNLOCK;

/// A program that is ended with the test.
struct Program {
    child: Child,
    client: Client,
    /// Where members of its cluster reach it.
    members: Option<String>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nethsm-simulator"))
            .args(["--listen", "127.0.0.1:0", "--scrypt", "2,1,1"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let members = arguments.contains(&"--listen-members").then(|| {
            let lines = stdout.lines().map(Result::unwrap);
            let members = lines.map(|line| line.strip_prefix("members ").map(str::to_owned));
            members.flatten().next().unwrap()
        });
        let address = line.strip_prefix("https://").unwrap();
        let address = address.strip_suffix("/api/v1\n").unwrap().parse().unwrap();
        Self {
            child,
            client: Client::new(address),
            members,
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Received {
        let login = (
            "Authorization".to_owned(),
            "Basic YWRtaW46YWRtaW5hZG1pbg==".to_owned(),
        );
        let json = ("Content-Type".to_owned(), "application/json".to_owned());
        let path = format!("/api/v1/{path}");
        self.client
            .send(method, &path, &[login, json], Some(body.as_bytes()))
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.ask("GET", path, "").body).unwrap()
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&self.ask("GET", "health/state", "").body).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PROVISION: &str = r#"{unlockPassphrase:"unlockunlock",adminPassphrase:"adminadmin",
    systemTime:"2026-11-22T09:12:29Z"}"#;

#[test]
fn it_ends_when_it_is_shut_down_and_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let arguments = ["--state-file", file.to_str().unwrap()];
    let mut first = Program::start(&arguments);
    assert_eq!(first.ask("POST", "provision", PROVISION).status, 204);
    assert_eq!(first.ask("POST", "system/shutdown", "").status, 204);
    assert!(first.child.wait().unwrap().success());
    let second = Program::start(&arguments);
    assert_eq!(second.state()["state"], "Locked");
}

#[test]
fn it_fails_as_its_arguments_say() {
    let fail = ["--fail-next", "info_get=503*2", "--fail-next", "418"];
    let program = Program::start(&fail);
    let statuses = [503, 503, 418, 200].map(|_| program.ask("GET", "info", "").status);
    assert_eq!(statuses, [503, 503, 418, 200]);
    let program = Program::start(&["--failed"]);
    assert_eq!(program.state()["state"], "Failed");
}

#[test]
fn each_knob_reaches_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("exchanges");
    let arguments = [
        "--record",
        record.to_str().unwrap(),
        "--version",
        "4.0",
        "--latency",
        "120",
        "--quirk",
        "v4-304-body",
    ];
    let program = Program::start(&arguments);
    let begun = Instant::now();
    assert_eq!(program.ask("POST", "provision", PROVISION).status, 204);
    assert!(begun.elapsed() >= Duration::from_millis(120));
    let info: Value = serde_json::from_slice(&program.ask("GET", "system/info", "").body).unwrap();
    assert_eq!(info["softwareVersion"], "4.0");
    let operator = r#"{realName:"x",role:"Operator",passphrase:"operatoroperator"}"#;
    program.ask("PUT", "users/operator", operator);
    let tag = || program.ask("PUT", "users/operator/tags/berlin", "");
    assert_eq!(tag().status, 204);
    assert_eq!(tag().status, 304);
    let lines = std::fs::read_to_string(record).unwrap();
    assert_eq!(lines.lines().count(), 5);
    assert!(
        lines
            .lines()
            .last()
            .unwrap()
            .contains(r#"{\"message\":\"\"}"#),
        "{lines}"
    );
}

#[test]
fn it_refuses_arguments_that_mean_nothing() {
    for arguments in [
        ["--version", "3.0"],
        ["--scrypt", "3,1,1"],
        ["--fail-next", "no_such_post=503"],
        ["--quirk", "none"],
    ] {
        let status = Command::new(env!("CARGO_BIN_EXE_nethsm-simulator"))
            .args(arguments)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(2), "{arguments:?}");
    }
}

/// Each is told of one other at most: members tell of each other.
#[test]
fn programs_join_one_another() {
    let authority = Authority::new();
    let begin = |number: u8, peer: Option<&Program>| {
        let id = format!("000000000{number}");
        let mut arguments = vec!["--listen-members", "127.0.0.1:0", "--device-id", &id];
        let peer = peer.map(|peer| format!("192.0.2.1={}", peer.members.as_ref().unwrap()));
        if let Some(peer) = &peer {
            arguments.extend(["--peer", peer]);
        }
        let program = Program::start(&arguments);
        assert_eq!(program.ask("POST", "provision", PROVISION).status, 204);
        authority.prepare(&program.client, number, &format!("IP:192.0.2.{number}"));
        program
    };
    let first = begin(1, None);
    let passphrase = r#"{"newPassphrase":"backupbackup","currentPassphrase":""}"#;
    let put = first.ask("PUT", "config/backup-passphrase", passphrase);
    assert_eq!(put.status, 204);
    let all = [begin(2, Some(&first)), begin(3, Some(&first))];
    for (number, joiner) in (2..).zip(&all) {
        let url = format!(r#"{{"urls":["https://192.0.2.{number}:2380"]}}"#);
        let added = first.ask("POST", "cluster/members", &url);
        let mut request: Value = serde_json::from_slice(&added.body).unwrap();
        request["backupPassphrase"] = "backupbackup".into();
        let id = learner(&request);
        let address = joiner.client.address();
        std::thread::scope(|scope| {
            let joined = scope.spawn(|| ask_to_join(address, &request));
            let promote = format!("cluster/members/{id}/promote");
            let until = Instant::now() + Duration::from_secs(20);
            while first.ask("POST", &promote, "").status != 204 {
                assert!(Instant::now() < until);
            }
            let joined = joined.join().unwrap();
            assert_eq!(joined.status, 204, "{}", joined.text());
        });
        assert_eq!(joiner.state()["state"], "Locked");
        assert_eq!(joiner.ask("POST", "unlock", UNLOCK).status, 204);
    }
    let [second, third] = all;
    // The one by whom they know each other is gone.
    drop(first);
    let key = r#"{"mechanisms":["EdDSA_Signature"],"type":"Curve25519","id":"new"}"#;
    assert_eq!(second.ask("POST", "keys/generate", key).status, 201);
    assert_eq!(third.json("keys/new"), second.json("keys/new"));
    assert_eq!(third.json("cluster/members").as_array().unwrap().len(), 3);
}
