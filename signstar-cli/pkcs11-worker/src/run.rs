//! The straight line from the first message to the signature.

use signstar_core::{Digest, WorkerAnswer, WorkerFault as Fault, WorkerRequest as Request};
use signstar_pkcs11_worker::channel::{Locked, answer, next};
use signstar_pkcs11_worker::confinement;
use signstar_pkcs11_worker::token::{self, Access, Pin, Token};
use signstar_pkcs11_worker::{key, module};

use crate::sign;

/// Does what the shell asks, once.
pub(crate) fn run() -> Result<(), Fault> {
    confinement::harden()?;
    let Request::Open(settings) = next()? else {
        return Err(Fault::Message);
    };
    let names = key::Names::of(&settings)?;
    let mut room = Locked::new()?;
    confinement::before_module(&settings)?;
    let library = module::load(&settings.module)?;
    let token = token::find(&library, &names.uri, Access::Read)?;
    let found = key::find_public(&token, &names)?;
    confinement::before_pin()?;

    let mut logged_in = false;
    let public = match found {
        Some(public) => public,
        None => {
            answer(&WorkerAnswer::PinWanted)?;
            token.log_in(room.next_pin()?)?;
            logged_in = true;
            key::find_public(&token, &names)?.ok_or(Fault::KeyMissing)?
        }
    };
    let ready = WorkerAnswer::Ready(public.clone());
    // A key that the messages have no room for is none that signs here.
    ready.to_frame().map_err(|_| Fault::KeyKind)?;
    answer(&ready)?;
    let digest = await_digest(&token, room, logged_in)?;
    let private = key::find_private(&token, &names, &public)?;
    let signature = sign::sign(&token, &private, &public, &digest)?;
    answer(&WorkerAnswer::Signature(signature))
}

/// Waits for the digest, and logs in when it is there.
fn await_digest(token: &Token, mut room: Locked, logged_in: bool) -> Result<Digest, Fault> {
    let mut pin: Option<Pin> = None;
    if !logged_in {
        pin = Some(room.next_pin()?);
    }
    let Request::Sign(digest) = next()? else {
        return Err(Fault::Message);
    };
    if let Some(pin) = pin {
        token.log_in(pin)?;
    }
    Ok(digest)
}
