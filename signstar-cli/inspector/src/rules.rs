//! What a key may sign: patterns over what an artifact says it is.

use crate::finding::{Code, Finding};
use crate::{ArtifactKind, Identity};

/// Allowed values. An empty list allows everything; otherwise one of the patterns must match, in
/// which `*` stands for any text and everything else for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Names of packages.
    pub names: Vec<String>,
    /// Architectures.
    pub architectures: Vec<String>,
    /// Packagers, `Name <address@example.org>`.
    pub packagers: Vec<String>,
    /// Programs that built a package, as .BUILDINFO names them.
    pub build_tools: Vec<String>,
    /// Volume identifiers of images.
    pub volumes: Vec<String>,
}

impl Rules {
    /// Each list with the name that configuration and arguments have for it.
    pub fn named(&self) -> [(&'static str, &[String]); 5] {
        [
            ("name", &self.names),
            ("architecture", &self.architectures),
            ("packager", &self.packagers),
            ("build-tool", &self.build_tools),
            ("volume", &self.volumes),
        ]
    }

    /// The list called `name`.
    pub fn named_mut(&mut self, name: &str) -> Option<&mut Vec<String>> {
        Some(match name {
            "name" => &mut self.names,
            "architecture" => &mut self.architectures,
            "packager" => &mut self.packagers,
            "build-tool" => &mut self.build_tools,
            "volume" => &mut self.volumes,
            _ => return None,
        })
    }

    /// Whether all lists allow what `identity` says.
    pub(crate) fn judge(&self, identity: &Identity) -> Result<(), Finding> {
        let judged: &[(&[String], &str, Code)] = match identity.kind {
            ArtifactKind::Iso => &[(&self.volumes, &identity.name, Code::RuleVolume)],
            ArtifactKind::PacmanDatabase => &[
                (&self.names, &identity.name, Code::RuleName),
                (
                    &self.architectures,
                    &identity.architecture,
                    Code::RuleArchitecture,
                ),
                (&self.packagers, &identity.packager, Code::RulePackager),
            ],
            ArtifactKind::PacmanPackage => &[
                (&self.names, &identity.name, Code::RuleName),
                (
                    &self.architectures,
                    &identity.architecture,
                    Code::RuleArchitecture,
                ),
                (&self.packagers, &identity.packager, Code::RulePackager),
                (&self.build_tools, &identity.build_tool, Code::RuleBuildTool),
            ],
        };
        for (patterns, value, code) in judged {
            let matched = patterns.iter().any(|pattern| matches(pattern, value));
            if !patterns.is_empty() && !matched {
                return Err(code.at(0));
            }
        }
        Ok(())
    }
}

/// Whether `text` is what `pattern` says.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_matches_what_it_says_and_nothing_else() {
        for (pattern, text, expected) in [
            ("linux", "linux", true),
            ("linux", "linux-lts", false),
            ("linux*", "linux", true),
            ("linux*", "linux-lts", true),
            ("linux*", "util-linux", false),
            ("*linux", "util-linux", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*b*c", "abbc", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("x*yz*z", "xyz", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
