//! A machine with a TPM, a key in it and the key's certificate.

use signstar_core::{KeyKind, KeyVersion, Record};
use signstar_testkit::tpm::{Device, Tpm};
use signstar_tpm::provision::{Guessing, KeyFiles, Template, Tool};
use signstar_tpm::{KeyPlace, Parent, Registers, Settings};
use zeroize::Zeroizing;

use crate::support::built::Build;
use crate::support::world::{give, SIGNERS};
use crate::support::{Configuration, SigningKey, World};

/// An artifact. Nothing of it may be seen anywhere.
pub(crate) const INPUT: &[u8] = b"ARTIFACT-THAT-NOBODY-ECHOES\n";
/// An auth value that is found wherever it stands.
pub(crate) const AUTH: &str = "OPEN-SESAME-7f3a";
/// The file with it.
pub(crate) const AUTH_FILE: &str = "/etc/signstar/packages.auth";

const PARENT: &str = "0x81000001";
const KEY: &str = "0x81000100";

/// A key of the TPM, ready for a configuration.
pub(crate) struct Scene {
    pub(crate) tpm: Tpm,
    pub(crate) device: Device,
    pub(crate) parent: Parent,
    pub(crate) world: World,
    lines: String,
}

/// Where a scene has its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    InTpm,
    InFiles,
}

impl Scene {
    /// With a key of this kind in the TPM that wants [`AUTH`].
    pub(crate) fn with(kind: KeyKind) -> Self {
        Self::of(Kept::InTpm, &template(kind))
    }

    /// With a key as `template` says.
    pub(crate) fn of(kept: Kept, template: &Template) -> Self {
        let tpm = Tpm::start();
        let device = tpm.device();
        give(device.path(), (0, SIGNERS), 0o660);
        let mut tool = Tool::open(device.path()).unwrap();
        let parent = tool.create_parent(PARENT.parse().unwrap(), None).unwrap();
        let files = tool.create_key(&parent, template).unwrap();
        if kept == Kept::InTpm {
            let handle = KEY.parse().unwrap();
            tool.persist(&parent, &files, handle, None).unwrap();
        }
        drop(tool);
        let settings = Settings {
            device: device.path().to_owned(),
            parent: parent.clone(),
            key: match kept {
                Kept::InTpm => KeyPlace::Persistent(KEY.parse().unwrap()),
                Kept::InFiles => KeyPlace::Files {
                    public: files.public.clone(),
                    private: files.private.clone(),
                },
            },
            registers: template.registers.clone(),
        };
        let key = certified(&tpm, settings, template);
        let world = World::of(Build::Devices, &Configuration::new(), key);
        let mut lines = format!("parent = {PARENT:?}\nparent-name = \"{}\"\n", parent.name);
        lines += &place(kept, &files, &world);
        if let Some(auth) = &template.auth {
            world.write(AUTH_FILE, auth.as_slice(), (0, SIGNERS), 0o440);
            lines += &format!("auth = {AUTH_FILE:?}\n");
        }
        lines += &template.registers.as_ref().map_or(String::new(), pcrs);
        let scene = Self {
            tpm,
            device,
            parent,
            world,
            lines,
        };
        scene.configure("", "");
        scene
    }

    /// Replaces the configuration: with more lines for `[user.signer]` and `[key.packages]`.
    pub(crate) fn configure(&self, user: &str, key: &str) {
        let text = format!(
            "version = 1\n[audit]\nsink = \"file\"\n[audit.file]\n\
             path = \"/run/signstar/audit.log\"\n\
             [user.signer]\nkey = \"packages\"\n{user}\n[key.packages]\nback-end = \"tpm\"\ninput = \"any\"\n\
             certificate = \"/etc/signstar/packages.pgp\"\n{key}\n[key.packages.tpm]\n\
             device = \"{}\"\n{}",
            self.device.path().display(),
            self.lines
        );
        let path = "/etc/signstar/signstar.toml";
        self.world.write(path, text, (0, 0), 0o644);
    }

    /// The records since the last call.
    pub(crate) fn records(&self) -> Vec<Record> {
        let records = self.world.audit();
        self.world.forget();
        records
    }
}

/// A key in the TPM that wants [`AUTH`].
pub(crate) fn template(kind: KeyKind) -> Template {
    Template {
        kind,
        auth: Some(Zeroizing::new(AUTH.as_bytes().to_vec())),
        registers: None,
        guessing: Guessing::Counted,
    }
}

fn pcrs(registers: &Registers) -> String {
    let numbers: Vec<String> = registers.numbers().iter().map(u32::to_string).collect();
    format!("pcrs = \"{}\"\n", numbers.join(","))
}

fn place(kept: Kept, files: &KeyFiles, world: &World) -> String {
    match kept {
        Kept::InTpm => format!("handle = {KEY:?}\n"),
        Kept::InFiles => {
            let (public, private) = ("/etc/signstar/key.pub", "/etc/signstar/key.priv");
            world.write(public, &files.public, (0, 0), 0o644);
            world.write(private, &files.private, (0, SIGNERS), 0o440);
            format!("public = {public:?}\nprivate = {private:?}\n")
        }
    }
}

/// Has the key sign its own certificate, an hour ago.
fn certified(tpm: &Tpm, settings: Settings, template: &Template) -> SigningKey {
    // The signer never closes its device: not the one of the login shell.
    let device = tpm.device();
    let settings = Settings {
        device: device.path().to_owned(),
        ..settings
    };
    let mut opened = signstar_tpm::open(&settings, template.auth.clone()).unwrap();
    SigningKey::in_device(opened.signer.as_mut(), KeyVersion::V4)
}
