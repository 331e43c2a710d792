//! What the device says of itself: `/info`, `/health`.

use crate::access::Access;
use crate::crypto::sealed::hex;
use crate::device::{Device, State};
use crate::exchange::{Answer, Refusal};
use crate::json::writer::{list, number, object, string};
use crate::node::replica::Standing;
use crate::resource::{ALL_STATES, Call, Resource};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "info",
        &[("GET", "info_get"), ("HEAD", "")],
        Access::Public,
        info,
    )
    .states(ALL_STATES)
    .cacheable()
    .etag(info_etag),
    Resource::new(
        "health/alive",
        &[("GET", "health_alive_get"), ("HEAD", "")],
        Access::Public,
        nothing,
    )
    .states(&[State::Unprovisioned, State::Locked]),
    Resource::new(
        "health/ready",
        &[("GET", "health_ready_get"), ("HEAD", "")],
        Access::Public,
        nothing,
    ),
    Resource::new(
        "health/state",
        &[("GET", "health_state_get"), ("HEAD", "")],
        Access::Public,
        state,
    )
    .states(ALL_STATES),
    Resource::new(
        "health/diagnose",
        &[("GET", "health_diagnose_get"), ("HEAD", "")],
        Access::PublicUnlessOperational,
        diagnose,
    )
    .states(ALL_STATES),
];

fn info_json() -> Vec<u8> {
    object([
        ("vendor", string("Nitrokey GmbH")),
        ("product", string("NetHSM")),
    ])
}

fn info(_: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::Body(info_json()))
}

fn info_etag(_: &mut Device, _: &Call<'_>) -> Option<String> {
    Some(digest(&info_json()))
}

/// The ETag of what is not stored: MD5 of the text.
pub(crate) fn digest(text: &[u8]) -> String {
    use md5::Digest as _;
    hex(md5::Md5::digest(text))
}

fn nothing(_: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::Body(Vec::new()))
}

fn state(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let name = device.state().name();
    Ok(Answer::Body(object([("state", string(name))])))
}

fn diagnose(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let line = |message: &str| object([("level", string("error")), ("msg", string(message))]);
    let mut running = vec![("running", b"true".to_vec())];
    let logs = match device.standing {
        // As it was recorded.
        Standing::Alone => {
            running = vec![("running", b"false".to_vec())];
            list([line("Mock: no etcd")])
        }
        Standing::Removed => {
            running = vec![("exited", number(0)), ("running", b"false".to_vec())];
            list([line(
                "the member has been permanently removed from the cluster",
            )])
        }
        Standing::Learner => list([line("this member is a learner")]),
        Standing::Member if device.store_answers() => list([]),
        Standing::Member => list([line("etcdserver: no leader")]),
    };
    let state = object(running);
    Ok(Answer::Body(object([
        ("clusterLogs", logs),
        ("clusterState", state),
    ])))
}
