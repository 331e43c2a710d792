//! The steps of the documentation that make a cluster, done as they stand there, and what it is good for.

use std::path::Path;
use std::time::Duration;

use signstar_core::{Digest, HashAlgorithm, Hasher};
use signstar_nethsm::client::{Credentials, Trust};
use signstar_nethsm::{Device, Order, Settings};
use signstar_nethsm_simulator::{Running, State};
use zeroize::Zeroizing;

use crate::stage::{PASSPHRASES, Stage};

/// The commands of the section, block by block.
fn blocks() -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nethsm-cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("## A cluster\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| {
            let (block, _) = block.split_once("```").unwrap();
            block.lines().map(str::to_owned).collect()
        })
        .collect()
}

/// Does a block; what follows a remark is done for each device that it names.
fn perform(stage: &Stage, block: &[String]) {
    let at = block.iter().position(|line| line.starts_with('#'));
    let (once, each) = block.split_at(at.unwrap_or(block.len()));
    let confirmed = |line: &str| match line.starts_with("nethsm-cli ") {
        true => stage.performs(&format!("{line} --yes")),
        false => stage.performs(line),
    };
    once.iter().for_each(|line| confirmed(line));
    let Some((remark, each)) = each.split_first() else {
        return;
    };
    for (label, address) in [
        ("one", "192.168.1.1"),
        ("two", "192.168.1.2"),
        ("three", "192.168.1.3"),
    ] {
        if remark.contains(label) {
            for line in each {
                let words = line.split(' ').map(|word| match word.strip_prefix("two") {
                    Some(rest) => format!("{label}{rest}"),
                    None => word.replace("192.168.1.2", address),
                });
                confirmed(&words.collect::<Vec<_>>().join(" "));
            }
        }
    }
}

fn digest() -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256, u64::MAX);
    hasher.update(b"artifact").unwrap();
    hasher.finish()
}

/// How the signing back end reaches a device.
fn device(label: &str, running: &Running) -> Device {
    Device {
        label: label.to_owned(),
        address: running.address().to_string().parse().unwrap(),
        name: None,
        trust: Trust::Pin(running.fingerprint().parse().unwrap()),
    }
}

#[test]
fn a_cluster_is_made_by_the_steps_of_the_documentation_and_signs_without_its_first_device() {
    let stage = Stage::connected(&["one", "two", "three"]);
    for label in ["one", "two", "three"] {
        stage.performs(&format!(
            "nethsm-cli -d {label} provision --unlock-passphrase-from file:unlock.txt \
             --admin-passphrase-from file:admin.txt"
        ));
    }
    stage.performs("nethsm-cli -d one user add operator --role Operator --new-passphrase-from file:operator.txt");
    stage.performs("nethsm-cli -d one key generate EC_P256 --id packages");
    stage.performs("nethsm-cli -d two key generate EC_P256 --id of-two");
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);
    blocks.iter().for_each(|block| perform(&stage, block));
    let (_, members) = stage.cli("-d three cluster members");
    assert_eq!(members.matches("takes part").count(), 3, "{members}");
    assert!(
        members.ends_with("of 3 that take part, 2 must be there\n"),
        "{members}"
    );

    // Keys are the same everywhere; what one device signs another one's public key verifies.
    for label in ["one", "two", "three"] {
        let listed = stage.cli(&format!("-d {label} key list"));
        assert_eq!(listed, (0, "packages\n".to_owned()), "{label}");
    }
    std::fs::write(stage.folder.path().join("artifact"), "artifact").unwrap();
    stage.performs("nethsm-cli -d two key sign packages --mode ecdsa --input artifact --out sig");
    stage.performs("nethsm-cli -d one key public packages --out public");
    stage.performs("openssl dgst -sha256 -verify public -signature sig artifact");

    // The first one ends. Whoever signs goes on with the second, since most are there.
    let passphrase = PASSPHRASES
        .iter()
        .find(|(name, _)| *name == "operator")
        .unwrap()
        .1;
    let passphrase = Zeroizing::new(passphrase.to_owned());
    let settings = Settings {
        key: "packages".to_owned(),
        devices: vec![
            device("one", &stage.device),
            device("two", &stage.others["two"]),
        ],
        credentials: Credentials::new("operator", passphrase).unwrap(),
        order: Order::Listed,
        connect_wait: Duration::from_secs(5),
        wait: Duration::from_secs(20),
    };
    let before = signstar_nethsm::open(&settings).unwrap();
    stage.device.power_off();
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    assert_eq!(opened.signer.public_key(), before.signer.public_key());
    opened.signer.sign(&digest()).unwrap();
    assert_eq!(stage.others["two"].key_uses("packages"), 2);

    // The last one signs nothing.
    stage.others["three"].power_off();
    assert!(signstar_nethsm::open(&settings).is_err());
    stage.others["two"].advance(Duration::from_secs(60));
    assert_eq!(stage.others["two"].state(), State::Failed);
}
