//! Which NetHSM is asked, and as whom: those of the configuration, or one of the operator's device
//! profiles with the users that stand there.

use std::time::Duration;

use signstar::back_ends::nethsm::NetHsm;
use signstar::config::Key;
use signstar_console::role::Role;
use signstar_console::secret::Source;
use signstar_core::PublicKey;
use signstar_nethsm::client::{self, Client, Credentials};
use signstar_nethsm::sdk::apis::default_api::keys_key_id_get;
use signstar_nethsm::{Device, Order, Settings, public_key};
use zeroize::Zeroizing;

use super::failure;
use crate::cli::key::OnNetHsm;
use crate::device::settings_of;
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::{self, Profiled};
use crate::terminal;

/// Whoever makes keys where nobody says so.
const ADMINISTRATOR: &str = "admin";
/// RSA of 4096 bits takes a device some time.
const PATIENCE: Duration = Duration::from_secs(300);
/// Certificates have up to 1 MiB, and everything else that is asked for here is shorter.
const ANSWER_BYTES_MAX: u64 = 2 << 20;

/// A key, and the devices that are asked about it.
pub(super) struct Asked<'a> {
    pub(super) hsm: &'a NetHsm,
    profiled: Option<&'a Profiled>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(settings: &'a settings::Settings, key: &'a Key) -> Result<Self, Failure> {
        Ok(Self {
            hsm: settings_of(key)?,
            profiled: settings.profiled.as_ref(),
        })
    }

    /// What to call the key on `device`, for people.
    pub(super) fn place(&self, device: &Device) -> String {
        let (label, address, key) = (&device.label, &device.address, &self.hsm.key);
        format!("NetHSM {label} at {address}, key {key}")
    }

    /// The devices, the one to be asked first at the beginning.
    pub(super) fn devices(&self) -> Result<Vec<Device>, Failure> {
        if let Some(Profiled { label, profile }) = self.profiled {
            return Ok(vec![profile.device(label)?]);
        }
        let devices = self.hsm.devices.iter().map(|place| {
            Ok(Device {
                label: place.label.clone(),
                address: place.address.clone(),
                name: place.name.clone(),
                trust: place.trust.read()?,
            })
        });
        devices.collect()
    }

    /// What the key is opened by, for signatures.
    pub(super) fn settings(&self, wait: Duration) -> Result<Settings, Failure> {
        let Some(profiled) = self.profiled else {
            return Ok(self.hsm.settings(wait)?);
        };
        let user = match profiled.profile.users.contains_key(&self.hsm.user) {
            true => Some(self.hsm.user.as_str()),
            false => self.user_of(profiled, &[Role::Operator])?,
        };
        Ok(Settings {
            key: self.hsm.key.clone(),
            devices: self.devices()?,
            credentials: credentials_of(profiled, user.unwrap_or(&self.hsm.user))?,
            order: Order::Listed,
            connect_wait: Duration::from_millis(self.hsm.connect_ms),
            wait,
        })
    }

    /// Somebody who may look at the key.
    pub(super) fn reader(&self) -> Result<Credentials, Failure> {
        let Some(profiled) = self.profiled else {
            return Ok(self.hsm.settings(PATIENCE)?.credentials);
        };
        let user = self.user_of(profiled, &[Role::Operator, Role::Administrator])?;
        credentials_of(profiled, user.unwrap_or(&self.hsm.user))
    }

    /// An Administrator: of the command line, of the profile, or the one that is there customarily.
    pub(super) fn administrator(
        &self,
        device: &Device,
        options: &OnNetHsm,
    ) -> Result<Credentials, Failure> {
        let known = match (&options.admin_user, self.profiled) {
            (Some(user), _) => Some(user.as_str()),
            (None, Some(profiled)) => self.user_of(profiled, &[Role::Administrator])?,
            (None, None) => None,
        };
        let user = match (known, self.space()) {
            (Some(user), _) => user,
            (None, None) => ADMINISTRATOR,
            (None, Some(_)) => {
                let text = "the key is in a namespace: give --admin-user NAMESPACE~USER";
                return Err(Failure::new(Status::Usage, text));
            }
        };
        if let Some(path) = &options.admin_passphrase_file {
            let text = String::from_utf8(secret_file::read(path)?.to_vec())
                .map_err(|_| Failure::new(Status::Data, "the passphrase is not UTF-8"))?;
            return credentials(&device.label, user, Zeroizing::new(text));
        }
        let in_profile = self
            .profiled
            .filter(|profiled| profiled.profile.users.contains_key(user));
        match in_profile {
            Some(profiled) => credentials_of(profiled, user),
            None if terminal::is_there() => ask(&device.label, user, &Source::Prompt),
            None => {
                let text = "nobody is there to ask for the Administrator's passphrase: give \
                            --admin-passphrase-file";
                Err(Failure::new(Status::Usage, text))
            }
        }
    }

    /// A client of `device`.
    pub(super) fn client(
        &self,
        device: &Device,
        credentials: &Credentials,
    ) -> Result<Client, Failure> {
        Client::new(&client::Settings {
            address: device.address.clone(),
            name: device.name.clone(),
            trust: device.trust.clone(),
            credentials: Some(credentials.clone()),
            connect_wait: Duration::from_secs(10),
            wait: PATIENCE,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
        .map_err(|error| failure(&device.label, &error))
    }

    /// The public half of the key on `device`.
    pub(super) fn public_key(
        &self,
        device: &Device,
        client: &mut Client,
    ) -> Result<PublicKey, Failure> {
        let place = self.place(device);
        let found = client
            .call(|at| keys_key_id_get(at, &self.hsm.key))
            .map_err(|error| failure(&place, &error))?;
        public_key(&found.value)
            .map_err(|error| Failure::new(Status::Data, format!("{place}: {error}")))
    }

    /// The namespace of the key, which is that of whoever signs.
    fn space(&self) -> Option<&str> {
        self.hsm.user.split_once('~').map(|(space, _)| space)
    }

    fn user_of<'b>(
        &self,
        profiled: &'b Profiled,
        roles: &[Role],
    ) -> Result<Option<&'b str>, Failure> {
        let found = profiled.profile.user(roles, self.space());
        found.map_err(|error| {
            let text = format!(
                "{}: {error}: take all but one of that role out of the profile, or give --admin-user",
                profiled.label
            );
            Failure::new(Status::Usage, text)
        })
    }
}

/// A user of a profile, by what stands there, or by asking.
fn credentials_of(profiled: &Profiled, user: &str) -> Result<Credentials, Failure> {
    let known = profiled.profile.users.get(user);
    let source = known.map_or(&Source::Prompt, |user| &user.passphrase);
    ask(&profiled.label, user, source)
}

fn ask(label: &str, user: &str, source: &Source) -> Result<Credentials, Failure> {
    let what = format!("Passphrase of {user} on the NetHSM {label}");
    credentials(label, user, source.get(&what)?)
}

fn credentials(
    label: &str,
    user: &str,
    passphrase: Zeroizing<String>,
) -> Result<Credentials, Failure> {
    Credentials::new(user, passphrase).map_err(|error| failure(label, &error))
}
