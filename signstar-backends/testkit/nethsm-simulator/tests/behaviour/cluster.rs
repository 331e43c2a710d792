//! Devices that join one another. What a real cluster does where nothing was compared with is the vendor's own
//! description of it, and guesses that the crate's documentation names.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signstar_nethsm_simulator::State;

use crate::authority::Authority;
use crate::client::{Client, Received};
use crate::device::{ADMIN, Device, OPERATOR, SIGN, UNLOCK};

const BACKUP_PASSPHRASE: &str = "backupbackup";

/// Announces a device, and returns what it joins with.
pub(crate) fn announce(member: &Device, number: u8) -> Value {
    let body = format!(r#"{{"urls":["https://192.0.2.{number}:2380"]}}"#);
    let added = member.ask(ADMIN, "POST cluster/members", &body);
    assert_eq!(added.status, 201, "{}", added.text());
    let mut request: Value = serde_json::from_slice(&added.body).unwrap();
    request["backupPassphrase"] = BACKUP_PASSPHRASE.into();
    request
}

pub(crate) fn set_backup_passphrase(device: &Device) {
    let body = format!(r#"{{"newPassphrase":"{BACKUP_PASSPHRASE}","currentPassphrase":""}}"#);
    let set = "PUT config/backup-passphrase";
    assert_eq!(device.status(ADMIN, set, &body), 204);
}

pub(crate) fn learner(request: &Value) -> String {
    let mut members = request["members"].as_array().unwrap().iter();
    let learner = members.find(|member| member["learner"] == true).unwrap();
    learner["id"].as_str().unwrap().to_owned()
}

pub(crate) fn promote(member: &Device, id: &str) -> Received {
    member.ask(ADMIN, &format!("POST cluster/members/{id}/promote"), "")
}

/// Promotes as soon as the learner has caught up.
pub(crate) fn promote_when_ready(member: &Device, id: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while promote(member, id).status != 204 {
        assert!(Instant::now() < until, "{id} was never promoted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks a device to join, by a client of its own.
pub(crate) fn ask_to_join(address: SocketAddr, request: &Value) -> Received {
    let client = Client::new(address);
    Device::ask_by(&client, ADMIN, "POST cluster/join", &request.to_string())
}

/// Has a device join, and unlocks it.
pub(crate) fn join(member: &Device, joiner: &Device, number: u8) -> String {
    let request = announce(member, number);
    let id = learner(&request);
    let address = joiner.running.address();
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| ask_to_join(address, &request));
        promote_when_ready(member, &id);
        let joined = joined.join().unwrap();
        assert_eq!(joined.status, 204, "{}", joined.text());
    });
    assert_eq!(joiner.running.state(), State::Locked);
    assert_eq!(joiner.status("", "POST unlock", UNLOCK), 204);
    id
}

pub(crate) fn generate(device: &Device, id: &str) {
    let body = format!(r#"{{"mechanisms":["EdDSA_Signature"],"type":"Curve25519","id":"{id}"}}"#);
    assert_eq!(device.status(ADMIN, "POST keys/generate", &body), 201);
}

#[test]
fn a_joiner_gives_up_its_content_and_gets_that_of_the_cluster() {
    let authority = Authority::new();
    let (one, two) = (authority.device(1), authority.device(2));
    set_backup_passphrase(&one);
    assert_eq!(one.status(ADMIN, "PUT users/operator/tags/berlin", ""), 204);
    one.add_user("ns~admin", "Administrator", "nadminnadmin");
    assert_eq!(one.status(ADMIN, "PUT namespaces/ns", ""), 204);
    generate(&two, "lost");
    let logging = r#"{"ipAddress":"192.0.2.99","port":514,"logLevel":"info"}"#;
    assert_eq!(two.status(ADMIN, "PUT config/logging", logging), 204);
    let fingerprint = two.running.fingerprint();
    join(&one, &two, 2);
    // Users, keys, namespaces and tags are those of the cluster, to the octet.
    for path in [
        "keys",
        "users",
        "namespaces",
        "users/operator/tags",
        "cluster/members",
    ] {
        let asked = format!("GET {path}");
        assert_eq!(two.json(ADMIN, &asked), one.json(ADMIN, &asked), "{path}");
    }
    let etag = |device: &Device| {
        let shown = device.ask(ADMIN, "GET keys/ed", "");
        (shown.text(), shown.header("etag").unwrap().to_owned())
    };
    assert_eq!(etag(&two), etag(&one));
    assert_eq!(two.status(ADMIN, "GET keys/lost", ""), 404);
    let sign = |device: &Device| device.ask(OPERATOR, "POST keys/ed/sign", SIGN).text();
    assert_eq!(sign(&two), sign(&one));
    // The backup passphrase is shared; settings of the device, its TLS key and its number are its own.
    let body = r#"{"newPassphrase":"anotherbackup","currentPassphrase":"backupbackup"}"#;
    assert_eq!(two.status(ADMIN, "PUT config/backup-passphrase", body), 204);
    let back = r#"{"newPassphrase":"backupbackup","currentPassphrase":"anotherbackup"}"#;
    assert_eq!(one.status(ADMIN, "PUT config/backup-passphrase", back), 204);
    assert_eq!(
        two.json(ADMIN, "GET config/logging")["ipAddress"],
        "192.0.2.99"
    );
    assert_eq!(two.running.fingerprint(), fingerprint);
    assert_eq!(two.json(ADMIN, "GET system/info")["deviceId"], "0000000002");
    let members = one.json(ADMIN, "GET cluster/members");
    let names: Vec<&Value> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|member| &member["name"])
        .collect();
    assert_eq!(names, ["default", "0000000002"]);
    assert!(
        members
            .as_array()
            .unwrap()
            .iter()
            .all(|member| member["learner"] == false)
    );
}

#[test]
fn what_one_member_changes_the_others_see() {
    let authority = Authority::new();
    let [one, two, three] = [1, 2, 3].map(|number| authority.device(number));
    set_backup_passphrase(&one);
    join(&one, &two, 2);
    // Any member announces and promotes.
    join(&two, &three, 3);
    generate(&three, "new");
    assert_eq!(one.status(ADMIN, "GET keys/new", ""), 200);
    assert_eq!(one.status(ADMIN, "DELETE keys/new", ""), 204);
    assert_eq!(two.status(ADMIN, "GET keys/new", ""), 404);
    two.add_user("late", "Operator", "latelatelate");
    assert_eq!(three.status("late:latelatelate", "GET keys", ""), 200);
    let wrong = r#"{"passphrase":"anotheranother"}"#;
    assert_eq!(one.status(ADMIN, "POST users/late/passphrase", wrong), 204);
    assert_eq!(three.status("late:latelatelate", "GET keys", ""), 401);
    assert_eq!(three.status("late:anotheranother", "GET keys", ""), 429);
    three.running.advance(Duration::from_secs(1));
    assert_eq!(three.status("late:anotheranother", "GET keys", ""), 200);
    assert_eq!(two.status(ADMIN, "DELETE users/late", ""), 204);
    assert_eq!(three.status(ADMIN, "GET users/late", ""), 404);
    // An unlock passphrase is of one device.
    let change = r#"{"newPassphrase":"unlocktwounlock","currentPassphrase":"unlockunlock"}"#;
    assert_eq!(
        two.status(ADMIN, "PUT config/unlock-passphrase", change),
        204
    );
    for (device, passphrase) in [(&one, "unlockunlock"), (&two, "unlocktwounlock")] {
        assert_eq!(device.status(ADMIN, "POST lock", ""), 204);
        let body = json!({ "passphrase": passphrase }).to_string();
        assert_eq!(device.status("", "POST unlock", &body), 204);
    }
    // A locked member takes part.
    assert_eq!(one.status(ADMIN, "POST lock", ""), 204);
    generate(&two, "meanwhile");
    assert_eq!(one.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(one.status(ADMIN, "GET keys/meanwhile", ""), 200);
    // A device that moves tells the others.
    let network = r#"{"ipAddress":"192.0.2.33","netmask":"255.255.255.0","gateway":"0.0.0.0"}"#;
    assert_eq!(three.status(ADMIN, "PUT config/network", network), 204);
    let members = one.json(ADMIN, "GET cluster/members");
    assert_eq!(members[2]["urls"][0], "https://192.0.2.33:2380");
    generate(&one, "after");
    assert_eq!(three.status(ADMIN, "GET keys/after", ""), 200);
}

#[test]
fn a_learner_is_promoted_when_it_has_caught_up_and_has_no_vote_before() {
    let authority = Authority::new();
    let (one, two) = (authority.device(1), authority.device(2));
    set_backup_passphrase(&one);
    let request = announce(&one, 2);
    let id = learner(&request);
    // It has not joined.
    let early = promote(&one, &id);
    assert_eq!(early.status, 412, "{}", early.text());
    assert!(early.text().contains("in sync"), "{}", early.text());
    // One learner at a time.
    let third = r#"{"urls":["https://192.0.2.3:2380"]}"#;
    assert_eq!(one.status(ADMIN, "POST cluster/members", third), 409);
    let address = two.running.address();
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| ask_to_join(address, &request));
        let until = Instant::now() + Duration::from_secs(20);
        while one.json(ADMIN, "GET cluster/members")[1]["name"] == "" {
            assert!(Instant::now() < until, "it never joined");
        }
        // It waits: nobody can log in, nobody needs it, and it misses something while it is off.
        let another = Client::new(two.running.address());
        let asked = Device::ask_by(&another, ADMIN, "GET keys", "");
        assert_eq!(asked.status, 401);
        assert!(!joined.is_finished());
        two.running.power_off();
        assert!(joined.join().is_err(), "the answer came without power");
    });
    generate(&one, "meanwhile");
    two.power_on();
    assert_eq!(promote(&one, &id).status, 412);
    // Being asked has told it what it had missed.
    promote_when_ready(&one, &id);
    assert_eq!(two.running.state(), State::Locked);
    assert_eq!(two.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(two.status(ADMIN, "GET keys/meanwhile", ""), 200);
    assert_eq!(promote(&one, &id).status, 412);
}
