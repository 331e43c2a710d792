//! Sessions with the TPM, each salted for the storage key and good for one command.

use signstar_core::SignerError;
use tss_esapi::attributes::SessionAttributesBuilder;
use tss_esapi::constants::SessionType;
use tss_esapi::handles::{KeyHandle, ObjectHandle, PersistentTpmHandle, SessionHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{Digest, PcrSelectionList, PcrSlot, SymmetricDefinition};
use tss_esapi::{Context, Error};

use crate::error::{failure, is_said_by_tpm};
use crate::settings::{Handle, Parent, Registers};

/// Which side encrypts the first parameter. A command must have one to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encrypted {
    /// What goes to the TPM.
    Command,
    /// What comes from it.
    Answer,
}

/// What is at a persistent handle.
pub(crate) fn object(context: &mut Context, handle: Handle) -> Result<ObjectHandle, Error> {
    let handle = PersistentTpmHandle::new(handle.value())?;
    context.tr_from_tpm_public(TpmHandle::Persistent(handle))
}

/// The storage key, which is the one that the settings name.
pub(crate) fn parent(context: &mut Context, parent: &Parent) -> Result<KeyHandle, SignerError> {
    let reading = |error| failure("reading the storage key", error);
    let handle = object(context, parent.handle).map_err(reading)?;
    // The library computes it over the public area to which it will encrypt.
    let name = context.tr_get_name(handle).map_err(reading)?;
    if name.value() != parent.name.as_bytes() {
        return Err(SignerError::Failed(format!(
            "the storage key at {} is not the one of the configuration: this is another TPM, its \
             owner was changed, or something answers in its place",
            parent.handle
        )));
    }
    Ok(KeyHandle::from(handle))
}

/// A session that authorises by an HMAC under auth value and salt.
pub(crate) fn by_auth_value(
    context: &mut Context,
    parent: KeyHandle,
    encrypted: Encrypted,
) -> Result<AuthSession, Error> {
    start(context, parent, SessionType::Hmac, encrypted)
}

/// A session that authorises by the values of `registers`, and by `auth` too where the policy asks
/// for it.
pub(crate) fn by_policy(
    context: &mut Context,
    parent: KeyHandle,
    registers: &Registers,
    auth: AuthValue,
) -> Result<AuthSession, Error> {
    let session = start(context, parent, SessionType::Policy, Encrypted::Command)?;
    let policy = PolicySession::try_from(session)?;
    match policy_of(context, policy, registers, auth) {
        Ok(()) => Ok(session),
        Err(error) => {
            if is_said_by_tpm(error) {
                end(context, session);
            }
            Err(error)
        }
    }
}

/// Whether a policy asks for the auth value as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthValue {
    /// It does.
    Asked,
    /// It does not.
    Ignored,
}

/// Goes through the steps of a policy, as they are now.
pub(crate) fn policy_of(
    context: &mut Context,
    policy: PolicySession,
    registers: &Registers,
    auth: AuthValue,
) -> Result<(), Error> {
    let slots: Result<Vec<PcrSlot>, Error> = registers
        .numbers()
        .iter()
        .map(|number| PcrSlot::try_from(1_u32 << number))
        .collect();
    let selection = PcrSelectionList::builder()
        .with_selection(HashingAlgorithm::Sha256, &slots?)
        .build()?;
    // No expected value: the TPM takes what its registers hold.
    context.policy_pcr(policy, Digest::default(), selection)?;
    match auth {
        AuthValue::Asked => context.policy_auth_value(policy),
        AuthValue::Ignored => Ok(()),
    }
}

/// Ends a session that no command has ended.
pub(crate) fn end(context: &mut Context, session: AuthSession) {
    // There is an error already; if this fails too, the resource manager clears up.
    let _ = context.flush_context(SessionHandle::from(session).into());
}

/// The session ends with its first successful command other than those that build its policy.
fn start(
    context: &mut Context,
    parent: KeyHandle,
    kind: SessionType,
    encrypted: Encrypted,
) -> Result<AuthSession, Error> {
    let session = context.start_auth_session(
        Some(parent),
        None,
        None,
        kind,
        SymmetricDefinition::AES_128_CFB,
        HashingAlgorithm::Sha256,
    )?;
    let session = session.ok_or(Error::WrapperError(
        tss_esapi::WrapperErrorKind::WrongValueFromTpm,
    ))?;
    let (attributes, mask) = SessionAttributesBuilder::new()
        .with_continue_session(false)
        .with_decrypt(encrypted == Encrypted::Command)
        .with_encrypt(encrypted == Encrypted::Answer)
        .build();
    context.tr_sess_set_attributes(session, attributes, mask)?;
    Ok(session)
}

/// Does `action` under `session`, which ends with it.
pub(crate) fn under<T>(
    context: &mut Context,
    session: AuthSession,
    doing: &str,
    action: impl FnOnce(&mut Context) -> Result<T, Error>,
) -> Result<T, SignerError> {
    let done = context.execute_with_session(Some(session), action);
    done.map_err(|error| {
        if is_said_by_tpm(error) {
            end(context, session);
        }
        failure(doing, error)
    })
}
