//! From two devices as they leave the factory to signatures, with `nethsm-cli` and nothing else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use signstar_core::{Event, KeyKind};
use signstar_nethsm_simulator::{Options, Running, Simulator};
use tempfile::TempDir;

use crate::scene::{INPUT, PASSPHRASE_FILE};
use crate::support::built::nethsm_cli;
use crate::support::world::SIGNERS;
use crate::support::{Configuration, SigningKey, World};

/// What both devices are to be.
const DESIRED: &str = r#"
version = 1
namespaces = ["team"]
[provision]
unlock-passphrase = "file:unlock"
admin-passphrase = "file:admin"
backup-passphrase = "file:backups"
[user.admin]
role = "Administrator"
[user.operator]
role = "Operator"
tags = ["packages"]
passphrase = "file:operator"
[user.backup]
role = "Backup"
passphrase = "file:backup"
[user."team~zoe"]
role = "Administrator"
passphrase = "file:team"
[key."team~try"]
type = "EC_P256"
mechanisms = ["ECDSA_Signature"]
"#;

const USERS: [(&str, &str, &str); 4] = [
    ("admin", "Administrator", "admin"),
    ("operator", "Operator", "operator"),
    ("backup", "Backup", "backup"),
    ("\"team~zoe\"", "Administrator", "team"),
];

/// An operator's folder, and two fresh devices on the network of a machine that signs.
struct Rack {
    world: World,
    folder: TempDir,
    devices: Vec<Running>,
}

impl Rack {
    fn new() -> Self {
        let world = World::with(&Configuration::new(), SigningKey::new(KeyKind::Ed25519));
        let devices = world.on_network(|| {
            let start = |_| Simulator::start(Options::default()).unwrap();
            (0..2).map(start).collect::<Vec<_>>()
        });
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        };
        for name in ["unlock", "admin", "backups", "operator", "backup", "team"] {
            write(name, &format!("passphrase-for-{name}\n"));
        }
        let mut profile = "version = 1\ndefault = \"one\"\n".to_owned();
        for (device, label) in devices.iter().zip(["one", "two"]) {
            let (url, pin) = (device.url(), device.fingerprint());
            profile += &format!("[device.{label}]\nurl = \"{url}\"\npin = \"{pin}\"\n");
            for (id, role, file) in USERS {
                profile += &format!(
                    "[device.{label}.user.{id}]\nrole = \"{role}\"\npassphrase = \"file:{file}\"\n"
                );
            }
        }
        write("config.toml", &profile);
        write("all.toml", DESIRED);
        write("artifact", std::str::from_utf8(INPUT).unwrap());
        Self {
            world,
            folder,
            devices,
        }
    }

    /// Runs a program in the folder, on the machine's network: its status, and all that it says.
    fn run(&self, program: &str, line: &[&str]) -> (i32, String) {
        let output = self.world.on_network(|| {
            Command::new(program)
                .args(line)
                .current_dir(self.folder.path())
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("HOME", self.folder.path())
                .env("NETHSM_CONFIG", "config.toml")
                .stdin(Stdio::null())
                .output()
                .unwrap()
        });
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code().unwrap(), said)
    }

    fn cli(&self, line: &str) -> (i32, String) {
        let program = nethsm_cli();
        let words: Vec<&str> = line.split(' ').collect();
        self.run(program.to_str().unwrap(), &words)
    }

    #[track_caller]
    fn done(&self, line: &str) -> String {
        let (status, said) = self.cli(line);
        assert_eq!(status, 0, "{line}: {said}");
        said
    }

    /// Has the machine use these devices.
    fn use_devices(&self, devices: &[usize]) {
        let mut table = format!(
            "key = \"packages\"\nuser = \"operator\"\npassphrase = \"{PASSPHRASE_FILE}\"\n"
        );
        for number in devices {
            let device = &self.devices[*number];
            table += &format!(
                "[key.packages.nethsm.device.d{number}]\naddress = \"{}\"\ntrust = \"pin:{}\"\n",
                device.address(),
                device.fingerprint()
            );
        }
        let configuration = Configuration::new().back_end("nethsm", &table);
        self.world.configure(&configuration);
    }

    /// Has the confined login shell sign, and gpg look at it.
    #[track_caller]
    fn signs(&self) {
        self.world.forget();
        let signature = self.world.shell().run(INPUT).success();
        let events: Vec<Event> = self.world.audit().iter().map(|r| r.event).collect();
        assert_eq!(events, [Event::Intent, Event::Release]);
        fs::write(self.folder.path().join("artifact.sig"), signature).unwrap();
        self.verify("artifact.sig");
    }

    #[track_caller]
    fn verify(&self, signature: &str) {
        let gpg = ["--homedir", ".", "--batch", "--trust-model", "always"];
        let words = [&gpg[..], &["--verify", signature, "artifact"]].concat();
        let (status, said) = self.run("gpg", &words);
        assert!(status == 0 && said.contains("Good signature"), "{said}");
    }

    fn uses(&self) -> [u64; 2] {
        [0, 1].map(|number: usize| self.devices[number].key_uses("packages"))
    }
}

#[test]
fn two_fresh_devices_become_a_signing_service() {
    let rack = Rack::new();
    // From factory state to a service, by one file; a second time has nothing to do.
    let said = rack.done("--all config apply all.toml");
    assert!(said.contains("+ provision"), "{said}");
    assert_eq!(
        rack.done("--all config apply all.toml")
            .matches("unchanged")
            .count(),
        2
    );
    rack.done("--all config diff all.toml");
    // The key is made on one, certified, and comes to the other by a backup.
    rack.done("key generate Curve25519 --id packages --tag packages");
    let create = "openpgp create packages --user-id packages@example.org --out packages.pgp \
                  --revocation packages.rev --store";
    rack.done(create);
    rack.done("backup create --out one.backup");
    rack.done("-d two backup restore one.backup --backup-passphrase-from file:backups --yes");
    rack.done("-d two unlock --unlock-passphrase-from file:unlock");
    rack.done("--all config diff all.toml");
    // The signing machine has it from both.
    let certificate = fs::read(rack.folder.path().join("packages.pgp")).unwrap();
    let place = "/etc/signstar/packages.pgp";
    rack.world.write(place, certificate, (0, 0), 0o644);
    rack.world.write(
        PASSPHRASE_FILE,
        "passphrase-for-operator\n",
        (0, SIGNERS),
        0o440,
    );
    let (status, said) = rack.run(
        "gpg",
        &[
            "--homedir",
            ".",
            "--batch",
            "--quiet",
            "--import",
            "packages.pgp",
        ],
    );
    assert_eq!(status, 0, "{said}");
    let before = rack.uses();
    rack.use_devices(&[0]);
    rack.signs();
    rack.use_devices(&[1]);
    rack.signs();
    assert_eq!(rack.uses(), before.map(|uses| uses + 1));
    rack.done("-d two openpgp sign packages --input artifact --out by-hand.sig");
    rack.verify("by-hand.sig");

    // Another TLS key: the device is not trusted any more, by nobody, until somebody says so.
    rack.use_devices(&[0]);
    rack.done("tls generate EC_P256 --yes");
    let (status, said) = rack.cli("key list");
    assert_eq!(status, 8, "{said}");
    assert!(said.contains("not the pinned one"), "{said}");
    // `use_devices` has written the old pin.
    let refused = rack.world.shell().run(INPUT);
    assert_eq!((refused.code(), refused.stdout.len()), (70, 0));
    let wrong = "0".repeat(64);
    let (status, said) = rack.cli(&format!("device trust one --expect {wrong}"));
    assert_eq!(status, 8, "{said}");
    let pin = rack.devices[0].fingerprint();
    rack.done(&format!("device trust one --expect {pin}"));
    assert_eq!(rack.done("key list"), "packages\n");
    rack.use_devices(&[0, 1]);
    rack.signs();

    // A namespace goes, and what is in it is said before.
    let plan = rack.done("namespace remove team --plan");
    assert!(plan.contains("1 key (try) would go"), "{plan}");
    assert_eq!(rack.done("namespace list"), "team\n");
    let gone = rack.done("namespace remove team --yes");
    assert!(gone.contains("1 key (try) gone"), "{gone}");
    assert_eq!(rack.done("namespace list"), "");
    let (status, drift) = rack.cli("config diff all.toml");
    assert_eq!(status, 10, "{drift}");
    rack.signs();
}
