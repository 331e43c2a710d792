//! Making keys on tokens.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use signstar::back_ends::pkcs11::Pkcs11;
use signstar_pkcs11::Uri;
use signstar_pkcs11::provision::{self, Account, Demand, Kind as TokenKind, NewKey, Order};
use signstar_software::Kind;
use zeroize::Zeroizing;

use super::super::asking::making;
use super::super::{Made, settings_of};
use crate::account;
use crate::cli::Generate;
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::Settings;
use crate::terminal;

/// Random octets of an identifier that nobody has chosen.
const ID_BYTES: usize = 8;

/// Processor time that the module may use: RSA of 4096 bits takes software minutes.
const PROCESSOR_SECONDS: u64 = 900;

/// What both halves together are called.
const COMPOSITE: &str = "mldsa65-ed25519";

pub(super) fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let name = &options.key;
    let key = settings.key(name)?;
    let token: &Pkcs11 = settings_of(key)?;
    let (kind, order) = order(token, options)?;
    let Order::Make(first, second) = &order else {
        return Err(Failure::new(Status::Internal, "no key is to be made"));
    };
    let halves = || std::iter::once(first).chain(second);
    let mut of_module = token.opening(PROCESSOR_SECONDS)?;
    for path in &options.token.module_write {
        let text = path.to_str().filter(|_| path.is_absolute());
        let text = text.ok_or_else(|| {
            let text = "--module-write: give an absolute path in UTF-8";
            Failure::new(Status::Usage, text)
        })?;
        of_module.write.push(text.to_owned());
    }
    let who = account_of(settings, options)?;
    let demand = Demand {
        account: Some(who),
        order: order.clone(),
    };
    let patience = Duration::from_secs(key.device_seconds);
    let socket = super::start(&token.environment)?;
    let waiting = provision::prepare(socket, of_module, &demand, patience)?;
    let place = format!("PKCS#11 token {}", waiting.uri());
    let made = Made {
        kind,
        device: halves().fold(place.clone(), |text, half| text + &shown(half)),
        fingerprint: None,
        secret_key: None,
        protected: true,
        dry_run: options.replacing.dry_run,
    };
    if made.dry_run {
        return Ok(made);
    }
    if !options.replacing.yes {
        let text = format!(
            "{}: it makes a {kind} key, which cannot be taken out of it.",
            made.device
        );
        terminal::confirm(&text, "yes")?;
    }
    let pin = pin(token, options, &place)?;
    making(&made.device, made.kind);
    let found = waiting.make(pin)?.name();
    match found == made.kind {
        true => Ok(made),
        false => Err(Failure::new(
            Status::Internal,
            format!("{}: the token made a {found} key", made.device),
        )),
    }
}

/// The key pairs that the configuration names, and what they are together.
fn order(token: &Pkcs11, options: &Generate) -> Result<(&'static str, Order), Failure> {
    let Some(half) = &token.uri_ed25519 else {
        let kind = options.kind.unwrap_or(Kind::Ed25519);
        let order = Order::Make(new_key(&token.uri, &options.key, of(kind))?, None);
        return Ok((kind.name(), order));
    };
    if options.kind.is_some() {
        let text =
            format!("--kind: with `uri-ed25519` the key is of the kind {COMPOSITE}: leave it out");
        return Err(Failure::new(Status::Usage, text));
    }
    let first = new_key(&token.uri, &options.key, TokenKind::MlDsa65)?;
    let second = new_key(
        half,
        &format!("{}-ed25519", options.key),
        TokenKind::Ed25519,
    )?;
    if first.id == second.id || first.label == second.label {
        let text = "`uri` and `uri-ed25519` must name keys with different labels and ids";
        return Err(Failure::new(Status::Configuration, text));
    }
    Ok((COMPOSITE, Order::Make(first, Some(second))))
}

/// The key that `uri` names. What it does not say of it is the key's name in the configuration, or random.
fn new_key(uri: &str, name: &str, kind: TokenKind) -> Result<NewKey, Failure> {
    let uri = Uri::parse(uri).map_err(|error| Failure::new(Status::Configuration, error))?;
    let id = match uri.id {
        Some(id) => id,
        None => {
            let mut id = vec![0; ID_BYTES];
            getrandom::fill(&mut id)
                .map_err(|_| Failure::new(Status::Internal, "there are no random numbers"))?;
            id
        }
    };
    Ok(NewKey {
        kind,
        label: uri.object.unwrap_or_else(|| name.to_owned()),
        id,
    })
}

fn shown(key: &NewKey) -> String {
    let uri = Uri {
        object: Some(key.label.clone()),
        id: Some(key.id.clone()),
        ..Uri::default()
    };
    let uri = uri.to_string();
    format!(", {}", uri.trim_start_matches("pkcs11:"))
}

const fn of(kind: Kind) -> TokenKind {
    match kind {
        Kind::Ed25519 => TokenKind::Ed25519,
        Kind::P256 => TokenKind::P256,
        Kind::P384 => TokenKind::P384,
        Kind::P521 => TokenKind::P521,
        Kind::Rsa2048 => TokenKind::Rsa2048,
        Kind::Rsa3072 => TokenKind::Rsa3072,
        Kind::Rsa4096 => TokenKind::Rsa4096,
    }
}

/// Who will sign, so that what the module writes belongs to them.
fn account_of(settings: &Settings, options: &Generate) -> Result<Account, Failure> {
    let given = options.token.account.as_deref();
    let account = account::account_of_key(settings, &options.key, given)?;
    Ok(Account {
        user: account.id,
        group: account.group,
        groups: account::groups_of(&account.name, &account)?,
    })
}

fn pin(token: &Pkcs11, options: &Generate, place: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let there = |path: &Path| {
        let metadata = std::fs::symlink_metadata(path);
        !metadata.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    let configured = Some(&token.pin).filter(|path| there(path));
    match options.token.pin_file.as_ref().or(configured) {
        Some(path) => secret_file::read(path),
        None if terminal::is_there() => {
            Ok(terminal::secret(&format!("User's PIN of the {place}"))?)
        }
        None => {
            let text = format!(
                "nobody is there to ask for the token's PIN: write {}, or give --pin-file",
                token.pin.display()
            );
            Err(Failure::new(Status::Usage, text))
        }
    }
}
