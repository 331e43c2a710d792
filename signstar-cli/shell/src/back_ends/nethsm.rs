//! Keys in one NetHSM or several, `[key.NAME.nethsm]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_core::{Failure, Opened, Refusal, SigningKey};
use signstar_nethsm::client::{
    is_id, Address, Authorities, Credentials, Fingerprint, Trust, SYSTEM_AUTHORITIES,
};
use signstar_nethsm::{Order, Settings, DEVICES_MAX};
use zeroize::Zeroizing;

use super::{BackEnd, Device};
use crate::config::Table;
use crate::trusted_file::{self, Kind};

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "nethsm",
    environment: &[],
    read,
};

/// A passphrase has at most 200 bytes, and may have a line end after it.
const PASSPHRASE_FILE_BYTES_MAX: u64 = 201;
/// The authorities of a system are some hundred KiB.
const AUTHORITIES_BYTES_MAX: u64 = 1 << 20;

/// What `[key.NAME.nethsm]` says.
pub struct NetHsm {
    /// The key's name on the devices.
    pub key: String,
    /// The operator who signs.
    pub user: String,
    /// The file with their passphrase.
    pub passphrase: PathBuf,
    /// Which device is asked first.
    pub order: Choice,
    /// How long connecting may take, in milliseconds.
    pub connect_ms: u64,
    /// The devices, by the operator's names for them.
    pub devices: Vec<Place>,
}

/// Which device is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The first by name.
    Listed,
    /// Each session's own, by chance.
    RoundRobin,
}

/// What `[key.NAME.nethsm.device.LABEL]` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The operator's name for it.
    pub label: String,
    /// Where it is.
    pub address: Address,
    /// The name in its certificate.
    pub name: Option<String>,
    /// What its certificate must be.
    pub trust: Named,
}

/// How `trust` names what a certificate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// `pin:HEX`.
    Pin(Fingerprint),
    /// `ca:FILE`.
    File(PathBuf),
    /// `system`.
    System,
}

fn read(mut table: Table<'_, '_>) -> Option<Box<dyn Device>> {
    let key = table.text("key");
    if key.as_deref().is_some_and(|key| !is_id(key)) {
        table.problem_with("key", "is 1 to 128 of a-z A-Z 0-9 . _ -");
    }
    let user = table.text("user");
    if user.as_deref().is_some_and(|user| !is_user(user)) {
        table.problem_with("user", "must be USER or NAMESPACE~USER");
    }
    let passphrase = table.path("passphrase");
    let orders = [
        ("listed", Choice::Listed),
        ("round-robin", Choice::RoundRobin),
    ];
    let order = table.choice("order", &orders, Choice::Listed);
    let connect_ms = table.number("connect-ms", 100..=60_000, 2000);
    let tables = table.named_tables("device");
    if !(1..=DEVICES_MAX).contains(&tables.len()) {
        table.problem(format_args!(
            "needs 1 to {DEVICES_MAX} tables `device.LABEL`"
        ));
    }
    let devices: Vec<Place> = tables
        .into_iter()
        .filter_map(|(label, table)| read_place(label, table))
        .collect();
    table.finish();
    Some(Box::new(NetHsm {
        key: key?,
        user: user?,
        passphrase: passphrase?,
        order,
        connect_ms,
        devices,
    }))
}

fn read_place(label: String, mut table: Table<'_, '_>) -> Option<Place> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=32).contains(&label.len()) || !label.bytes().all(plain) {
        table.problem("a device's name is 1 to 32 of a-z A-Z 0-9 . _ -");
    }
    let address = table.text("address");
    let address = address.and_then(|text| match text.parse::<Address>() {
        Ok(address) if address.ip().is_some() => Some(address),
        _ => {
            let text = "must be an IP address, or one with a port: names are not looked up";
            table.problem_with("address", text);
            None
        }
    });
    let name = table.optional_text("name");
    let trust = table.text("trust");
    let trust = trust.and_then(|text| match trust_of(&text) {
        Ok(trust) => Some(trust),
        Err(problem) => {
            table.problem_with("trust", problem);
            None
        }
    });
    if name.is_some() && matches!(trust, Some(Named::Pin(_))) {
        table.problem_with("name", "says nothing where the certificate is pinned");
    }
    table.finish();
    Some(Place {
        label,
        address: address?,
        name,
        trust: trust?,
    })
}

fn trust_of(text: &str) -> Result<Named, &'static str> {
    if let Some(digits) = text.strip_prefix("pin:") {
        let fingerprint = digits.parse();
        return fingerprint
            .map(Named::Pin)
            .map_err(|_| "`pin:` wants 64 hexadecimal digits, with colons or without");
    }
    if let Some(path) = text.strip_prefix("ca:") {
        let path = PathBuf::from(path);
        return match path.is_absolute() {
            true => Ok(Named::File(path)),
            false => Err("`ca:` wants an absolute path"),
        };
    }
    match text {
        "system" => Ok(Named::System),
        _ => Err("must be `pin:FINGERPRINT`, `ca:FILE` or `system`"),
    }
}

fn is_user(text: &str) -> bool {
    text.splitn(2, '~').all(is_id)
}

impl NetHsm {
    /// Reads the passphrase and opens the key, whatever key it is. Everything may take `wait`.
    ///
    /// # Errors
    /// A file cannot be read, or no device has the key.
    pub fn open_any(&self, wait: Duration) -> Result<Opened, Failure> {
        Ok(signstar_nethsm::open(&self.settings(wait)?)?)
    }

    /// What the back end opens the key by. Reads the passphrase and what is trusted.
    ///
    /// # Errors
    /// A file cannot be read, or is not what it should be.
    pub fn settings(&self, wait: Duration) -> Result<Settings, Failure> {
        let credential = |error: &dyn std::fmt::Display| Failure::new(Refusal::Credential, error);
        let bytes = trusted_file::read(&self.passphrase, Kind::Secret, PASSPHRASE_FILE_BYTES_MAX)
            .map_err(|error| credential(&error))?;
        // A line end at the end is the editor's, not the passphrase's.
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let passphrase = std::str::from_utf8(bytes)
            .map_err(|_| credential(&"the passphrase is not UTF-8"))?
            .to_owned();
        let credentials = Credentials::new(&self.user, Zeroizing::new(passphrase))
            .map_err(|error| credential(&error))?;
        let devices = self.devices.iter().map(|place| {
            Ok(signstar_nethsm::Device {
                label: place.label.clone(),
                address: place.address.clone(),
                name: place.name.clone(),
                trust: place.trust.read()?,
            })
        });
        Ok(Settings {
            key: self.key.clone(),
            devices: devices.collect::<Result<_, Failure>>()?,
            credentials,
            order: match self.order {
                Choice::Listed => Order::Listed,
                Choice::RoundRobin => Order::RoundRobin(any_number()?),
            },
            connect_wait: Duration::from_millis(self.connect_ms),
            wait,
        })
    }
}

/// A process signs once, so turns are taken by chance.
fn any_number() -> Result<usize, Failure> {
    let number = getrandom::u32().map_err(|_| Failure::from(Refusal::Internal))?;
    usize::try_from(number).map_err(|_| Failure::from(Refusal::Internal))
}

impl Named {
    /// What it stands for.
    ///
    /// # Errors
    /// The file cannot be read, or there is no authority in it.
    pub fn read(&self) -> Result<Trust, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(Refusal::Configuration, error);
        let authorities = |path: &Path| {
            let pem = trusted_file::read(path, Kind::Public, AUTHORITIES_BYTES_MAX)
                .map_err(|error| failed(&error))?;
            let found = Authorities::from_pem(&pem);
            let found =
                found.map_err(|error| failed(&format_args!("{}: {error}", path.display())))?;
            Ok(Trust::Authorities(found))
        };
        match self {
            Self::Pin(fingerprint) => Ok(Trust::Pin(*fingerprint)),
            Self::File(path) => authorities(path),
            Self::System => {
                let mut places = SYSTEM_AUTHORITIES.iter().map(Path::new);
                let is_file = |path: &&Path| {
                    let status = path.symlink_metadata();
                    status.is_ok_and(|status| status.is_file())
                };
                match places.find(is_file) {
                    Some(path) => authorities(path),
                    None => Err(failed(&"this system has no file of authorities: use `ca:`")),
                }
            }
        }
    }
}

impl Device for NetHsm {
    fn open(&self, _: &SigningKey, wait: Duration) -> Result<Opened, Failure> {
        self.open_any(wait)
    }

    fn secrets(&self) -> Vec<&Path> {
        vec![&self.passphrase]
    }
}
