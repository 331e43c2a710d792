//! One device, asked by the users of its profile.
//!
//! What an operation needs is a role, or nobody; which user that is comes from the command line or the
//! profile. A passphrase is asked for once, and a wrong one is never tried again.

mod refused;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use signstar_nethsm::client::{Answer, Client, ClientError, Credentials, Settings};
use signstar_nethsm::sdk::apis::configuration::Configuration;
use signstar_nethsm::sdk::apis::{Error, ResponseContent};
use zeroize::Zeroizing;

use crate::failure::{Failure, Status};
use crate::profile::Profile;
use crate::progress;
use crate::role::Role;
use crate::secret::Source;
use crate::terminal;

/// A failed login blocks its user for a second.
const PAUSE: Duration = Duration::from_millis(1_100);
/// Backups and lists of many thousand keys are smaller.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// The user that may make a lone survivor of a cluster a cluster of its own.
pub(crate) const UNLOCK_USER: &str = "unlock";

/// Who has to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// Anybody; nothing is said of users.
    Nobody,
    /// A user with one of these roles.
    A(&'static [Role]),
}

/// Manages.
pub(crate) const ADMINISTRATOR: As = As::A(&[Role::Administrator]);
/// Uses keys.
pub(crate) const OPERATOR: As = As::A(&[Role::Operator]);
/// Looks at keys.
pub(crate) const EITHER: As = As::A(&[Role::Administrator, Role::Operator]);
/// Reads metrics.
pub(crate) const METRICS: As = As::A(&[Role::Metrics]);
/// Makes backups.
pub(crate) const BACKUP: As = As::A(&[Role::Backup]);
/// Somebody who is known at all.
pub(crate) const ANYBODY: As = As::A(&[
    Role::Administrator,
    Role::Operator,
    Role::Metrics,
    Role::Backup,
]);

/// What the command line says for every device.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) user: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) passphrase: Option<Source>,
    /// For connecting, TLS included.
    pub(crate) connect_wait: Duration,
    /// For one operation.
    pub(crate) wait: Duration,
    /// How often a throttled operation is asked for again.
    pub(crate) retries: u32,
    /// How many keys are asked for at the same time.
    pub(crate) parallel: usize,
    pub(crate) dry_run: bool,
    pub(crate) yes: bool,
}

/// A device that can be asked.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) label: String,
    pub(crate) profile: Profile,
    pub(crate) manner: Manner,
    /// By the user's name; nobody's is the empty one.
    clients: BTreeMap<String, Client>,
    passphrases: BTreeMap<String, Zeroizing<String>>,
    /// How many bytes the next change sends, where they are many.
    sends: Option<u64>,
    /// Whether the last request was sent and not answered: it may have been done.
    pub(crate) unanswered: bool,
}

impl Device {
    pub(crate) fn new(label: &str, profile: Profile, manner: Manner) -> Self {
        Self {
            label: label.to_owned(),
            profile,
            manner,
            clients: BTreeMap::new(),
            passphrases: BTreeMap::new(),
            sends: None,
            unanswered: false,
        }
    }

    /// Asks for something that changes nothing. `operation` is the SDK's name for it.
    pub(crate) fn read<T, E>(
        &mut self,
        who: As,
        operation: &'static str,
        ask: impl Fn(&Configuration) -> Result<ResponseContent<T>, Error<E>>,
    ) -> Result<T, Failure> {
        self.ask(who, operation, &ask).map(|answer| answer.value)
    }

    /// The next change sends so many bytes, for whoever watches it.
    pub(crate) fn sends(&mut self, bytes: usize) {
        self.sends = u64::try_from(bytes).ok();
    }

    /// Has something changed, unless this is a rehearsal.
    pub(crate) fn change<T, E>(
        &mut self,
        who: As,
        operation: &'static str,
        ask: impl Fn(&Configuration) -> Result<ResponseContent<T>, Error<E>>,
    ) -> Result<Answer<T>, Failure> {
        self.rehearse(operation)?;
        self.ask(who, operation, &ask)
    }

    /// Ends a rehearsal before the first change.
    pub(crate) fn rehearse(&self, operation: &str) -> Result<(), Failure> {
        match self.manner.dry_run {
            false => Ok(()),
            true => Err(Failure::new(
                Status::Done,
                format!(
                    "{}: would ask for {operation}; nothing was done",
                    self.label
                ),
            )),
        }
    }

    fn ask<T, E>(
        &mut self,
        who: As,
        operation: &'static str,
        ask: &impl Fn(&Configuration) -> Result<ResponseContent<T>, Error<E>>,
    ) -> Result<Answer<T>, Failure> {
        let user = self.user(who)?;
        let (wait, retries) = (self.manner.wait, self.manner.retries);
        let (label, sends) = (self.label.clone(), self.sends.take());
        let mut attempt = 0;
        loop {
            let begun = Instant::now();
            let client = self.client(&user)?;
            progress::operation(&label, operation, client.meter(), sends);
            let answer = client.call_within(wait, ask);
            log::debug!(
                "{}: {operation} as {}: {}, {} ms",
                self.label,
                if user.is_empty() { "nobody" } else { &user },
                answer
                    .as_ref()
                    .map_or_else(ToString::to_string, |_| "done".to_owned()),
                begun.elapsed().as_millis()
            );
            match answer {
                Ok(answer) => return Ok(answer),
                // The device has not looked at the request: it may be asked again.
                Err(ClientError::Throttled) if attempt < retries => {
                    log::info!("{}: waits for a second after a failed login", self.label);
                    sleep(PAUSE);
                }
                Err(error) => {
                    self.unanswered = matches!(error, ClientError::Lost(_));
                    return Err(self.failure(&error, who, &user, operation));
                }
            }
            attempt += 1;
        }
    }

    /// Another client for the same user, for work at the same time.
    pub(crate) fn another(&mut self, who: As) -> Result<Client, Failure> {
        let user = self.user(who)?;
        let _ = self.client(&user)?;
        self.connect(&user)
    }

    /// The name of the user who asks, empty for nobody.
    pub(crate) fn user(&self, who: As) -> Result<String, Failure> {
        let As::A(roles) = who else {
            return Ok(String::new());
        };
        if let Some(user) = &self.manner.user {
            return Ok(user.clone());
        }
        let space = self.manner.namespace.as_deref();
        let found = self.profile.user(roles, space);
        let found = found
            .map_err(|error| Failure::usage(format!("{}: {error}: give --user", self.label)))?;
        found.map(str::to_owned).ok_or_else(|| {
            Failure::usage(format!(
                "{}: {}: give --user, or put one into the profile with nethsm-cli cred add",
                self.label,
                refused::needed(who)
            ))
        })
    }

    fn client(&mut self, user: &str) -> Result<&mut Client, Failure> {
        if !self.clients.contains_key(user) {
            let client = self.connect(user)?;
            self.clients.insert(user.to_owned(), client);
        }
        self.clients
            .get_mut(user)
            .ok_or_else(|| Failure::failed("there is no client"))
    }

    fn connect(&mut self, user: &str) -> Result<Client, Failure> {
        let credentials = match user {
            "" => None,
            user => Some(
                Credentials::new(user, self.passphrase(user)?)
                    .map_err(|error| self.failure(&error, As::Nobody, user, ""))?,
            ),
        };
        let settings = Settings {
            address: self.profile.address()?,
            name: self.profile.tls_name.clone(),
            trust: self.profile.trust()?,
            credentials,
            connect_wait: self.manner.connect_wait,
            wait: self.manner.wait,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        Client::new(&settings).map_err(|error| self.failure(&error, As::Nobody, user, ""))
    }

    /// What proves that `user` is the one.
    pub(crate) fn passphrase(&mut self, user: &str) -> Result<Zeroizing<String>, Failure> {
        if let Some(known) = self.passphrases.get(user) {
            return Ok(known.clone());
        }
        let known = self.profile.users.get(user);
        let source = self.manner.passphrase.clone();
        let source = source
            .or_else(|| known.map(|user| user.passphrase.clone()))
            .unwrap_or(Source::Prompt);
        let role = known.map_or(String::new(), |user| format!(" ({})", user.role.name()));
        let what = format!("Passphrase of {user}{role} on {}", self.label);
        let passphrase = source.get(&what)?;
        self.passphrases.insert(user.to_owned(), passphrase.clone());
        Ok(passphrase)
    }

    /// The passphrase of `user` comes from here.
    pub(crate) fn knows(&mut self, user: &str, passphrase: Zeroizing<String>) {
        self.passphrases.insert(user.to_owned(), passphrase);
    }

    /// Has the operator agree to what cannot be undone.
    pub(crate) fn confirm(&self, what: &str, word: &str) -> Result<(), Failure> {
        if self.manner.yes || self.manner.dry_run {
            return Ok(());
        }
        let what = format!("{}: {what}", self.label);
        match terminal::is_there() {
            true => Ok(terminal::confirm(&what, word)?),
            // One line, whatever it is at a terminal.
            false => Err(Failure::usage(format!(
                "{}: nobody is there to confirm it: give --yes if you are sure",
                what.replace('\n', " ")
            ))),
        }
    }
}
