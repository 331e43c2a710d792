//! Members of a cluster that go, come back, move, or are the last.

use std::time::{Duration, Instant};

use serde_json::json;
use signstar_nethsm_simulator::{Options, State};

use crate::authority::Authority;
use crate::cluster::{announce, ask_to_join, generate, join, learner, set_backup_passphrase};
use crate::device::{ADMIN, Device, OPERATOR, SIGN, UNLOCK};

#[test]
fn a_removed_member_is_of_no_use_until_it_is_reset() {
    let authority = Authority::new();
    let [one, two, three] = [1, 2, 3].map(|number| authority.device(number));
    set_backup_passphrase(&one);
    let second = join(&one, &two, 2);
    let third = join(&one, &three, 3);
    assert_eq!(
        one.status(ADMIN, &format!("DELETE cluster/members/{second}"), ""),
        204
    );
    assert_eq!(two.running.state(), State::Failed);
    assert_eq!(two.status(ADMIN, "GET keys", ""), 412);
    let diagnosis = two.json("", "GET health/diagnose");
    assert_eq!(
        diagnosis["clusterState"],
        json!({ "exited": 0, "running": false })
    );
    // One that was off is out when it comes back, and one may remove itself.
    three.running.power_off();
    assert_eq!(one.status(ADMIN, "GET keys", ""), 401);
    three.power_on();
    one.running.advance(Duration::from_secs(1));
    assert_eq!(one.status(ADMIN, "GET keys", ""), 200);
    assert_eq!(
        one.json(ADMIN, "GET health/diagnose")["clusterState"]["running"],
        true
    );
    assert_eq!(three.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(
        three.status(ADMIN, &format!("DELETE cluster/members/{third}"), ""),
        204
    );
    assert_eq!(three.running.state(), State::Failed);
    assert_eq!(
        one.json(ADMIN, "GET cluster/members")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        one.status(ADMIN, "DELETE cluster/members/8e9e05c52164694d", ""),
        400
    );
    generate(&one, "alone");
    // A factory reset makes it a device like any other, which can join again.
    two.running.reset().unwrap();
    assert_eq!(two.running.state(), State::Unprovisioned);
    two.provision();
    authority.prepare(&two.client, 2, "IP:192.0.2.2");
    join(&one, &two, 2);
    assert_eq!(two.status(ADMIN, "GET keys/alone", ""), 200);
}

#[test]
fn a_learner_that_is_removed_has_not_joined_and_has_lost_what_it_had() {
    let authority = Authority::new();
    let (one, two) = (authority.device(1), authority.device(2));
    set_backup_passphrase(&one);
    let request = announce(&one, 2);
    let id = learner(&request);
    let address = two.running.address();
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| ask_to_join(address, &request));
        let until = Instant::now() + Duration::from_secs(20);
        while one.json(ADMIN, "GET cluster/members")[1]["name"] == "" {
            assert!(Instant::now() < until, "it never joined");
        }
        assert_eq!(
            one.status(ADMIN, &format!("DELETE cluster/members/{id}"), ""),
            204
        );
        let joined = joined.join().unwrap();
        assert_eq!(joined.status, 400);
        assert!(joined.text().contains("joining cluster failed"));
    });
    assert_eq!(two.running.state(), State::Failed);
    assert_eq!(one.status(ADMIN, "GET keys", ""), 200);
}

#[test]
fn a_cluster_goes_on_as_long_as_most_of_it_is_there() {
    let authority = Authority::new();
    let [one, two, three] = [1, 2, 3].map(|number| authority.device(number));
    set_backup_passphrase(&one);
    join(&one, &two, 2);
    join(&one, &three, 3);
    one.running.power_off();
    generate(&two, "meanwhile");
    assert_eq!(
        three.status(OPERATOR, "POST keys/meanwhile/sign", SIGN),
        200
    );
    // The last one does nothing, not even reads, and says so after a minute.
    two.running.power_off();
    assert_eq!(three.status(OPERATOR, "GET keys", ""), 401);
    assert_eq!(three.running.state(), State::Operational);
    three.running.advance(Duration::from_secs(60));
    assert_eq!(three.running.state(), State::Failed);
    // One that comes back has what it missed; one that comes back alone has failed from the start.
    three.running.power_off();
    one.power_on();
    assert_eq!(one.running.state(), State::Failed);
    three.power_on();
    assert_eq!(one.running.state(), State::Locked);
    assert_eq!(one.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(one.status(ADMIN, "GET keys/meanwhile", ""), 200);
}

#[test]
fn the_last_one_is_forced_into_a_cluster_of_its_own() {
    let authority = Authority::new();
    let (one, two) = (authority.device(1), authority.device(2));
    set_backup_passphrase(&one);
    join(&one, &two, 2);
    generate(&one, "kept");
    let force = "POST cluster/force-new";
    assert_eq!(two.status("unlock:unlockunlock", force, ""), 412);
    one.running.power_off();
    assert_eq!(two.status(ADMIN, "GET keys", ""), 401);
    two.running.advance(Duration::from_secs(60));
    assert_eq!(two.status(ADMIN, force, ""), 401);
    assert_eq!(two.status("unlock:unlockunlock", force, ""), 204);
    two.wait_for(State::Locked);
    assert_eq!(two.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(two.status(OPERATOR, "POST keys/kept/sign", SIGN), 200);
    let members = two.json(ADMIN, "GET cluster/members");
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["name"], "0000000002");
    generate(&two, "new");
    // The other one does not belong to it.
    one.power_on();
    assert_eq!(one.running.state(), State::Failed);
    one.running.reset().unwrap();
    one.provision();
    authority.prepare(&one.client, 1, "IP:192.0.2.1");
    join(&two, &one, 1);
    assert_eq!(one.status(ADMIN, "GET keys/new", ""), 200);
}

#[test]
fn members_that_are_not_there_are_moved_and_never_two_at_one_place() {
    let authority = Authority::new();
    let one = authority.device(1);
    set_backup_passphrase(&one);
    let id = learner(&announce(&one, 2));
    let put = |id: &str, url: &str| {
        let body = json!({ "urls": [url] }).to_string();
        one.status(ADMIN, &format!("PUT cluster/members/{id}"), &body)
    };
    assert_eq!(put(&id, "https://192.0.2.5:2380"), 204);
    assert_eq!(
        one.json(ADMIN, "GET cluster/members")[1]["urls"][0],
        "https://192.0.2.5:2380"
    );
    assert_eq!(put(&id, "https://192.0.2.1:2380"), 400);
    assert_eq!(put(&id, "http://192.0.2.5:2380"), 400);
    assert_eq!(put("1", "https://192.0.2.6:2380"), 404);
    assert_eq!(put("no-number", "https://192.0.2.6:2380"), 400);
}

#[test]
fn members_remember_each_other_over_a_restart_of_the_program() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let one = authority.device(1);
    set_backup_passphrase(&one);
    let options = Options {
        state_file: Some(folder.path().join("state")),
        ..authority.options("0000000002")
    };
    let two = Device::provisioned(options.clone());
    authority.prepare(&two.client, 2, "IP:192.0.2.2");
    join(&one, &two, 2);
    drop(two);
    assert_eq!(one.status(ADMIN, "GET keys", ""), 401);
    let two = Device::start(options);
    assert_eq!(two.running.state(), State::Locked);
    assert_eq!(two.status("", "POST unlock", UNLOCK), 204);
    one.running.advance(Duration::from_secs(1));
    generate(&one, "later");
    assert_eq!(two.status(ADMIN, "GET keys/later", ""), 200);
}
