//! PKCS#11 tokens: SoftHSM and kryoptic, through the worker and the provisioner.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_core::{ModuleSettings, Signer};
use signstar_testkit::token::{self, LABEL, PIN, Software};
use signstar_testkit::worker::Worker;

use crate::place::Place;
use crate::{Shape, certify, configure, refused, signing};

/// The account that signs.
const SIGNER: u32 = 6001;

/// Programs that were built with this test.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join(name);
    assert!(
        program.is_file(),
        "no {name}: run `cargo xtask test --part build`"
    );
    program
}

const WORKER: &str = "signstar-pkcs11-worker";
const PROVISIONER: &str = "signstar-pkcs11-provisioner";

/// A machine with an empty token, which belongs to the account that signs.
pub(crate) struct Machine {
    pub(crate) place: Place,
    pub(crate) software: Software,
}

impl Machine {
    pub(crate) fn new(software: Software) -> Self {
        let place = Place::new();
        let folder = place.path("lib/signstar");
        fs::create_dir_all(&folder).unwrap();
        for folder in [&place.path("lib"), &folder] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        for name in [WORKER, PROVISIONER] {
            fs::copy(program(name), folder.join(name)).unwrap();
        }
        let machine = Self { place, software };
        fs::create_dir(machine.tokens()).unwrap();
        let configuration = software.configuration(&machine.tokens());
        machine.place.write("module.conf", &configuration);
        for mut command in software.initialize(&machine.module_configuration(), LABEL) {
            token::run(&mut command);
        }
        give(&machine.tokens());
        machine.write_pin(PIN);
        machine
    }

    pub(crate) fn write_pin(&self, pin: &str) {
        self.place
            .write_for_signers("packages.pin", &format!("{pin}\n"));
    }

    pub(crate) fn tokens(&self) -> PathBuf {
        self.place.path("tokens")
    }

    pub(crate) fn module_configuration(&self) -> PathBuf {
        self.place.path("module.conf")
    }

    /// The configuration of a key whose URI ends with `object`. To sign, the module may only read.
    pub(crate) fn configure(&self, object: &str, more: &str) {
        self.configure_with(&self.software.module(), "", object, more);
    }

    /// The same with another module, and more for its environment.
    pub(crate) fn configure_with(
        &self,
        module: &Path,
        environment: &str,
        object: &str,
        more: &str,
    ) {
        let variable = self.software.variable();
        let (pin, conf) = (self.place.path("packages.pin"), self.module_configuration());
        let tokens = self.tokens();
        let lines = format!(
            "module = {module:?}\nuri = \"pkcs11:token=Package%20signing;{object}\"\npin = {pin:?}\n\
             environment = {{ {environment}{variable} = {conf:?} }}\n\
             read = [{conf:?}, {tokens:?}]\n{more}"
        );
        configure(&self.place, "pkcs11", &lines);
    }

    /// `key generate`, with what the module must change for that.
    pub(crate) fn generate(&self, more: &[&str]) -> Vec<String> {
        let tokens = self.tokens().to_str().unwrap().to_owned();
        let all = [
            "key",
            "generate",
            "--key",
            "packages",
            "--module-write",
            &tokens,
        ];
        [&all, more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// What OpenSC says of all objects on the token, with the PIN.
    pub(crate) fn objects(&self) -> String {
        let mut tool = self.software.tool(&self.module_configuration());
        tool.args(["--login", "--pin", PIN, "--list-objects"]);
        let text = String::from_utf8(token::run(&mut tool)).unwrap();
        // kryoptic has an object for each mechanism, in any order.
        let lines = text.lines().filter(|line| !line.starts_with("Object "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// The key of the configuration, as the login shell has it.
    pub(crate) fn signer(&self, object: &str) -> impl Signer + use<> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let conf = text(self.module_configuration());
        let worker = Worker {
            program: program(WORKER),
            settings: ModuleSettings {
                module: text(self.software.module()),
                uri: format!("pkcs11:token=Package%20signing;{object}"),
                uri_ed25519: None,
                read: vec![conf.clone(), text(self.tokens())],
                write: Vec::new(),
                processor_seconds: 60,
            },
            environment: vec![(self.software.variable().to_owned(), conf)],
            pin: PIN.to_owned(),
            patience: Duration::from_secs(60),
        };
        worker.signer()
    }

    /// The token's URI, from what OpenSC says of it.
    pub(crate) fn uri(&self) -> String {
        let mut tool = self.software.tool(&self.module_configuration());
        tool.arg("--list-token-slots");
        let text = String::from_utf8(token::run(&mut tool)).unwrap();
        let of = |name: &str| {
            let line = text.lines().find(|line| line.trim().starts_with(name));
            let value = line.unwrap().split_once(':').unwrap().1.trim();
            value.replace(' ', "%20").replace('/', "%2F")
        };
        format!(
            "pkcs11:token={};serial={};manufacturer={};model={}",
            of("token label"),
            of("serial num"),
            of("token manufacturer"),
            of("token model")
        )
    }

    /// Has the token belong to the account that signs again.
    pub(crate) fn give(&self) {
        give(&self.tokens());
    }

    /// Everything on the token belongs to the account that signs.
    pub(crate) fn check_owner(&self) {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        use std::os::unix::fs::MetadataExt as _;
        for path in below(&self.tokens()) {
            assert_eq!(fs::metadata(&path).unwrap().uid(), SIGNER, "{path:?}");
        }
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    if folder.is_dir() {
        for entry in fs::read_dir(folder).unwrap() {
            all.extend(below(&entry.unwrap().path()));
        }
    }
    all
}

fn give(folder: &Path) {
    if nix::unistd::geteuid().is_root() {
        for path in below(folder) {
            chown(path, Some(SIGNER), Some(6000)).unwrap();
        }
    }
}

/// A key that the token's own tools have made.
#[test]
fn a_key_of_other_tools_goes_to_a_signature_and_a_wrong_pin_is_not_shown() {
    let machine = Machine::new(Software::SoftHsm);
    machine.configure("object=signing", "");
    let conf = machine.module_configuration();
    token::run(&mut machine.software.generate(&conf, LABEL, "p256", &token::KEY));
    give(&machine.tokens());
    let fingerprint = certify(&machine.place, Shape::Alone);
    let mut signer = machine.signer("object=signing");
    signing::check(&machine.place, &mut signer, &fingerprint);

    machine.write_pin("87654321");
    let user = ["--user-id", "A", "--force"];
    let create = [&["cert", "create", "--key", "packages"], &user[..]].concat();
    let text = machine.place.admin(&create).refused(65);
    assert!(!text.contains("87654321"), "{text}");
    // The key of other tools has the name, and stays.
    let generate = machine.generate(&["--yes"]);
    let generate: Vec<&str> = generate.iter().map(String::as_str).collect();
    refused(
        machine.place.admin(&generate),
        73,
        "has that label, and it stays",
    );
}
