//! What a device has of its cluster: who is in it, and the values that they share, as they are stored.

use std::sync::Arc;

use crate::backup_file::Entries;
use crate::base64;
use crate::json::Json;
use crate::json::schema::{Misfit, Record};
use crate::json::writer::{list, number, object, string, strings};

/// The member that every device starts with.
pub(crate) const FOUNDER: u64 = 0x8e9e_05c5_2164_694d;

/// A member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: u64,
    /// Empty until it has joined.
    pub(crate) name: String,
    pub(crate) urls: Vec<String>,
    /// It follows and has no vote.
    pub(crate) learner: bool,
}

/// What a device is to its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no other member.
    Alone,
    /// It takes part.
    Member,
    /// It waits to be promoted.
    Learner,
    /// The others have removed it.
    Removed,
}

/// One device's copy.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    /// Zero until there is somebody else.
    pub(crate) cluster: u64,
    /// The device's own member.
    pub(crate) own: u64,
    /// Grows with every change.
    pub(crate) revision: u64,
    /// Empty for a device that was never in a cluster.
    pub(crate) members: Vec<Member>,
    pub(crate) entries: Arc<Entries>,
}

impl Default for Replica {
    fn default() -> Self {
        Self {
            cluster: 0,
            own: FOUNDER,
            revision: 0,
            members: Vec::new(),
            entries: Arc::default(),
        }
    }
}

impl Replica {
    pub(crate) fn standing(&self) -> Standing {
        let own = self.members.iter().find(|member| member.id == self.own);
        match (own, self.members.len()) {
            (_, 0) => Standing::Alone,
            (None, _) => Standing::Removed,
            (Some(_), 1) => Standing::Alone,
            (Some(own), _) if own.learner => Standing::Learner,
            (Some(_), _) => Standing::Member,
        }
    }

    /// Whether these members are more than half of those that have a vote.
    pub(crate) fn is_majority(&self, present: &[u64]) -> bool {
        let voters = self.members.iter().filter(|member| !member.learner);
        let (mut all, mut there) = (0, 0);
        for voter in voters {
            all += 1;
            there += usize::from(present.contains(&voter.id));
        }
        there * 2 > all
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let entries = self.entries.iter();
        let entries = entries.map(|(path, value)| (path.as_str(), string(base64::encode(value))));
        object([
            ("cluster", hexadecimal(self.cluster)),
            ("own", hexadecimal(self.own)),
            ("revision", number(self.revision)),
            ("members", list(self.members.iter().map(member_json))),
            ("entries", object(entries)),
        ])
    }

    pub(crate) fn read(json: &Json) -> Result<Self, Misfit> {
        let names = ["cluster", "own", "revision", "members", "entries"];
        let record = Record::of(json, "replica", &names)?;
        let Json::List(members) = record.need("members")? else {
            return Err(record.misfit("members"));
        };
        let Json::Object(fields) = record.need("entries")? else {
            return Err(record.misfit("entries"));
        };
        let mut entries = Entries::new();
        for (path, value) in fields {
            let Json::String(value) = value else {
                return Err(record.misfit("entries"));
            };
            let value = base64::decode(&String::from_utf8_lossy(value))?;
            entries.insert(path.clone(), value);
        }
        Ok(Self {
            cluster: id(&record, "cluster")?,
            own: id(&record, "own")?,
            revision: u64::try_from(record.int("revision")?).unwrap_or_default(),
            members: members.iter().map(read_member).collect::<Result<_, _>>()?,
            entries: Arc::new(entries),
        })
    }
}

pub(crate) fn hexadecimal(id: u64) -> Vec<u8> {
    string(format!("{id:x}"))
}

/// A number that is written in hexadecimal.
pub(crate) fn id(record: &Record<'_>, name: &str) -> Result<u64, Misfit> {
    u64::from_str_radix(&record.text(name)?, 16).map_err(|_| record.misfit(name))
}

fn member_json(member: &Member) -> Vec<u8> {
    object([
        ("id", hexadecimal(member.id)),
        ("name", string(&member.name)),
        ("urls", strings(&member.urls)),
        ("learner", member.learner.to_string().into_bytes()),
    ])
}

fn read_member(json: &Json) -> Result<Member, Misfit> {
    let record = Record::of(json, "member", &["id", "name", "urls", "learner"])?;
    Ok(Member {
        id: id(&record, "id")?,
        name: record.text("name")?,
        urls: record.texts("urls")?,
        learner: record.need("learner")? == &Json::Bool(true),
    })
}
