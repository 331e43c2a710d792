//! A folder with a profile, passphrases and files, and a simulated device.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use signstar_nethsm_simulator::{DeviceOptions, Fault, Options, Running, ScryptCost, Simulator};
use tempfile::TempDir;

/// Passphrases, by the file that they are in.
pub(crate) const PASSPHRASES: [(&str, &str); 9] = [
    ("unlock", "unlock-passphrase-of-the-device"),
    ("admin", "passphrase-of-admin"),
    ("operator", "passphrase-of-operator"),
    ("metrics", "passphrase-of-metrics"),
    ("backup", "passphrase-of-backup"),
    ("team", "passphrase-of-team"),
    ("backups", "passphrase-of-backups"),
    ("new", "another-passphrase"),
    ("wrong", "not-the-right-passphrase"),
];

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) device: Running,
    /// Devices beside it, by their labels: they end with this.
    pub(crate) others: BTreeMap<String, Running>,
}

/// A command that goes on.
pub(crate) struct Begun(Child);

impl Begun {
    /// Waits for its end: its status, and what it has said on both streams.
    pub(crate) fn end(self) -> (i32, Vec<u8>, Vec<u8>) {
        let output = self.0.wait_with_output().unwrap();
        let status = output.status.code().unwrap_or(-1);
        (status, output.stdout, output.stderr)
    }
}

impl Stage {
    /// A fresh device.
    pub(crate) fn fresh() -> Self {
        Self::with(ScryptCost::CHEAP, None)
    }

    /// A fresh one, whose passphrases cost what they cost on a device.
    pub(crate) fn fresh_and_costly() -> Self {
        Self::with(ScryptCost::DEVICE, None)
    }

    /// A device that was provisioned, with a user for each role, and takes the image `update.img`.
    pub(crate) fn updatable() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = image(folder.path());
        Self::with(ScryptCost::CHEAP, Some((folder, key))).provisioned()
    }

    /// `image` is a folder with an image, and the key of it.
    fn with(scrypt: ScryptCost, image: Option<(TempDir, String)>) -> Self {
        let (folder, update_key) = match image {
            Some((folder, key)) => (folder, Some(key)),
            None => (tempfile::tempdir().unwrap(), None),
        };
        let device = Simulator::start(Options {
            device: DeviceOptions {
                update_key,
                scrypt,
                ..DeviceOptions::default()
            },
            ..Options::default()
        })
        .unwrap();
        Self::around(folder, device)
    }

    /// A device, which is called one, and a folder.
    pub(crate) fn around(folder: TempDir, device: Running) -> Self {
        for (name, passphrase) in PASSPHRASES {
            secret(
                &folder.path().join(format!("{name}.txt")),
                &format!("{passphrase}\n"),
            );
        }
        let stage = Self {
            folder,
            device,
            others: BTreeMap::new(),
        };
        let profile = "# Written by hand.\nversion = 1\ndefault = \"one\"\n";
        stage.write_profile(profile, "one", &stage.device);
        stage
    }

    /// Two fresh devices.
    pub(crate) fn two() -> Self {
        let mut stage = Self::fresh();
        stage.add("two", Simulator::start(Options::default()).unwrap());
        stage
    }

    /// Another device.
    pub(crate) fn add(&mut self, label: &str, device: Running) {
        let profile = std::fs::read_to_string(self.folder.path().join("config.toml")).unwrap();
        self.write_profile(&profile, label, &device);
        self.others.insert(label.to_owned(), device);
    }

    /// How often the devices were asked for each operation.
    pub(crate) fn all_requests(&self) -> BTreeMap<String, u64> {
        let mut all = self.device.all_requests();
        for device in self.others.values() {
            for (operation, count) in device.all_requests() {
                *all.entry(operation).or_default() += count;
            }
        }
        all
    }

    /// Adds a device to the profile, with a user for each role.
    fn write_profile(&self, profile: &str, label: &str, device: &Running) {
        let mut profile = format!(
            "{profile}\n[device.{label}]\nurl = \"{}\"\npin = \"{}\"\n",
            device.url(),
            device.fingerprint()
        );
        for (id, role) in [
            ("admin", "Administrator"),
            ("operator", "Operator"),
            ("metrics", "Metrics"),
            ("backup", "Backup"),
        ] {
            profile.push_str(&format!(
                "\n[device.{label}.user.{id}]\nrole = \"{role}\"\npassphrase = \"file:{id}.txt\"\n"
            ));
        }
        secret(&self.folder.path().join("config.toml"), &profile);
    }

    /// A device that was provisioned, with a user for each role.
    pub(crate) fn operational() -> Self {
        Self::fresh().provisioned()
    }

    /// The same, whose passphrases cost what they cost on a device, so that its backups can be opened.
    pub(crate) fn costly() -> Self {
        Self::with(ScryptCost::DEVICE, None).provisioned()
    }

    fn provisioned(self) -> Self {
        let stage = self;
        for line in [
            "provision --unlock-passphrase-from file:unlock.txt --admin-passphrase-from file:admin.txt",
            "user add operator --role Operator --new-passphrase-from file:operator.txt",
            "user add metrics --role Metrics --new-passphrase-from file:metrics.txt",
            "user add backup --role Backup --new-passphrase-from file:backup.txt",
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let (status, said) = stage.run(env!("CARGO_BIN_EXE_nethsm-cli"), &words);
            assert_eq!(status, 0, "{line}: {}", String::from_utf8_lossy(&said));
        }
        stage
    }

    /// Lets a program run in the folder.
    pub(crate) fn at_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("NETHSM_CONFIG", "config.toml")
            .stdin(Stdio::null())
    }

    /// nethsm-cli with the words of `line`, in the folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nethsm-cli"));
        command.args(line.split(' '));
        self.at_home(&mut command);
        command
    }

    /// Runs that: its status, and all that it says.
    pub(crate) fn cli(&self, line: &str) -> (i32, String) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (status, said) = self.run(env!("CARGO_BIN_EXE_nethsm-cli"), &words);
        (status, String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs a program in the folder: its status, and all that it says.
    pub(crate) fn run(&self, program: &str, words: &[String]) -> (i32, Vec<u8>) {
        let (status, mut said, complaints) = self.run_with(program, words, None);
        said.extend_from_slice(&complaints);
        (status, said)
    }

    /// The same, with `NETHSM_OUTPUT` set to `form`: its status, and what it says on both streams.
    pub(crate) fn run_with(
        &self,
        program: &str,
        words: &[String],
        form: Option<&str>,
    ) -> (i32, Vec<u8>, Vec<u8>) {
        self.spawn(program, words, form).end()
    }

    /// Begins what goes on while something else is done: a line of nethsm-cli without quotes.
    pub(crate) fn begin(&self, line: &str, form: Option<&str>) -> Begun {
        let words: Vec<String> = line.split(' ').skip(1).map(str::to_owned).collect();
        self.spawn(env!("CARGO_BIN_EXE_nethsm-cli"), &words, form)
    }

    fn spawn(&self, program: &str, words: &[String], form: Option<&str>) -> Begun {
        // What does not end by itself is a finding, and not a test that hangs.
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "120", program]).args(words);
        self.at_home(&mut command)
            .envs(form.map(|form| ("NETHSM_OUTPUT", form)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn();
        Begun(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    /// Does something to the device, or to the one whose label comes first.
    pub(crate) fn simulator(&self, words: &[String]) -> (i32, Vec<u8>) {
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let other = words.first().and_then(|label| self.others.get(*label));
        let device = other.unwrap_or(&self.device);
        if other.is_some() || words.first() == Some(&"one") {
            words.remove(0);
        }
        match words.as_slice() {
            ["off"] => device.power_off(),
            ["on"] => device.power_on(),
            ["advance", seconds] => device.advance(Duration::from_secs(seconds.parse().unwrap())),
            ["failed"] => device.set_failed(true),
            ["store", "away"] => device.set_store_present(false),
            ["fail", operation, status, body] => {
                let fault = Fault::Status(status.parse().unwrap(), (*body).to_owned());
                device.fail_next(Some(operation), fault, 1);
            }
            ["lose", operation] => device.fail_next(Some(operation), Fault::CloseAfter, 1),
            ["cut", operation] => device.fail_next(Some(operation), Fault::Cut, 1),
            other => panic!("the simulator does not know {other:?}"),
        }
        (0, Vec::new())
    }
}

/// Writes a file that nobody else may read.
fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Makes an image that the device takes, and the key that it is signed with.
fn image(folder: &Path) -> String {
    let openssl = |words: &[&str]| {
        let output = Command::new("openssl")
            .args(words)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    let field = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[1..], bytes].concat()
    };
    openssl(&["genrsa", "-out", "maker.pem", "2048"]);
    let public = openssl(&["rsa", "-in", "maker.pem", "-pubout"]);
    let signed = [
        field(b"# Notes\nNothing is new.\n"),
        field(b"5.1"),
        1_u32.to_be_bytes().to_vec(),
        vec![0; 512],
    ]
    .concat();
    std::fs::write(folder.join("signed"), &signed).unwrap();
    let signature = openssl(&["dgst", "-sha256", "-sign", "maker.pem", "signed"]);
    let image = [b"_NETHSM_UPDATE_\0".to_vec(), field(&signature), signed].concat();
    std::fs::write(folder.join("update.img"), image).unwrap();
    String::from_utf8(public).unwrap()
}
