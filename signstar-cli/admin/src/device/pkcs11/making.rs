//! Making keys on tokens.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use signstar::back_ends::pkcs11::Pkcs11;
use signstar_core::{KeyKind, PublicKey, SecretMaterial};
use signstar_pkcs11::Uri;
use signstar_pkcs11::provision::{self, Account, Demand, KINDS, NewKey, Order, Secret, Waiting};
use signstar_software::remainder_numbers;
use zeroize::Zeroizing;

use super::super::asking::making;
use super::super::outside::{self, Outside};
use super::super::{Made, settings_of};
use crate::account;
use crate::cli::key::{OnToken, Replacing};
use crate::cli::{Generate, Import};
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::Settings;
use crate::terminal;

/// Random octets of an identifier that nobody has chosen.
const ID_BYTES: usize = 8;

/// Processor time that the module may use: RSA of 4096 bits takes software minutes.
const PROCESSOR_SECONDS: u64 = 900;

/// What both halves together are.
const COMPOSITE: KeyKind = KeyKind::MlDsa65Ed25519;

pub(super) fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let job = Job {
        settings,
        name: &options.key,
        on: &options.token,
        replacing: &options.replacing,
    };
    let (kind, order) = order(job.token()?, options)?;
    let (made, waiting) = job.prepare(kind, order)?;
    if made.dry_run {
        return Ok(made);
    }
    let pin = job.agree(&made, &waiting, "makes")?;
    making(&made.device, made.kind);
    let found = waiting.make(pin)?.kind();
    match found == made.kind {
        true => Ok(made),
        false => Err(Failure::new(
            Status::Internal,
            format!("{}: the token made a {found} key", made.device),
        )),
    }
}

pub(super) fn import(settings: &Settings, options: &Import) -> Result<Made, Failure> {
    let job = Job {
        settings,
        name: &options.key,
        on: &options.token,
        replacing: &options.replacing,
    };
    let token = job.token()?;
    if token.uri_ed25519.is_some() {
        let text = "with `uri-ed25519` the key is a composite one, which is only made on the token";
        return Err(Failure::new(Status::Usage, text));
    }
    let outside = outside::read(settings, options)?;
    let kind = outside.public.kind();
    if !KINDS.contains(&kind) {
        return Err(Failure::new(
            Status::Data,
            "tokens have no keys of this kind",
        ));
    }
    let order = Order::Import(new_key(&token.uri, &options.key, kind)?);
    let (mut made, waiting) = job.prepare(kind, order)?;
    made.created = Some(humantime::format_rfc3339_seconds(outside.created).to_string());
    if made.dry_run {
        return Ok(made);
    }
    let secret = secret(&outside)?;
    let pin = job.agree(&made, &waiting, "takes")?;
    match waiting.import(pin, &secret)? == outside.public {
        true => Ok(made),
        false => Err(Failure::new(
            Status::Internal,
            format!(
                "{}: the token shows another key than it was given",
                made.device
            ),
        )),
    }
}

/// The numbers of the key, as tokens want them.
fn secret(outside: &Outside) -> Result<Secret, Failure> {
    let secret = match (&outside.material, &outside.public) {
        (SecretMaterial::Ed25519(seed), PublicKey::Ed25519(point)) => Some(Secret::Curve {
            secret: Zeroizing::new(seed.to_vec()),
            point: point.to_vec(),
        }),
        (SecretMaterial::Ecdsa { scalar, .. }, PublicKey::Ecdsa { point, .. }) => {
            Some(Secret::Curve {
                secret: scalar.clone(),
                point: point.clone(),
            })
        }
        (SecretMaterial::Rsa { n, e, d, p, q }, _) => {
            remainder_numbers(&outside.material).map(|[dp, dq, inverse]| Secret::Rsa {
                public: [n.clone(), e.clone()],
                private: [d.clone(), p.clone(), q.clone(), dp, dq, inverse],
            })
        }
        _ => None,
    };
    secret.ok_or_else(|| {
        Failure::new(
            Status::Data,
            "the numbers of the key do not belong together",
        )
    })
}

/// A key that is to come onto a token.
struct Job<'a> {
    settings: &'a Settings,
    name: &'a str,
    on: &'a OnToken,
    replacing: &'a Replacing,
}

impl Job<'_> {
    fn token(&self) -> Result<&Pkcs11, Failure> {
        settings_of(self.settings.key(self.name)?)
    }

    /// Has the token found, and looked at.
    fn prepare(&self, kind: KeyKind, order: Order) -> Result<(Made, Waiting), Failure> {
        let (key, token) = (self.settings.key(self.name)?, self.token()?);
        let mut of_module = token.opening(PROCESSOR_SECONDS)?;
        for path in &self.on.module_write {
            let text = path.to_str().filter(|_| path.is_absolute());
            let text = text.ok_or_else(|| {
                let text = "--module-write: give an absolute path in UTF-8";
                Failure::new(Status::Usage, text)
            })?;
            of_module.write.push(text.to_owned());
        }
        let names = match &order {
            Order::List => String::new(),
            Order::Make(first, second) => {
                shown(first) + &second.as_ref().map_or(String::new(), shown)
            }
            Order::Import(key) => shown(key),
        };
        let demand = Demand {
            account: Some(self.account()?),
            order,
        };
        let patience = Duration::from_secs(key.device_seconds);
        let socket = super::start(&token.environment)?;
        let waiting = provision::prepare(socket, of_module, &demand, patience)?;
        let made = Made {
            kind,
            device: place(&waiting) + &names,
            fingerprint: None,
            secret_key: None,
            created: None,
            protected: true,
            dry_run: self.replacing.dry_run,
        };
        Ok((made, waiting))
    }

    /// Who will sign, so that what the module writes belongs to them.
    fn account(&self) -> Result<Account, Failure> {
        let given = self.on.account.as_deref();
        let account = account::account_of_key(self.settings, self.name, given)?;
        Ok(Account {
            user: account.id,
            group: account.group,
            groups: account::groups_of(&account.name, &account)?,
        })
    }

    /// Has the operator agree, and gives the PIN.
    fn agree(
        &self,
        made: &Made,
        waiting: &Waiting,
        does: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if !self.replacing.yes {
            let text = format!(
                "{}: it {does} a key of the kind {}, which cannot be taken out of it.",
                made.device, made.kind
            );
            terminal::confirm(&text, "yes")?;
        }
        self.pin(&place(waiting))
    }

    fn pin(&self, place: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let there = |path: &Path| {
            let metadata = std::fs::symlink_metadata(path);
            !metadata.is_err_and(|error| error.kind() == ErrorKind::NotFound)
        };
        let token = self.token()?;
        let configured = Some(&token.pin).filter(|path| there(path));
        match self.on.pin_file.as_ref().or(configured) {
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
}

fn place(waiting: &Waiting) -> String {
    format!("PKCS#11 token {}", waiting.uri())
}

/// The key pairs that the configuration names, and what they are together.
fn order(token: &Pkcs11, options: &Generate) -> Result<(KeyKind, Order), Failure> {
    let Some(half) = &token.uri_ed25519 else {
        let kind = options.kind.unwrap_or(KeyKind::Ed25519);
        let order = Order::Make(new_key(&token.uri, &options.key, kind)?, None);
        return Ok((kind, order));
    };
    if options.kind.is_some() {
        let text =
            format!("--kind: with `uri-ed25519` the key is of the kind {COMPOSITE}: leave it out");
        return Err(Failure::new(Status::Usage, text));
    }
    let first = new_key(&token.uri, &options.key, KeyKind::MlDsa65)?;
    let second = new_key(half, &format!("{}-ed25519", options.key), KeyKind::Ed25519)?;
    if first.id == second.id || first.label == second.label {
        let text = "`uri` and `uri-ed25519` must name keys with different labels and ids";
        return Err(Failure::new(Status::Configuration, text));
    }
    Ok((COMPOSITE, Order::Make(first, Some(second))))
}

/// The key that `uri` names. What it does not say of it is the key's name in the configuration, or random.
fn new_key(uri: &str, name: &str, kind: KeyKind) -> Result<NewKey, Failure> {
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
