//! The cluster: `/cluster`.
//!
//! There is one member, this one, and what is added stays on paper: no other device is ever reached.
//! Nothing here but the list of one member is in the recordings.

use crate::access::Access;
use crate::base64;
use crate::crypto::sealed;
use crate::device::{Device, Member, State};
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::json::writer::{list, object, string, strings};
use crate::resource::{Call, Resource, Takes};

/// The member that every device starts with.
const OWN_ID: u64 = 0x8e9e_05c5_2164_694d;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "cluster/members",
        &[
            ("GET", "cluster_members_get"),
            ("POST", "cluster_members_post"),
        ],
        Access::RootAdministrator,
        members,
    )
    .takes(Takes::Json)
    .cacheable(),
    Resource::new(
        "cluster/members/:",
        &[
            ("PUT", "cluster_members_member_id_put"),
            ("DELETE", "cluster_members_member_id_delete"),
        ],
        Access::RootAdministrator,
        member,
    )
    .takes(Takes::Json)
    .cacheable()
    .exists(member_exists),
    Resource::new(
        "cluster/members/:/promote",
        &[("POST", "cluster_members_member_id_promote_post")],
        Access::RootAdministrator,
        promote,
    )
    .exists(member_exists),
    Resource::new(
        "cluster/join",
        &[("POST", "cluster_join_post")],
        Access::RootAdministrator,
        join,
    ),
    Resource::new(
        "cluster/force-new",
        &[("POST", "cluster_force_new_post")],
        Access::Unlock,
        force_new,
    )
    .states(&[State::Failed]),
];

fn all(device: &Device) -> Vec<Member> {
    let own = Member {
        id: OWN_ID,
        name: "default".to_owned(),
        urls: vec!["https://192.168.1.1:2380".to_owned()],
        learner: false,
    };
    if device.members.is_empty() {
        vec![own]
    } else {
        device.members.clone()
    }
}

fn id(call: &Call<'_>) -> Result<u64, Refusal> {
    let text = call.parameter(0);
    u64::from_str_radix(text, 16)
        .map_err(|_| Refusal::bad(format!("scanf: bad input: {text} is no hexadecimal number")))
}

fn member_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    let id = id(call)?;
    Ok(all(device).iter().any(|member| member.id == id))
}

fn urls(json: &Json) -> Result<Vec<String>, Misfit> {
    Record::of(json, "Json.member_req", &["urls"])?.texts("urls")
}

fn is_peer_url(url: &str) -> bool {
    let host = url.strip_prefix("https://");
    let host = host.and_then(|rest| rest.strip_suffix(":2380"));
    host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
}

fn members(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "POST" {
        return add(device, call);
    }
    Ok(Answer::Body(shown(device, &all(device))))
}

/// Members as they are shown; there are no learners before version 5.
fn shown(device: &Device, members: &[Member]) -> Vec<u8> {
    let learners = device.software.0 >= 5;
    list(members.iter().map(|member| {
        let mut fields = vec![
            ("id", string(format!("{:x}", member.id))),
            ("name", string(&member.name)),
            ("urls", strings(&member.urls)),
        ];
        if learners {
            fields.push(("learner", member.learner.to_string().into_bytes()));
        }
        object(fields)
    }))
}

fn add(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let urls = decode(call.body(), urls)?;
    let missing = "Please configure a backup key before adding new cluster members";
    let backup = device.configuration.backup.clone();
    let backup = backup.ok_or_else(|| Refusal::new(412, missing))?;
    let mut members = all(device);
    if members.iter().any(|member| member.learner) {
        let message = "cluster error: too many learner members in cluster";
        return Err(Refusal::new(409, message));
    }
    if urls.is_empty() || !urls.iter().all(|url| is_peer_url(url)) {
        return Err(Refusal::bad("cluster error: invalid peer URL"));
    }
    let id = u64::from_be_bytes(crate::crypto::random()?);
    members.push(Member {
        id,
        name: String::new(),
        urls,
        learner: device.software.0 >= 5,
    });
    let store = device.store.as_ref();
    let locked = store.map(|store| store.locked_domain_key.clone());
    let locked = sealed::seal(&backup.key, b"domain-key", &locked.unwrap_or_default())?;
    let salt = &device.configuration.unlock_salt;
    let salt = sealed::seal(&backup.key, b"unlock-salt", salt)?;
    let kit = object([
        ("backup_salt", string(base64::encode(&backup.salt))),
        ("unlock_salt", string(base64::encode(&salt))),
        ("locked_domain_key", string(base64::encode(&locked))),
    ]);
    let body = object([
        ("members", shown(device, &members)),
        ("joinerKit", string(base64::encode(&kit))),
    ]);
    device.members = members;
    let location = format!("/api/v1/cluster/members/{id:x}");
    Ok(Answer::Created { location, body })
}

fn member(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = id(call)?;
    let mut members = all(device);
    if call.method() == "DELETE" {
        if members.len() < 2 {
            let message = "cluster error: cannot remove the only member";
            return Err(Refusal::bad(message));
        }
        members.retain(|member| member.id != id);
        device.members = members;
        return Ok(Answer::Done);
    }
    let urls = decode(call.body(), urls)?;
    let Some(member) = members.iter_mut().find(|member| member.id == id) else {
        return Err(Refusal::new(404, "member not found"));
    };
    member.urls = urls;
    device.members = members;
    Ok(Answer::Done)
}

fn promote(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = id(call)?;
    let mut members = all(device);
    let learner = members
        .iter_mut()
        .find(|member| member.id == id && member.learner);
    let Some(learner) = learner else {
        let message = "cluster error: can only promote a learner member";
        return Err(Refusal::new(412, message));
    };
    learner.learner = false;
    device.members = members;
    Ok(Answer::Done)
}

/// Checks everything, and then finds nobody: there are no other devices.
fn join(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
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
            let member = Record::of(member, "Json.join_req_member", &["name", "urls"])?;
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
    if urls.len() != count || !urls.iter().all(|url| is_peer_url(url)) {
        let message = "expected unique URLs with https and port 2380";
        return Err(Refusal::bad(message));
    }
    opens(device, &kit, &passphrase)?;
    if device.configuration.cluster_ca.is_none() {
        return Err(Refusal::new(412, "cluster-ca.pem must be set"));
    }
    let message = "joining cluster failed: a simulated device reaches no other";
    Err(Refusal::bad(message))
}

/// Whether a joiner kit opens.
fn opens(device: &Device, kit: &str, passphrase: &[u8]) -> Result<(), Refusal> {
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
    for (what, sealed) in [("unlock-salt", unlock), ("domain-key", locked)] {
        if sealed::open(&key, what.as_bytes(), &sealed).is_none() {
            let message = format!("Could not decrypt {what}: invalid passphrase");
            return Err(Refusal::bad(message));
        }
    }
    Ok(())
}

fn force_new(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    device.members.clear();
    device.set_failed(false);
    device.set_store_present(true);
    Ok(Answer::Done)
}
