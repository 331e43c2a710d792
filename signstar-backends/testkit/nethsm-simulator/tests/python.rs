//! The vendor's own tools drive the simulator as they would a device.

// What a test relies on it says by a panic.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;

use signstar_nethsm_simulator::{Options, Running, ScryptCost, Simulator};

/// A program of the environment that `cargo xtask` makes.
fn tool(name: &str) -> PathBuf {
    // The tests lie in a folder of the target folder, the tools in another one.
    let own = std::env::current_exe().unwrap();
    let target = own.ancestors().nth(3).unwrap();
    let tool = target.join("tools/python/bin").join(name);
    assert!(
        tool.is_file(),
        "{} is not there: run `cargo xtask test --part tools`",
        tool.display()
    );
    tool
}

fn simulator(scrypt: ScryptCost) -> Running {
    let mut options = Options::default();
    options.device.scrypt = scrypt;
    Simulator::start(options).unwrap()
}

/// Runs a script, which must be content with the device.
fn is_content(script: &str, running: &Running) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/");
    let output = Command::new(tool("python"))
        .arg(format!("{folder}{script}"))
        .arg(running.address().to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let (text, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{text}{error}");
    assert!(text.ends_with("all as with a device\n"), "{text}{error}");
}

/// The package decrypts a backup, for which passphrases must cost what they do on a device.
#[test]
fn python_package_finds_a_device() {
    is_content("sdk.py", &simulator(ScryptCost::DEVICE));
}

#[test]
fn nitropy_finds_a_device() {
    let running = simulator(ScryptCost::CHEAP);
    is_content("nitropy.py", &running);
    assert_eq!(running.key_uses("ed"), 1);
    assert_eq!(running.requests("provision_post"), 1);
}
