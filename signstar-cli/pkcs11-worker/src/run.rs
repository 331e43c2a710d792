//! The straight line from the first message to the signature.

use signstar_confine::{
    Grants, Limits, Stage, harden_helper, limit_file_size, limit_processor, load_refusing_filter,
    restrict_files_to, worker_rules,
};
use signstar_core::{
    Digest, ModuleSettings, WorkerAnswer, WorkerFault as Fault, WorkerRequest as Request,
};

use crate::channel::{answer, next};
use crate::token::{self, Pin, Token};
use crate::{key, module, sign};

/// The shell's own limits are inherited and may be lower.
const LIMITS: Limits = Limits {
    open_files: 64,
    address_space_bytes: 1 << 30,
};

/// Largest file that a module may write where it may write at all: a token's database.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Does what the shell asks, once.
pub(crate) fn run() -> Result<(), Fault> {
    harden_helper(&LIMITS).map_err(|_| Fault::Confinement)?;
    let Request::Open(settings) = next()? else {
        return Err(Fault::Message);
    };
    let names = key::Names::of(&settings)?;
    confine(&settings)?;
    let library = module::load(&settings.module)?;
    let token = token::find(&library, &names.uri)?;
    let found = key::find_public(&token, &names)?;
    load_refusing_filter(&rules(Stage::Signing)?).map_err(|_| Fault::Confinement)?;

    let mut logged_in = false;
    let public = match found {
        Some(public) => public,
        None => {
            answer(&WorkerAnswer::PinWanted)?;
            let Request::Pin(pin) = next()? else {
                return Err(Fault::Message);
            };
            token.log_in(pin)?;
            logged_in = true;
            key::find_public(&token, &names)?.ok_or(Fault::KeyMissing)?
        }
    };
    let ready = WorkerAnswer::Ready(public.clone());
    // A key that the messages have no room for is none that signs here.
    ready.to_frame().map_err(|_| Fault::KeyKind)?;
    answer(&ready)?;
    let digest = await_digest(&token, logged_in)?;
    let private = key::find_private(&token, &names, &public)?;
    let signature = sign::sign(&token, &private, &public, &digest)?;
    answer(&WorkerAnswer::Signature(signature))
}

/// Waits for the digest, and logs in when it is there.
fn await_digest(token: &Token, logged_in: bool) -> Result<Digest, Fault> {
    let mut pin: Option<Pin> = None;
    if !logged_in {
        let Request::Pin(given) = next()? else {
            return Err(Fault::Message);
        };
        pin = Some(given);
    }
    let Request::Sign(digest) = next()? else {
        return Err(Fault::Message);
    };
    if let Some(pin) = pin {
        token.log_in(pin)?;
    }
    Ok(digest)
}

/// The first step: files, limits, and the filter under which the module is loaded.
fn confine(settings: &ModuleSettings) -> Result<(), Fault> {
    let paths = |list: &[String]| list.iter().map(Into::into).collect();
    let grants = Grants {
        module: module::trusted(&settings.module)?,
        read: paths(&settings.read),
        write: paths(&settings.write),
    };
    let file_bytes_max = if grants.write.is_empty() {
        0
    } else {
        FILE_BYTES_MAX
    };
    limit_file_size(file_bytes_max).map_err(|_| Fault::Confinement)?;
    limit_processor(settings.processor_seconds.into()).map_err(|_| Fault::Confinement)?;
    restrict_files_to(&grants).map_err(|error| match error {
        signstar_confine::ConfineError::Grant(_) => Fault::Grant,
        _ => Fault::Confinement,
    })?;
    load_refusing_filter(&rules(Stage::Loading)?).map_err(|_| Fault::Confinement)
}

fn rules(stage: Stage) -> Result<Vec<signstar_confine::Rule>, Fault> {
    worker_rules(stage).map_err(|_| Fault::Confinement)
}
