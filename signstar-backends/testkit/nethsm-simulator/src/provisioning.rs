//! From one state to another: `/provision`, `/unlock`, `/lock`.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::backup::open_sealed;
use crate::clock;
use crate::crypto::{random, sealed};
use crate::device::{Device, State};
use crate::exchange::{Answer, Refusal};
use crate::identity::valid_passphrase;
use crate::json::schema::{Record, decode};
use crate::resource::{Call, Resource};
use crate::store::{Role, Stamped, Store, User};
use crate::vault;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "provision",
        &[("POST", "provision_post")],
        Access::Public,
        provision,
    )
    .states(&[State::Unprovisioned]),
    Resource::new("unlock", &[("POST", "unlock_post")], Access::Public, unlock)
        .states(&[State::Locked]),
    Resource::new(
        "lock",
        &[("POST", "lock_post")],
        Access::RootAdministrator,
        lock,
    ),
];

fn provision(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (unlock, admin, time) = decode(call.body(), |json| {
        let names = ["unlockPassphrase", "adminPassphrase", "systemTime"];
        let record = Record::of(json, "Json.provision_req", &names)?;
        let time = record.text("systemTime")?;
        let admin = record.octets("adminPassphrase")?.to_vec();
        Ok((record.octets("unlockPassphrase")?.to_vec(), admin, time))
    })?;
    valid_passphrase("unlockPassphrase", &unlock)?;
    valid_passphrase("adminPassphrase", &admin)?;
    let time = clock::parse(&time).map_err(Refusal::bad)?;
    let domain_key = random::<32>()?;
    let administrator = User::new(b"admin", Role::Administrator, &admin)?;
    let administrator = Stamped::new(administrator)?;
    device.store = Some(Store {
        locked_domain_key: Vec::new(),
        domain_key: Some(domain_key),
        sealed: BTreeMap::new(),
        users: BTreeMap::from([("admin".to_owned(), administrator)]),
        keys: BTreeMap::new(),
        namespaces: BTreeSet::new(),
    });
    if let Some(store) = &mut device.store {
        vault::write_user(store, "admin")?;
    }
    set_unlock_passphrase(device, &unlock)?;
    device.clock.set(time);
    device.enter(State::Operational);
    Ok(Answer::Done)
}

/// Puts the domain key under another passphrase.
pub(crate) fn set_unlock_passphrase(device: &mut Device, passphrase: &[u8]) -> Result<(), Refusal> {
    let salt = random::<16>()?;
    let key = device.options.scrypt.derive(passphrase, &salt)?;
    if let Some(store) = &mut device.store
        && let Some(domain_key) = &store.domain_key
    {
        store.locked_domain_key = sealed::seal(&key, b"passphrase", domain_key)?;
    }
    device.configuration.unlock_salt = salt.to_vec();
    Ok(())
}

fn unlock(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let passphrase = decode(call.body(), passphrase)?;
    // Nobody is asked who they are here: all of an address count as one.
    let limited = (call.request.address, "/unlock".to_owned());
    if device.is_limited(&limited) {
        return Err(Refusal::new(429, "Service unavailable: too many requests"));
    }
    let opened = valid_passphrase("passphrase", &passphrase)
        .and_then(|()| {
            device
                .domain_key_of(&passphrase)
                .ok_or_else(|| Refusal::new(403, "not authenticated"))
        })
        .inspect_err(|_| device.limit(limited))?;
    let sealed = device.store.as_ref();
    if sealed.is_some_and(|store| store.domain_key.is_none()) {
        open_sealed(device, &opened)?;
    }
    device.enter(State::Operational);
    Ok(Answer::Done)
}

/// The one field of a body that brings a passphrase.
pub(crate) fn passphrase(json: &crate::json::Json) -> Result<Vec<u8>, String> {
    let record = Record::of(json, "Json.passphrase_req", &["passphrase"])?;
    Ok(record.octets("passphrase")?.to_vec())
}

fn lock(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    device.enter(State::Locked);
    Ok(Answer::Done)
}
