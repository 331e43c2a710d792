//! Joins that are refused, each for its reason, before anything is lost.

use serde_json::{Value, json};
use signstar_nethsm_simulator::State;

use crate::authority::Authority;
use crate::cluster::{announce, learner, set_backup_passphrase};
use crate::device::{ADMIN, Device, OPERATOR, SIGN, UNLOCK};

/// The refusal of a join: its status and words.
fn refused(joiner: &Device, request: &Value) -> (u16, String) {
    let received = joiner.ask(ADMIN, "POST cluster/join", &request.to_string());
    (received.status, received.text())
}

#[test]
fn a_join_that_cannot_be_done_changes_nothing() {
    let authority = Authority::new();
    let (one, two) = (authority.device(1), authority.device(2));
    let no_key = one.ask(
        ADMIN,
        "POST cluster/members",
        r#"{"urls":["https://192.0.2.2:2380"]}"#,
    );
    assert_eq!(no_key.status, 412);
    set_backup_passphrase(&one);
    let request = announce(&one, 2);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    let kit = "eyJiYWNrdXBfc2FsdCI6IiJ9";
    let elsewhere = "https://192.0.2.77:2380";
    for (request, status, words) in [
        (
            with(&|it| it["backupPassphrase"] = "wrongwrongwrong".into()),
            400,
            "invalid passphrase",
        ),
        (
            with(&|it| it["joinerKit"] = kit.into()),
            400,
            "Json.joiner_kit",
        ),
        (with(&|it| it["joinerKit"] = "?".into()), 400, "joiner kit"),
        (
            with(&|it| it["members"][0]["urls"] = json!([elsewhere])),
            400,
            "no member can be reached",
        ),
        (
            with(&|it| it["members"][1]["urls"] = json!([elsewhere])),
            400,
            "not valid for the address",
        ),
        (
            with(&|it| it["members"][1]["urls"] = json!(["https://192.0.2.2:2381"])),
            400,
            "port 2380",
        ),
        (
            with(&|it| it["members"][0]["name"] = "".into()),
            400,
            "exactly one",
        ),
        (with(&|it| it["other"] = 1.into()), 400, "Json.join_req"),
    ] {
        let (found, text) = refused(&two, &request);
        assert_eq!(found, status, "{text}");
        assert!(text.contains(words), "{words}: {text}");
    }
    // Without an authority, before a member is asked.
    let bare = Device::provisioned(authority.options("0000000009"));
    let (status, text) = refused(&bare, &request);
    assert_eq!(
        (status, text.contains("cluster-ca.pem must be set")),
        (412, true),
        "{text}"
    );
    // With one of its own, and with a certificate for another address.
    let stranger = Authority::new();
    let foreign = Device::provisioned(authority.options("0000000008"));
    stranger.prepare(&foreign.client, 2, "IP:192.0.2.2");
    let (status, text) = refused(&foreign, &request);
    assert_eq!(
        (status, text.contains("unknown authority")),
        (400, true),
        "{text}"
    );
    authority.sign(&two.client, "IP:192.0.2.66");
    let (status, text) = refused(&two, &request);
    assert_eq!(
        (status, text.contains("not valid for the address")),
        (400, true),
        "{text}"
    );
    authority.sign(&two.client, "IP:192.0.2.2");
    // The member is off.
    one.running.power_off();
    assert_eq!(refused(&two, &request).0, 400);
    one.power_on();
    assert_eq!(one.status("", "POST unlock", UNLOCK), 204);
    // Somebody else is expected by now, and then nobody.
    let id = learner(&request);
    assert_eq!(
        one.status(ADMIN, &format!("DELETE cluster/members/{id}"), ""),
        204
    );
    let other = announce(&one, 3);
    assert_eq!(refused(&two, &request).0, 409);
    let id = learner(&other);
    assert_eq!(
        one.status(ADMIN, &format!("DELETE cluster/members/{id}"), ""),
        204
    );
    let (status, text) = refused(&two, &request);
    assert_eq!(
        (status, text.contains("does not expect")),
        (400, true),
        "{text}"
    );
    // After all of that it is what it was.
    for device in [&two, &bare, &foreign] {
        assert_eq!(device.running.state(), State::Operational);
        assert_eq!(device.status(OPERATOR, "POST keys/ed/sign", SIGN), 200);
        assert_eq!(
            device
                .json(ADMIN, "GET cluster/members")
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
    // Locked devices join nobody.
    assert_eq!(two.status(ADMIN, "POST lock", ""), 204);
    assert_eq!(refused(&two, &request).0, 412);
}
