//! Joining a cluster: `/cluster/join`.
//!
//! What a device loses it loses when a member lets it in. From then on it has the cluster's content, sealed,
//! and waits to be promoted: its store does not answer meanwhile. Then it is locked, and the unlock passphrase
//! of the member that announced it unlocks. Its own settings stay.

use crate::backup::sealed_store;
use crate::base64;
use crate::crypto::sealed;
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Record, decode};
use crate::node::join::{self, Joiner};
use crate::node::network::host;
use crate::node::replica::Standing;
use crate::resource::Call;

/// What a joiner kit brings.
struct Kit {
    unlock_salt: Vec<u8>,
    locked_domain_key: Vec<u8>,
}

pub(crate) fn join(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (members, kit, passphrase) = decode(call.body(), |json| {
        let names = ["members", "joinerKit", "backupPassphrase"];
        let record = Record::of(json, "Json.join_req", &names)?;
        let passphrase = record.octets("backupPassphrase")?.to_vec();
        let kit = record.text("joinerKit")?;
        let Json::List(members) = record.need("members")? else {
            return Err(record.misfit("members"));
        };
        let mut read = Vec::new();
        for member in members {
            // The answer of the member that announced it is good as it is.
            let names = ["id", "name", "urls", "learner"];
            let member = Record::of(member, "Json.join_req_member", &names)?;
            read.push((member.text("name")?, member.texts("urls")?));
        }
        Ok((read, kit, passphrase))
    })?;
    let own = members.iter().filter(|(name, _)| name.is_empty()).count();
    if members.len() < 2 || own != 1 {
        let message = "expected at least two members, of which exactly one has an empty name";
        return Err(Refusal::bad(message));
    }
    let mut urls: Vec<&String> = members.iter().flat_map(|(_, urls)| urls).collect();
    let count = urls.len();
    urls.sort();
    urls.dedup();
    if urls.len() != count || !urls.iter().all(|url| host(url).is_some()) {
        let message = "expected unique URLs with https and port 2380";
        return Err(Refusal::bad(message));
    }
    let kit = opened(device, &kit, &passphrase)?;
    if device.configuration.cluster_ca.is_none() {
        return Err(Refusal::new(412, "cluster-ca.pem must be set"));
    }
    let (own, others): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|(name, _)| name.is_empty());
    let urls = |members: Vec<(String, Vec<String>)>| -> Vec<String> {
        members.into_iter().flat_map(|(_, urls)| urls).collect()
    };
    let own = urls(own);
    let joiner = Joiner {
        name: &device.device_id,
        urls: &own,
    };
    let replica = join::ask(&device.node, &joiner, &urls(others))?;
    // There is no way back from here.
    let content = replica.entries.as_ref().clone();
    device.store = Some(sealed_store(kit.locked_domain_key, content));
    device.configuration.unlock_salt = kit.unlock_salt;
    device.configuration.backup = None;
    device.members.clone_from(&replica.members);
    device.seen = replica.revision;
    device.standing = Standing::Learner;
    device.joining = true;
    device.set_connected(false);
    device.node.set_replica(replica);
    Ok(Answer::WhenPromoted)
}

/// Opens a joiner kit.
fn opened(device: &Device, kit: &str, passphrase: &[u8]) -> Result<Kit, Refusal> {
    let kit = base64::decode(kit).map_err(|_| Refusal::bad("invalid joiner kit"))?;
    let (backup, unlock, locked) = decode(&kit, |json| {
        let names = ["backup_salt", "unlock_salt", "locked_domain_key"];
        let record = Record::of(json, "Json.joiner_kit", &names)?;
        let locked = record.text("locked_domain_key")?;
        let unlock = record.text("unlock_salt")?;
        Ok((record.text("backup_salt")?, unlock, locked))
    })?;
    let invalid = |what: &str| Refusal::bad(format!("invalid {what}"));
    let salt = base64::decode(&backup).map_err(|_| invalid("backup salt"))?;
    let unlock = base64::decode(&unlock).map_err(|_| invalid("unlock salt"))?;
    let locked = base64::decode(&locked).map_err(|_| invalid("locked key"))?;
    let key = device.options.scrypt.derive(passphrase, &salt)?;
    let open = |what: &str, sealed: &[u8]| {
        let message = || Refusal::bad(format!("Could not decrypt {what}: invalid passphrase"));
        sealed::open(&key, what.as_bytes(), sealed).ok_or_else(message)
    };
    Ok(Kit {
        unlock_salt: open("unlock-salt", &unlock)?,
        locked_domain_key: open("domain-key", &locked)?,
    })
}
