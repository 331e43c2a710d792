//! Everything that is opened before lock-down: sink, caller, inspector, certificate, credential, device.

use std::io::stdin;
use std::num::NonZeroU32;
use std::time::{Duration, Instant, SystemTime};

use signstar_confine::{
    allow_file_size, arm_deadline, limit_file_size, limit_memory, load_filter, lock_memory,
    require_streams, restrict_files_and_network, rule, shell_rules, ConfineError, OpenFds,
};
use signstar_core::{
    Caller, Certificate, Declaration, Declaring, Failure, Ledger, Opened, Policy, Profile, Refusal,
    RequestId, SigningKey, Subject,
};

use crate::config::{Audit, Bounds, Config, Input, Key};
use crate::confined::{Confined, OUTPUT_PATIENCE};
use crate::identity;
use crate::inspection::Inspector;
use crate::intake;
use crate::invocation::Invocation;
use crate::sessions::{self, Slot};
use crate::sink::OpenSink;
use crate::trusted_file::{self, Kind};

/// The same bound as that of the certificate parser.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// A request leaves at most an intent, seven further attempts, a release, and that it was not delivered.
const RECORDS_MAX: u64 = 10;

/// An enclave that is open but not confined yet. It has read nothing from the caller but what sshd
/// has put into the environment.
pub struct Enclave {
    pub(crate) sink: OpenSink,
    pub(crate) subject: Subject,
    pub(crate) open: Open,
    /// To what size the audit file may grow.
    file_bytes_max: u64,
}

/// What has been opened for one request.
pub(crate) struct Open {
    pub(crate) started: Instant,
    pub(crate) key: SigningKey,
    pub(crate) device: Opened,
    pub(crate) profile: Profile,
    pub(crate) policy: Policy,
    pub(crate) inspector: Option<Inspector>,
    pub(crate) bounds: Bounds,
    pub(crate) declaration: Option<Declaration>,
    pub(crate) salt: [u8; 32],
    _slot: Slot,
}

impl Enclave {
    /// Opens the sink first, so that every refusal after that is recorded. Before it only comes the
    /// limit of its file, beyond which a record would end the process.
    ///
    /// # Errors
    /// Whatever is missing, wrong or not allowed.
    pub fn open(
        config: &Config,
        invocation: &Invocation,
        id: RequestId,
        salt: [u8; 32],
    ) -> Result<Self, Failure> {
        // A helper of a device may write files of its own; ours get their limit with the lock-down.
        let file_bytes_max = config.audit.file_bytes_max();
        allow_file_size(file_bytes_max).map_err(confinement)?;
        let mut sink =
            OpenSink::open(&config.audit).map_err(|error| Failure::new(Refusal::Audit, error))?;
        let mut subject = Subject::new(id);
        match open(config, invocation, salt, &mut subject) {
            Ok(open) => Ok(Self {
                sink,
                subject,
                open,
                file_bytes_max,
            }),
            Err(failure) => Err(Ledger {
                subject,
                sink: &mut sink,
                clock: SystemTime::now,
            }
            .refuse(failure)),
        }
    }

    /// Gives up everything that signing does not need. There is no way back and no way around.
    ///
    /// # Errors
    /// Any step that fails; the refusal is recorded.
    pub fn confine(mut self) -> Result<Confined, Failure> {
        match self.lock_down() {
            Ok(()) => Ok(Confined::new(self)),
            Err(error) => {
                let failure = confinement(error);
                let Self { sink, subject, .. } = &mut self;
                let subject = subject.clone();
                Err(Ledger {
                    subject,
                    sink,
                    clock: SystemTime::now,
                }
                .refuse(failure))
            }
        }
    }

    fn lock_down(&self) -> Result<(), ConfineError> {
        limit_file_size(self.file_bytes_max)?;
        intake::widen(stdin());
        let mut rules = shell_rules(&OpenFds {
            log: self.sink.log_descriptor(),
        })?;
        for needed in &self.open.device.reach.rules {
            rules.push(rule(needed.syscall, &needed.equals, needed.reason)?);
        }
        if let Some(inspector) = &self.open.inspector {
            rules.extend(inspector.rules()?);
        }
        restrict_files_and_network(&self.open.device.reach.tcp_ports)?;
        load_filter(&rules)
    }
}

fn confinement(error: ConfineError) -> Failure {
    Failure::new(Refusal::Confinement, error)
}

fn open(
    config: &Config,
    invocation: &Invocation,
    salt: [u8; 32],
    subject: &mut Subject,
) -> Result<Open, Failure> {
    let started = Instant::now();
    // Who is asking comes before what they ask, so that a refused command is recorded with both.
    let name = identity::account()?;
    let caller = subject.caller.insert(Caller {
        user: name,
        address: None,
        identity: None,
    });
    require_streams().map_err(|error| match error {
        // Somebody has started the program at a terminal, or with a file.
        ConfineError::Stream { .. } => Failure::new(Refusal::Invocation, error),
        _ => confinement(error),
    })?;
    caller.address = Some(identity::parse_connection(
        invocation.connection.as_deref(),
    )?);
    let authenticated = identity::read_user_auth(invocation.user_auth.as_deref())?;
    caller.identity = Some(authenticated.clone());
    let declaration = invocation.declaration()?;

    let missing = || {
        Failure::new(
            Refusal::UserUnknown,
            "no [user.NAME] table in the configuration",
        )
    };
    let user = config.users.get(&caller.user).ok_or_else(missing)?;
    let slot = sessions::take_slot(&caller.user, user.sessions_max)?;
    subject.key_name = Some(user.key.clone());
    let key = config.keys.get(&user.key).ok_or_else(missing)?;
    subject.back_end = Some(key.back_end.name);
    if user.disabled || key.disabled {
        return Err(Refusal::Disabled.into());
    }
    let rules = user.rules_for(&authenticated)?;
    if key.declaring == Declaring::Required && declaration.is_none() {
        return Err(Refusal::DeclarationRequired.into());
    }
    let deadline = total_seconds(&user.bounds, key, &config.audit);
    arm_deadline(deadline).map_err(confinement)?;
    let inspector = match &key.input {
        Input::Inspected(inspected) => Some(Inspector::start(inspected, &rules)?),
        Input::Any | Input::Listed(_) => None,
    };
    limit_memory(user.bounds.memory_bytes_max).map_err(confinement)?;

    let signing_key = open_certificate(key)?;
    subject.set_signing_key(&signing_key);
    // A list may be large: that it does not fit is to be found while it can be said.
    let policy = user.policy(key, key.input.policy()?);
    lock_memory().map_err(confinement)?;
    let device = open_device(key, &signing_key)?;
    Ok(Open {
        started,
        key: signing_key,
        device,
        profile: key.profile.clone(),
        policy,
        inspector,
        bounds: user.bounds,
        declaration,
        salt,
        _slot: slot,
    })
}

/// The kernel ends the process a little after every other wait can have ended: the upload's, the
/// inspector's, the device's (to open it, for others that use it, and to sign), that for each record, and
/// that for standard output.
fn total_seconds(bounds: &Bounds, key: &Key, audit: &Audit) -> NonZeroU32 {
    const GRACE_SECONDS: u64 = 5;
    let patience = match &key.input {
        Input::Inspected(inspected) => inspected.patience_seconds,
        Input::Any | Input::Listed(_) => 0,
    };
    let records = (audit.timeout_milliseconds * RECORDS_MAX).div_ceil(1000);
    let device = 3 * key.device_seconds;
    let output = OUTPUT_PATIENCE.as_secs();
    let seconds = bounds.deadline_seconds + patience + device + records + output + GRACE_SECONDS;
    u32::try_from(seconds)
        .ok()
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MAX)
}

/// Reads and judges the certificate of `key`.
///
/// # Errors
/// It cannot be read, or must not sign now, or not with the configured hash.
pub fn open_certificate(key: &Key) -> Result<SigningKey, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Refusal::Certificate, error);
    let bytes = trusted_file::read(&key.certificate, Kind::Public, CERTIFICATE_BYTES_MAX)
        .map_err(|error| failed(&error))?;
    let signing_key = Certificate::parse(&bytes)
        .and_then(|parsed| parsed.signing_key(key.signing_key.as_deref(), SystemTime::now()))
        .map_err(|error| failed(&error))?;
    if !signing_key.allows(key.profile.hash) {
        let text = format!("hash {} is too weak for this key's curve", key.profile.hash);
        return Err(Failure::new(Refusal::Configuration, text));
    }
    Ok(signing_key)
}

/// Opens the device of `key` and makes sure that it holds `signing_key`.
///
/// # Errors
/// It cannot be opened, or holds another key.
pub fn open_device(key: &Key, signing_key: &SigningKey) -> Result<Opened, Failure> {
    let wait = Duration::from_secs(key.device_seconds);
    let device = key.device.open(signing_key, wait)?;
    signing_key
        .check_signer(device.signer.as_ref())
        .map_err(|error| Failure::new(Refusal::Certificate, error))?;
    Ok(device)
}
