//! Taking over what another member of the cluster has stored.

use crate::backup_file::Entries;
use crate::crypto::CryptoError;
use crate::device::Device;
use crate::vault::{self, key_path, user_path};

/// Makes users, keys, namespaces and the global settings those of `entries`. What is the same is not opened
/// again. A device that has no domain key keeps them sealed.
///
/// # Errors
/// They were sealed with another domain key; nothing is changed.
pub(crate) fn refresh(device: &mut Device, entries: &Entries) -> Result<(), CryptoError> {
    let Some(store) = &mut device.store else {
        return Ok(());
    };
    let Some(domain_key) = store.domain_key else {
        store.sealed.clone_from(entries);
        return Ok(());
    };
    let mut known = Entries::new();
    for (name, user) in &store.users {
        known.insert(user_path(name), user.sealed.clone());
    }
    for (place, key) in &store.keys {
        known.insert(key_path(place), key.sealed.clone());
    }
    let new = entries
        .iter()
        .filter(|(path, value)| known.get(*path) != Some(value));
    let new = new
        .map(|(path, value)| (path.clone(), value.clone()))
        .collect();
    let opened = vault::open(&new, &domain_key)?;
    store
        .users
        .retain(|name, _| entries.contains_key(&user_path(name)));
    store.users.extend(opened.users);
    store
        .keys
        .retain(|place, _| entries.contains_key(&key_path(place)));
    store.keys.extend(opened.keys);
    store.namespaces = opened.namespaces;
    device.configuration.backup = opened.backup;
    device.configuration.cluster_ca = opened.cluster_ca;
    Ok(())
}
