//! A machine that reaches devices over its loopback interface, all with the same key.

use signstar_core::{Event, KeyKind, KeyVersion};
use signstar_testkit::nethsm::{credentials, NetHsm, PASSPHRASE};

use crate::support::world::SIGNERS;
use crate::support::{Configuration, SigningKey, World};

/// An artifact. Nothing of it may be seen anywhere.
pub(crate) const INPUT: &[u8] = b"ARTIFACT-THAT-NOBODY-ECHOES\n";
/// The operation that signs.
pub(crate) const SIGN: &str = "keys_key_id_sign_post";
/// The one that reads the key.
pub(crate) const READ: &str = "keys_key_id_get";
/// The file with the passphrase.
pub(crate) const PASSPHRASE_FILE: &str = "/etc/signstar/packages.nethsm";
/// The operator's names for the devices.
const LABELS: [&str; 3] = ["first", "second", "third"];

const OPERATOR: &str = "signer";
const SEED: [u8; 32] = [7; 32];

/// Devices and a machine.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) devices: Vec<NetHsm>,
    pub(crate) key: String,
}

impl Scene {
    /// One device with a key of this kind.
    pub(crate) fn with(kind: &str) -> Self {
        Self::of(1, |devices| devices[0].generate(kind))
    }

    /// So many devices with the same Ed25519 key.
    pub(crate) fn replicas(count: usize) -> Self {
        Self::of(count, |devices| {
            for device in devices {
                device.import("packages", &SEED);
            }
            "packages".to_owned()
        })
    }

    fn of(count: usize, key: impl FnOnce(&[NetHsm]) -> String + Send) -> Self {
        let placeholder = SigningKey::new(KeyKind::Ed25519);
        let mut world = World::with(&Configuration::new(), placeholder);
        let (devices, key, certified) = world.on_network(|| {
            let devices: Vec<NetHsm> = (0..count).map(|_| NetHsm::simulated()).collect();
            for device in &devices {
                device.add_operator(OPERATOR);
            }
            let key = key(&devices);
            let certified = certified(&devices[0], &key);
            (devices, key, certified)
        });
        world.key = certified;
        world.install_key(&world.key);
        world.write(PASSPHRASE_FILE, PASSPHRASE, (0, SIGNERS), 0o440);
        let scene = Self {
            world,
            devices,
            key,
        };
        scene.configure(Configuration::new(), "");
        scene
    }

    /// Replaces the configuration: with more lines for `[key.packages.nethsm]`.
    pub(crate) fn configure(&self, configuration: Configuration, lines: &str) {
        let table = self.table(lines);
        self.world
            .configure(&configuration.back_end("nethsm", &table));
    }

    /// The lines of `[key.packages.nethsm]` and below.
    pub(crate) fn table(&self, lines: &str) -> String {
        let mut table = format!(
            "key = \"{}\"\nuser = \"{OPERATOR}\"\npassphrase = \"{PASSPHRASE_FILE}\"\n{lines}\n",
            self.key
        );
        for (device, label) in self.devices.iter().zip(LABELS) {
            table += &format!(
                "[key.packages.nethsm.device.{label}]\naddress = \"{}\"\ntrust = \"pin:{}\"\n",
                device.address(),
                device.fingerprint()
            );
        }
        table
    }

    /// How often the devices have used the key.
    pub(crate) fn uses(&self) -> Vec<u64> {
        let all = self.devices.iter();
        all.map(|device| device.simulator().key_uses(&self.key))
            .collect()
    }

    /// What the records say has happened, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        let records = self.world.audit();
        records.iter().map(|record| record.event).collect()
    }
}

/// Has the key sign its own certificate, an hour ago.
fn certified(device: &NetHsm, key: &str) -> SigningKey {
    let mut settings = device.settings(key);
    settings.credentials = credentials(OPERATOR, PASSPHRASE);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    SigningKey::in_device(opened.signer.as_mut(), KeyVersion::V4)
}

/// Whether the process waits in poll(2), confined.
pub(crate) fn waits(process: u32) -> bool {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
    read("status").contains("Seccomp:\t2") && read("syscall").starts_with("7 ")
}
