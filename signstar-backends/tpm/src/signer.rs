//! The key, found and ready.

use signstar_core::{Digest, Opened, PublicKey, RawSignature, Signer, SignerError};
use tss_esapi::constants::tss::{TPM2_RH_NULL, TPM2_ST_HASHCHECK};
use tss_esapi::handles::{KeyHandle, ObjectHandle};
use tss_esapi::structures::{Auth, HashcheckTicket, Private, Public, PublicBuffer};
use tss_esapi::traits::UnMarshall;
use tss_esapi::tss2_esys::{TPM2B_DIGEST, TPMT_TK_HASHCHECK};
use tss_esapi::{Context, Error, WrapperErrorKind};
use zeroize::Zeroizing;

use crate::connection::{self, Connection};
use crate::error::failure;
use crate::public;
use crate::session::{self, AuthValue, Encrypted};
use crate::settings::{KeyPlace, Registers, Settings};

/// An auth value is no longer than the hash of its key's Name.
const AUTH_BYTES_MAX: usize = 32;

pub(crate) fn open(
    settings: &Settings,
    auth: Option<Zeroizing<Vec<u8>>>,
) -> Result<Opened, SignerError> {
    if auth
        .as_ref()
        .is_some_and(|auth| auth.len() > AUTH_BYTES_MAX || auth.is_empty())
    {
        return Err(SignerError::Credential(format!(
            "the auth value must have 1 to {AUTH_BYTES_MAX} bytes"
        )));
    }
    let Connection {
        mut context,
        descriptor,
    } = connection::open(&settings.device)?;
    let parent = session::parent(&mut context, &settings.parent)?;
    let place = Place::of(&mut context, &settings.key)?;
    let mut key = Key {
        context,
        parent,
        place,
        registers: settings.registers.clone(),
        auth,
    };
    let area = key.with_key("reading the key", |key, handle| key.read_public(handle))?;
    let public = public::key(&area)?;
    Ok(Opened {
        signer: Box::new(Tpm { key, public }),
        reach: connection::reach(descriptor),
    })
}

struct Tpm {
    key: Key,
    public: PublicKey,
}

impl Signer for Tpm {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.public.check_digest(digest)?;
        let public = &self.public;
        let signature = self
            .key
            .with_key("signing", |key, handle| key.sign(handle, public, digest))?;
        Ok(RawSignature {
            value: public::value(public, &signature)?,
            counter: None,
        })
    }
}

/// Where the key is, in the terms of the library.
enum Place {
    Persistent(KeyHandle),
    Files { public: Public, private: Private },
}

impl Place {
    fn of(context: &mut Context, place: &KeyPlace) -> Result<Self, SignerError> {
        match place {
            KeyPlace::Persistent(handle) => {
                let object = session::object(context, *handle)
                    .map_err(|error| failure("reading the key", error))?;
                Ok(Self::Persistent(KeyHandle::from(object)))
            }
            KeyPlace::Files { public, private } => {
                const SIZE: Error = Error::WrapperError(WrapperErrorKind::WrongParamSize);
                let damaged =
                    |_| SignerError::Failed("the files of the key are damaged".to_owned());
                // The library takes the structure wherever the length says that it ends.
                length_prefixed(public).ok_or_else(|| damaged(SIZE))?;
                let buffer = PublicBuffer::unmarshall(public).map_err(damaged)?;
                let public = Public::try_from(buffer).map_err(damaged)?;
                let content = length_prefixed(private).ok_or_else(|| damaged(SIZE))?;
                let private = Private::try_from(content).map_err(damaged)?;
                Ok(Self::Files { public, private })
            }
        }
    }
}

/// The content of a `TPM2B`, which must be all there is.
fn length_prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, content) = bytes.split_first_chunk::<2>()?;
    (content.len() == usize::from(u16::from_be_bytes(*length))).then_some(content)
}

/// A key with all that its use takes.
struct Key {
    context: std::mem::ManuallyDrop<Context>,
    parent: KeyHandle,
    place: Place,
    registers: Option<Registers>,
    auth: Option<Zeroizing<Vec<u8>>>,
}

impl Key {
    /// Does `action` with the key, which is loaded for that long if it is in files.
    fn with_key<T>(
        &mut self,
        doing: &str,
        action: impl FnOnce(&mut Self, KeyHandle) -> Result<T, SignerError>,
    ) -> Result<T, SignerError> {
        let (public, private) = match &self.place {
            Place::Persistent(handle) => {
                let handle = *handle;
                return action(self, handle);
            }
            Place::Files { public, private } => (public.clone(), private.clone()),
        };
        let parent = self.parent;
        let session = session::by_auth_value(&mut self.context, parent, Encrypted::Command)
            .map_err(|error| failure(doing, error))?;
        let handle = session::under(&mut self.context, session, doing, |context| {
            context.load(parent, private, public)
        })?;
        let done = action(self, handle);
        match (done, self.context.flush_context(ObjectHandle::from(handle))) {
            (Ok(_), Err(error)) => Err(failure(doing, error)),
            (done, _) => done,
        }
    }

    /// The public area, from the TPM that holds the storage key and unchanged on its way.
    fn read_public(&mut self, handle: KeyHandle) -> Result<Public, SignerError> {
        let doing = "reading the key";
        let session = session::by_auth_value(&mut self.context, self.parent, Encrypted::Answer)
            .map_err(|error| failure(doing, error))?;
        session::under(&mut self.context, session, doing, |context| {
            context.read_public(handle).map(|(public, _, _)| public)
        })
    }

    fn sign(
        &mut self,
        handle: KeyHandle,
        public: &PublicKey,
        digest: &Digest,
    ) -> Result<tss_esapi::structures::Signature, SignerError> {
        let doing = "signing";
        let context = &mut self.context;
        let began = match &self.registers {
            None => session::by_auth_value(context, self.parent, Encrypted::Command),
            Some(registers) => {
                let asked = match self.auth {
                    Some(_) => AuthValue::Asked,
                    None => AuthValue::Ignored,
                };
                session::by_policy(context, self.parent, registers, asked)
            }
        };
        let session = began.map_err(|error| failure(doing, error))?;
        let scheme = public::scheme(public, digest);
        let auth = self.auth.as_ref();
        session::under(context, session, doing, |context| {
            let hash = tss_esapi::structures::Digest::try_from(digest.as_bytes())?;
            if let Some(auth) = auth {
                context
                    .tr_set_auth(ObjectHandle::from(handle), Auth::try_from(auth.as_slice())?)?;
            }
            let signed = context.sign(handle, hash, scheme, external()?);
            // The library's own copy, over which it writes what it is given.
            context.tr_set_auth(ObjectHandle::from(handle), Auth::default())?;
            signed
        })
    }
}

/// The ticket that says: the TPM has not seen what was hashed.
fn external() -> Result<HashcheckTicket, Error> {
    HashcheckTicket::try_from(TPMT_TK_HASHCHECK {
        tag: TPM2_ST_HASHCHECK,
        hierarchy: TPM2_RH_NULL,
        digest: TPM2B_DIGEST::default(),
    })
}
