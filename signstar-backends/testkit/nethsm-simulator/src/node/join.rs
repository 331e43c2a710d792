//! Becoming a member of a cluster that expects one.

use super::network::host;
use super::replica::{Member, Replica};
use super::{Node, wire};
use crate::base64;
use crate::exchange::Refusal;
use crate::json::schema::{Misfit, Record};
use crate::json::writer::{number, object, string};

/// Who wants to become one.
#[derive(Debug)]
pub(crate) struct Joiner<'a> {
    pub(crate) name: &'a str,
    pub(crate) urls: &'a [String],
}

/// Why not.
fn refused(why: &str) -> Refusal {
    Refusal::bad(format!("joining cluster failed: {why}"))
}

/// Asks the members at `urls`, until one lets the joiner in.
pub(crate) fn ask(node: &Node, joiner: &Joiner<'_>, urls: &[String]) -> Result<Replica, Refusal> {
    let papers = node.papers();
    let [own_urls, own_place] = node.whereabouts(joiner.urls);
    let text = object([
        ("ask", string("join")),
        ("name", string(joiner.name)),
        own_urls,
        own_place,
        ("certificate", string(base64::encode(&papers.certificate))),
    ]);
    let mut last = refused("no member can be reached");
    for url in urls {
        let place = node.place_of(std::slice::from_ref(url));
        let Some((_, answer)) = place.and_then(|place| wire::ask(place, &text).ok()) else {
            continue;
        };
        let read = || -> Result<Result<Replica, Refusal>, Misfit> {
            let names = ["status", "why", "certificate", "replica", "directory"];
            let record = Record::of(&answer, "joined", &names)?;
            if record.get("why").is_some() {
                let status = u16::try_from(record.int("status")?).unwrap_or(400);
                let mut refusal = refused(&record.text("why")?);
                refusal.status = status;
                return Ok(Err(refusal));
            }
            let shown = base64::decode(&record.text("certificate")?)?;
            if let Some(objection) = papers.object_to(&shown, host(url).unwrap_or_default()) {
                return Ok(Err(refused(objection)));
            }
            node.learn(record.get("directory"));
            Replica::read(record.need("replica")?).map(Ok)
        };
        match read() {
            Ok(Ok(replica)) => return Ok(replica),
            Ok(Err(refusal)) => last = refusal,
            Err(_) => last = refused("a member does not answer as one"),
        }
    }
    Err(last)
}

/// Lets somebody in, or says why not.
pub(crate) fn serve(node: &Node, record: &Record<'_>) -> Result<Vec<u8>, Misfit> {
    let (name, urls) = (record.text("name")?, record.texts("urls")?);
    let shown = base64::decode(&record.text("certificate")?)?;
    let refused = |status: u16, why: &str| {
        let fields = [("status", number(status)), ("why", string(why))];
        Ok(object(fields))
    };
    let papers = node.papers();
    let mut hosts = urls.iter().map(|url| host(url).unwrap_or_default());
    if let Some(objection) = hosts.find_map(|host| papers.object_to(&shown, host)) {
        return refused(400, objection);
    }
    let mut turn = node.hold();
    let mut members = turn.replica.members.clone();
    let expects = |member: &Member| member.name.is_empty() && member.urls == urls;
    let has_learner = members.iter().any(|member| member.learner);
    if members.iter().any(|member| member.name == name) {
        return refused(400, "a member has that name already");
    }
    let Some(expected) = members.iter_mut().find(|member| expects(member)) else {
        return match has_learner {
            true => refused(409, "too many learner members in cluster"),
            false => refused(400, "the cluster does not expect this member"),
        };
    };
    expected.name = name;
    let own = expected.id;
    // Whoever has a vote from the start on counts already.
    let present = [turn.present(), vec![own]].concat();
    if !turn.replica.is_majority(&present) {
        return refused(400, "the cluster has no leader");
    }
    let entries = turn.replica.entries.as_ref().clone();
    turn.publish(members, entries).map_err(|error| error.0)?;
    let replica = Replica {
        own,
        ..turn.replica.clone()
    };
    Ok(object([
        ("certificate", string(base64::encode(&papers.certificate))),
        ("replica", replica.to_json()),
        ("directory", node.directory()),
    ]))
}
