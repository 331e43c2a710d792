//! What a key may sign: patterns and bounds over what an artifact says it is.

use signstar_core::matches_pattern;

use crate::{ArtifactKind, Code, Identity, Refused};

/// One set of rules. An empty list allows everything; otherwise one of its patterns must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Names of packages.
    pub names: Vec<String>,
    /// Names of what packages are built from together.
    pub bases: Vec<String>,
    /// Architectures.
    pub architectures: Vec<String>,
    /// Packagers, `Name <address@example.org>`.
    pub packagers: Vec<String>,
    /// Programs that built a package, as .BUILDINFO names them.
    pub build_tools: Vec<String>,
    /// Volume identifiers of images.
    pub volumes: Vec<String>,
    /// The first moment at which a package may have been built, in seconds since 1970.
    pub built_from: Option<u64>,
    /// The last moment.
    pub built_to: Option<u64>,
    /// How much an artifact may unpack to, in bytes.
    pub unpacked_bytes_max: Option<u64>,
}

impl Rules {
    /// Adds a rule by the name that configuration and arguments have for it; `None` if there is no
    /// such rule, or it does not take this value.
    pub fn add(&mut self, name: &str, value: &str) -> Option<()> {
        let number = || value.parse().ok();
        match name {
            "name" => self.names.push(value.to_owned()),
            "base" => self.bases.push(value.to_owned()),
            "architecture" => self.architectures.push(value.to_owned()),
            "packager" => self.packagers.push(value.to_owned()),
            "build-tool" => self.build_tools.push(value.to_owned()),
            "volume" => self.volumes.push(value.to_owned()),
            "built-from" => self.built_from = Some(number()?),
            "built-to" => self.built_to = Some(number()?),
            "unpacked-bytes-max" => self.unpacked_bytes_max = Some(number()?),
            _ => return None,
        }
        Some(())
    }

    /// The first rule that does not allow what `identity` says.
    fn forbidding(&self, identity: &Identity) -> Option<Code> {
        let package = [
            (&self.names, &identity.name, Code::RuleName),
            (&self.bases, &identity.base, Code::RuleBase),
            (
                &self.architectures,
                &identity.architecture,
                Code::RuleArchitecture,
            ),
            (&self.packagers, &identity.packager, Code::RulePackager),
        ];
        let build = [(&self.build_tools, &identity.build_tool, Code::RuleBuildTool)];
        let volume = [(&self.volumes, &identity.name, Code::RuleVolume)];
        let lists: Vec<(&Vec<String>, &String, Code)> = match identity.kind {
            ArtifactKind::Iso => volume.into(),
            // A database does not say what its packages were built with.
            ArtifactKind::PacmanDatabase => package.into(),
            ArtifactKind::PacmanPackage => package.into_iter().chain(build).collect(),
        };
        for (patterns, value, code) in lists {
            let mut patterns = patterns.iter().peekable();
            if patterns.peek().is_some() && !patterns.any(|pattern| matches_pattern(pattern, value))
            {
                return Some(code);
            }
        }
        let date = identity.build_date;
        let early = self.built_from.is_some_and(|first| date < first);
        let late = self.built_to.is_some_and(|last| date > last);
        // Old packages stay in a database, and an image has no date.
        if identity.kind == ArtifactKind::PacmanPackage && (early || late) {
            return Some(Code::RuleBuildDate);
        }
        self.forbidding_size(identity)
    }

    fn forbidding_size(&self, identity: &Identity) -> Option<Code> {
        let large = |most| identity.unpacked_bytes > most;
        self.unpacked_bytes_max
            .is_some_and(large)
            .then_some(Code::RuleUnpacked)
    }
}

/// Whether all sets of `rules` allow what `identity` says, which was found near byte `position`.
pub(crate) fn judge(rules: &[Rules], identity: &Identity, position: u64) -> Result<(), Refused> {
    let mut forbidding = rules.iter().filter_map(|set| set.forbidding(identity));
    outcome(forbidding.next(), identity, position)
}

/// Whether all sets of `rules` allow the size of a whole of which each part was judged before.
pub(crate) fn judge_size(rules: &[Rules], whole: &Identity) -> Result<(), Refused> {
    let mut forbidding = rules.iter().filter_map(|set| set.forbidding_size(whole));
    outcome(forbidding.next(), whole, whole.unpacked_bytes)
}

fn outcome(code: Option<Code>, identity: &Identity, position: u64) -> Result<(), Refused> {
    match code {
        None => Ok(()),
        Some(code) => Err(Refused {
            finding: code.at(position),
            identity: Some(Box::new(identity.clone())),
        }),
    }
}

#[cfg(test)]
mod tests;
