//! Making, listing and removing keys, and how the TPM is. Only the operator's tools have this.
//!
//! Owner and keys are authorised by sessions that are salted for the storage key. Where there is
//! none yet, the owner's auth value is only hidden by an HMAC, from which a weak one can be
//! guessed by who listens on the bus: set it afterwards, or make it strong.
//!
//! Deliberately absent: clearing the TPM, changing its owner, and keys that can leave it.

mod template;

use std::path::Path;

use signstar_core::{PublicKey, SignerError};
use tss_esapi::Context;
use tss_esapi::attributes::SessionAttributesBuilder;
use tss_esapi::constants::{CapabilityType, PropertyTag, SessionType};
use tss_esapi::handles::{KeyHandle, ObjectHandle, PersistentTpmHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::dynamic_handles::Persistent;
use tss_esapi::interface_types::resource_handles::{Hierarchy, Provision};
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{
    Auth, CapabilityData, Digest, Private, Public, PublicBuffer, SymmetricDefinition,
};
use tss_esapi::traits::{Marshall, UnMarshall};
use zeroize::Zeroizing;

use crate::connection;
use crate::error::{failure, nonsense};
use crate::public;
use crate::session::{self, AuthValue, Encrypted};
use crate::settings::{Handle, Name, Parent, Registers};

pub use template::{Guessing, KINDS, Template};

/// First and last persistent handle, and how many are asked for at once.
const PERSISTENT_FIRST: u32 = 0x8100_0000;
const HANDLES_MAX: u32 = 254;

/// The auth value of the owner, if there is one.
pub type OwnerAuth<'a> = Option<&'a Zeroizing<Vec<u8>>>;

/// A key outside of the TPM, encrypted by its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    /// `TPM2B_PUBLIC`.
    pub public: Vec<u8>,
    /// `TPM2B_PRIVATE`.
    pub private: Vec<u8>,
}

/// How a TPM defends itself against guessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// How many wrong auth values count at present.
    pub failed_attempts: u32,
    /// From how many on none is taken any more.
    pub failed_attempts_max: u32,
}

/// An open device, closed when this is dropped.
pub struct Tool {
    context: Context,
}

impl Tool {
    /// Opens the device.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn open(device: &Path) -> Result<Self, SignerError> {
        let context = connection::context(device)?;
        Ok(Self { context })
    }

    /// Makes a storage key, as the TCG's "SRK" on P-256 without its unique field, and keeps it at
    /// `handle`.
    ///
    /// # Errors
    /// The owner's auth value is wrong, the handle is in use, or there is no room.
    pub fn create_parent(
        &mut self,
        handle: Handle,
        owner: OwnerAuth<'_>,
    ) -> Result<Parent, SignerError> {
        let doing = "making the storage key";
        let public = template::storage_key().map_err(|error| failure(doing, error))?;
        self.set_owner_auth(owner)?;
        let session = self.unsalted()?;
        let made = self.under(session, doing, |context| {
            context.create_primary(Hierarchy::Owner, public, None, None, None, None)
        })?;
        let session = self.unsalted()?;
        let kept = self.keep(session, made.key_handle, handle);
        self.flush(made.key_handle)?;
        kept?;
        self.parent(handle)
    }

    /// What is at `handle`, to be noted once, at a console, and compared ever after.
    ///
    /// # Errors
    /// There is nothing.
    pub fn parent(&mut self, handle: Handle) -> Result<Parent, SignerError> {
        let reading = |error| failure("reading the storage key", error);
        let object = session::object(&mut self.context, handle).map_err(reading)?;
        let name = self.context.tr_get_name(object).map_err(reading)?;
        let name = Name::from_bytes(name.value())
            .map_err(|error| SignerError::Failed(format!("the storage key's Name {error}")))?;
        Ok(Parent { handle, name })
    }

    /// Makes a signing key below `parent`.
    ///
    /// # Errors
    /// The TPM has no such algorithm, or the parent is another one.
    pub fn create_key(
        &mut self,
        parent: &Parent,
        template: &Template,
    ) -> Result<KeyFiles, SignerError> {
        let doing = "making the key";
        let failed = |error| failure(doing, error);
        let above = session::parent(&mut self.context, parent)?;
        let policy = match &template.registers {
            Some(registers) => self.policy(above, registers, template)?,
            None => Digest::default(),
        };
        let public = template::signing_key(template, policy).map_err(failed)?;
        let public = public
            .ok_or_else(|| SignerError::Failed(format!("a TPM makes no {} keys", template.kind)))?;
        let auth = template.auth.as_ref();
        let auth = auth.map(|auth| Auth::try_from(auth.as_slice()));
        let auth = auth.transpose().map_err(failed)?;
        let session =
            session::by_auth_value(&mut self.context, above, Encrypted::Command).map_err(failed)?;
        let made = self.under(session, doing, |context| {
            context.create(above, public, auth, None, None, None)
        })?;
        self.close(above)?;
        let public = PublicBuffer::try_from(made.out_public).map_err(failed)?;
        Ok(KeyFiles {
            public: public.marshall().map_err(failed)?,
            private: length_prefixed(made.out_private.value())?,
        })
    }

    /// Keeps a key in the TPM at `handle`.
    ///
    /// # Errors
    /// The owner's auth value is wrong, the handle is in use, or there is no room.
    pub fn persist(
        &mut self,
        parent: &Parent,
        files: &KeyFiles,
        handle: Handle,
        owner: OwnerAuth<'_>,
    ) -> Result<(), SignerError> {
        let doing = "loading the key";
        let failed = |error| failure(doing, error);
        let above = session::parent(&mut self.context, parent)?;
        let buffer = PublicBuffer::unmarshall(&files.public).map_err(failed)?;
        let public = Public::try_from(buffer).map_err(failed)?;
        let private = files.private.get(2..).ok_or_else(nonsense)?;
        let private = Private::try_from(private).map_err(failed)?;
        let session =
            session::by_auth_value(&mut self.context, above, Encrypted::Command).map_err(failed)?;
        let key = self.under(session, doing, |context| {
            context.load(above, private, public)
        })?;
        self.set_owner_auth(owner)?;
        let session = self.salted(above)?;
        let kept = self.keep(session, key, handle);
        self.flush(key)?;
        self.close(above)?;
        kept
    }

    /// Removes what is at `handle`. A key that was made in the TPM and is not in files either is
    /// lost for ever.
    ///
    /// # Errors
    /// There is nothing, or the owner's auth value is wrong.
    pub fn remove(&mut self, handle: Handle, owner: OwnerAuth<'_>) -> Result<(), SignerError> {
        let doing = "removing the key";
        let failed = |error| failure(doing, error);
        let object = session::object(&mut self.context, handle).map_err(failed)?;
        let place = PersistentTpmHandle::new(handle.value()).map_err(failed)?;
        self.set_owner_auth(owner)?;
        let session = self.unsalted()?;
        self.under(session, doing, |context| {
            context.evict_control(Provision::Owner, object, Persistent::Persistent(place))
        })?;
        Ok(())
    }

    /// The handles at which something is, and the signing key that it is, if it is one.
    ///
    /// # Errors
    /// The TPM refuses.
    pub fn list(&mut self) -> Result<Vec<(Handle, Option<PublicKey>)>, SignerError> {
        let doing = "listing the keys";
        let failed = |error| failure(doing, error);
        let (found, _) = self
            .context
            .get_capability(CapabilityType::Handles, PERSISTENT_FIRST, HANDLES_MAX)
            .map_err(failed)?;
        let CapabilityData::Handles(handles) = found else {
            return Err(nonsense());
        };
        let mut listed = Vec::new();
        for handle in handles.into_inner() {
            let TpmHandle::Persistent(_) = handle else {
                continue;
            };
            let text = format!("{:#010x}", u32::from(handle));
            let place: Handle = text.parse().map_err(|_| nonsense())?;
            let object = session::object(&mut self.context, place).map_err(failed)?;
            let (public, _, _) = self
                .context
                .read_public(KeyHandle::from(object))
                .map_err(failed)?;
            listed.push((place, public::key(&public).ok()));
            self.close(KeyHandle::from(object))?;
        }
        Ok(listed)
    }

    /// How the TPM defends itself against guessing.
    ///
    /// # Errors
    /// The TPM refuses.
    pub fn status(&mut self) -> Result<Status, SignerError> {
        let mut property = |tag| {
            let value = self.context.get_tpm_property(tag);
            let value = value.map_err(|error| failure("asking for the status", error))?;
            value.ok_or_else(nonsense)
        };
        Ok(Status {
            failed_attempts: property(PropertyTag::LockoutCounter)?,
            failed_attempts_max: property(PropertyTag::MaxAuthFail)?,
        })
    }

    /// The policy that `registers` have at present the values they have.
    fn policy(
        &mut self,
        parent: KeyHandle,
        registers: &Registers,
        template: &Template,
    ) -> Result<Digest, SignerError> {
        let doing = "computing the policy";
        let failed = |error| failure(doing, error);
        let asked = match template.auth {
            Some(_) => AuthValue::Asked,
            None => AuthValue::Ignored,
        };
        let session = self.begin(Some(parent), SessionType::Trial)?;
        let policy = PolicySession::try_from(session).map_err(failed)?;
        let digest = session::policy_of(&mut self.context, policy, registers, asked)
            .and_then(|()| self.context.policy_get_digest(policy));
        session::end(&mut self.context, session);
        digest.map_err(failed)
    }

    fn keep(
        &mut self,
        session: AuthSession,
        key: KeyHandle,
        handle: Handle,
    ) -> Result<(), SignerError> {
        let doing = "keeping the key in the TPM";
        let place =
            PersistentTpmHandle::new(handle.value()).map_err(|error| failure(doing, error))?;
        let kept = self.under(session, doing, |context| {
            context.evict_control(Provision::Owner, key.into(), Persistent::Persistent(place))
        })?;
        self.close(KeyHandle::from(kept))
    }

    /// Does `action` under `session`, and ends that. The library would try to end once more, when
    /// it is closed, what has ended with its command.
    fn under<T>(
        &mut self,
        session: AuthSession,
        doing: &str,
        action: impl FnOnce(&mut Context) -> Result<T, tss_esapi::Error>,
    ) -> Result<T, SignerError> {
        let (attributes, mask) = SessionAttributesBuilder::new()
            .with_continue_session(true)
            .build();
        self.context
            .tr_sess_set_attributes(session, attributes, mask)
            .map_err(|error| failure(doing, error))?;
        let done = session::under(&mut self.context, session, doing, action)?;
        session::end(&mut self.context, session);
        Ok(done)
    }

    fn set_owner_auth(&mut self, owner: OwnerAuth<'_>) -> Result<(), SignerError> {
        let auth = owner.map_or(&[][..], |auth| auth.as_slice());
        Auth::try_from(auth)
            .and_then(|auth| self.context.tr_set_auth(ObjectHandle::Owner, auth))
            .map_err(|error| failure("taking the owner's auth value", error))
    }

    fn unsalted(&mut self) -> Result<AuthSession, SignerError> {
        self.begin(None, SessionType::Hmac)
    }

    fn salted(&mut self, parent: KeyHandle) -> Result<AuthSession, SignerError> {
        self.begin(Some(parent), SessionType::Hmac)
    }

    /// A session without encryption, for commands that have no parameter to encrypt.
    fn begin(
        &mut self,
        parent: Option<KeyHandle>,
        kind: SessionType,
    ) -> Result<AuthSession, SignerError> {
        let failed = |error| failure("beginning a session", error);
        self.context
            .start_auth_session(
                parent,
                None,
                None,
                kind,
                SymmetricDefinition::AES_128_CFB,
                HashingAlgorithm::Sha256,
            )
            .map_err(failed)?
            .ok_or_else(nonsense)
    }

    fn flush(&mut self, key: KeyHandle) -> Result<(), SignerError> {
        self.context
            .flush_context(key.into())
            .map_err(|error| failure("clearing up", error))
    }

    fn close(&mut self, key: KeyHandle) -> Result<(), SignerError> {
        self.context
            .tr_close(&mut key.into())
            .map_err(|error| failure("clearing up", error))
    }
}

/// The content of a `TPM2B` with its length before it.
fn length_prefixed(content: &[u8]) -> Result<Vec<u8>, SignerError> {
    let length = u16::try_from(content.len()).map_err(|_| nonsense())?;
    Ok([&length.to_be_bytes()[..], content].concat())
}
