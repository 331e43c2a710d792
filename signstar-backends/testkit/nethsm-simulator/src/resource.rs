//! What a resource of the interface says of itself, and the list of all of them.

use crate::access::Access;
use crate::device::{Device, State};
use crate::exchange::{Answer, Refusal, Request};
use crate::identity::UserName;
use crate::store::Role;
use crate::{
    backup, cluster, configuration, health, key_operations, key_settings, keys, metrics,
    namespaces, provisioning, system, tls_settings, users,
};

/// Who is asking.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: UserName,
    pub(crate) role: Role,
}

/// A request on its way through a resource.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    /// What stands in the path where the pattern has `:`, decoded.
    pub(crate) parameters: Vec<String>,
    /// Absent where nobody needs to be known.
    pub(crate) caller: Option<Caller>,
}

impl Call<'_> {
    pub(crate) fn method(&self) -> &str {
        &self.request.method
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.request.body
    }

    /// The part of the path at `index`, empty when there is none.
    pub(crate) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    /// The caller's namespace.
    pub(crate) fn namespace(&self) -> Option<String> {
        self.caller.as_ref()?.name.namespace.clone()
    }

    /// A parameter of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = self.request.query.split('&');
        pairs.find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| crate::exchange::percent_decoded(&value.replace('+', " ")))
        })
    }
}

/// The one media type of a resource's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Pem,
    Octets,
}

impl Media {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Pem => "application/x-pem-file",
            Self::Octets => "application/octet-stream",
        }
    }
}

/// The bodies that a PUT or a creating POST takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Whatever is sent is read as JSON.
    Anything,
    Json,
    Pem,
    /// JSON or nothing in particular: PUTs without a body.
    JsonOrOctets,
    /// Another one is refused before the answer's type is settled.
    OctetsOnly,
    /// JSON or a form; no type at all is refused before the answer's type is settled.
    JsonOrForm,
    /// Another one is refused before the answer's type is settled.
    FormOnly,
}

/// How much a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// 1 MiB
    Usual,
    /// 67 MiB
    Message,
    None,
}

/// Whether answers carry `Cache-control: no-cache`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Allowed,
    Forbidden,
}

/// The states in which a resource answers.
pub(crate) type States = &'static [State];
pub(crate) const ALL_STATES: States = &[
    State::Unprovisioned,
    State::Locked,
    State::Operational,
    State::Failed,
];
pub(crate) const OPERATIONAL: States = &[State::Operational];

/// A resource.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Below `/api/v1/`; a segment `:` stands for any, `*` for one that ends so.
    pub(crate) path: &'static str,
    /// Methods in the order of the header `allow`, each with the name that the interface's
    /// description leads to in client libraries (empty for HEAD).
    pub(crate) methods: &'static [(&'static str, &'static str)],
    pub(crate) states: States,
    pub(crate) access: Access,
    pub(crate) cache: Cache,
    pub(crate) media: Media,
    pub(crate) takes: Takes,
    pub(crate) limit: Limit,
    /// Whether what the path names is there.
    pub(crate) exists: fn(&Device, &Call<'_>) -> Result<bool, Refusal>,
    /// The ETag of a GET.
    pub(crate) etag: fn(&mut Device, &Call<'_>) -> Option<String>,
    /// What is asked for.
    pub(crate) act: fn(&mut Device, &Call<'_>) -> Result<Answer, Refusal>,
}

fn always(_: &Device, _: &Call<'_>) -> Result<bool, Refusal> {
    Ok(true)
}

fn no_etag(_: &mut Device, _: &Call<'_>) -> Option<String> {
    None
}

impl Resource {
    /// A resource that most fit: JSON, of a known user's, state Operational.
    pub(crate) const fn new(
        path: &'static str,
        methods: &'static [(&'static str, &'static str)],
        access: Access,
        act: fn(&mut Device, &Call<'_>) -> Result<Answer, Refusal>,
    ) -> Self {
        Self {
            path,
            methods,
            states: OPERATIONAL,
            access,
            cache: Cache::Forbidden,
            media: Media::Json,
            takes: Takes::Anything,
            limit: Limit::Usual,
            exists: always,
            etag: no_etag,
            act,
        }
    }

    pub(crate) const fn states(mut self, states: States) -> Self {
        self.states = states;
        self
    }

    pub(crate) const fn cacheable(mut self) -> Self {
        self.cache = Cache::Allowed;
        self
    }

    pub(crate) const fn media(mut self, media: Media) -> Self {
        self.media = media;
        self
    }

    pub(crate) const fn takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }

    pub(crate) const fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) const fn exists(
        mut self,
        exists: fn(&Device, &Call<'_>) -> Result<bool, Refusal>,
    ) -> Self {
        self.exists = exists;
        self
    }

    pub(crate) const fn etag(mut self, etag: fn(&mut Device, &Call<'_>) -> Option<String>) -> Self {
        self.etag = etag;
        self
    }

    /// The name of the operation of `method`.
    pub(crate) fn operation(&self, method: &str) -> Option<&'static str> {
        let mut methods = self.methods.iter();
        methods
            .find(|(name, _)| *name == method)
            .map(|(_, operation)| *operation)
    }

    /// The parameters of `segments`, when they are of this resource.
    fn matches(&self, segments: &[String]) -> Option<Vec<String>> {
        let mut parameters = Vec::new();
        let mut given = segments.iter();
        for wanted in self.path.split('/') {
            let segment = given.next()?;
            match (wanted, segment.strip_suffix('*')) {
                (":", _) => parameters.push(segment.clone()),
                ("*", Some(prefix)) => parameters.push(prefix.to_owned()),
                _ if wanted == segment => {}
                _ => return None,
            }
        }
        given.next().is_none().then_some(parameters)
    }
}

/// All groups of resources; the first that fits counts.
const GROUPS: [&[Resource]; 13] = [
    provisioning::RESOURCES,
    health::RESOURCES,
    metrics::RESOURCES,
    system::RESOURCES,
    backup::RESOURCES,
    users::RESOURCES,
    namespaces::RESOURCES,
    keys::RESOURCES,
    key_settings::RESOURCES,
    key_operations::RESOURCES,
    configuration::RESOURCES,
    tls_settings::RESOURCES,
    cluster::RESOURCES,
];

/// The resource at a path, and what stands in its place-holders.
pub(crate) fn find(path: &str) -> Option<(&'static Resource, Vec<String>)> {
    let rest = path.strip_prefix("/api/v1/")?;
    let segments: Vec<String> = rest
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(crate::exchange::percent_decoded)
        .collect();
    let mut all = GROUPS.iter().flat_map(|group| group.iter());
    all.find_map(|resource| Some((resource, resource.matches(&segments)?)))
}

/// The names of all operations, as in the vendor's client libraries.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let all = GROUPS.iter().flat_map(|group| group.iter());
    all.flat_map(|resource| resource.methods.iter())
        .map(|(_, operation)| *operation)
        .filter(|operation| !operation.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{find, operations};

    #[test]
    fn there_are_78_operations_and_no_name_twice() {
        let mut names: Vec<_> = operations().collect();
        assert_eq!(names.len(), 78);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 78);
    }

    #[test]
    fn paths_lead_to_resources() {
        for (path, found) in [
            ("/api/v1/keys/", "keys"),
            ("/api/v1/keys/generate", "keys/generate"),
            ("/api/v1/keys/a-*", "keys/*"),
            ("/api/v1/users/ns%7Eid/tags/t", "users/:/tags/:"),
        ] {
            assert_eq!(find(path).unwrap().0.path, found);
        }
        assert!(find("/api/v1/nosuch").is_none());
        assert!(find("/api/v2/keys").is_none());
    }
}
