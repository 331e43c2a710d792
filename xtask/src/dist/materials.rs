//! A bill of materials: what a program is built from, in CycloneDX 1.5 as JSON.
//!
//! It says what cargo says: the packages that are linked or whose macros are expanded, their
//! versions, licences and checksums, and which one needs which. It carries no time and no random
//! number, so that it is the same each time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::build::Released;
use crate::failure::{Because, Result};
use crate::workspace::Workspace;

/// What separates the fields that cargo is asked for: no name, version or licence has it.
const SEPARATOR: char = '|';

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Component {
    name: String,
    version: String,
    licence: String,
}

/// Packages, and what each of them needs.
#[derive(Debug, Default)]
struct Materials {
    components: BTreeSet<Component>,
    needs: BTreeMap<String, BTreeSet<String>>,
}

/// Writes the bill of `program`.
pub(super) fn write(path: &Path, program: &Released, target: &str) -> Result<()> {
    let materials = Materials::parse(&tree(program, target)?);
    let lock = Workspace::get()?.path("Cargo.lock");
    let lock = std::fs::read_to_string(&lock).because("cannot read Cargo.lock")?;
    let bill = materials.bill(program.package, &checksums(&lock));
    let text = format!("{bill:#}\n");
    std::fs::write(path, text).because(format_args!("cannot write {}", path.display()))
}

/// What cargo links, each package with the depth at which it is needed.
fn tree(program: &Released, target: &str) -> Result<String> {
    let mut cargo = Workspace::get()?
        .cargo()
        .args(["tree", "--package", program.package, "--locked"])
        .args(["--edges", "normal", "--target", target])
        .args(["--prefix", "depth", "--format", "|{p}|{l}"]);
    if let Some(features) = program.features {
        cargo = cargo.args(["--no-default-features", "--features", features]);
    }
    cargo.output()
}

impl Materials {
    /// Reads lines such as `2|name v1.2.3 (proc-macro)|MIT OR Apache-2.0 (*)`.
    fn parse(tree: &str) -> Self {
        let mut materials = Self::default();
        let mut above: Vec<String> = Vec::new();
        for line in tree.lines() {
            let mut fields = line.split(SEPARATOR);
            let (Some(depth), Some(package)) = (fields.next(), fields.next()) else {
                continue;
            };
            let licence = fields.next().unwrap_or_default();
            let licence = licence.trim_end_matches(" (*)").to_owned();
            let Ok(depth) = depth.parse::<usize>() else {
                continue;
            };
            let mut words = package.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let version = words.next().unwrap_or_default();
            let version = version.trim_start_matches('v').to_owned();
            let component = Component {
                name,
                version,
                licence,
            };
            let reference = component.reference();
            above.truncate(depth);
            if let Some(parent) = above.last() {
                let needs = materials.needs.entry(parent.clone()).or_default();
                needs.insert(reference.clone());
            }
            materials.needs.entry(reference.clone()).or_default();
            above.push(reference);
            materials.components.insert(component);
        }
        materials
    }

    fn bill(&self, program: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
        let (own, others): (Vec<&Component>, Vec<&Component>) = self
            .components
            .iter()
            .partition(|component| component.name == program);
        let components: Vec<Value> = others
            .into_iter()
            .map(|component| component.value("library", checksums))
            .collect();
        let dependencies: Vec<Value> = self
            .needs
            .iter()
            .map(|(reference, needs)| json!({ "ref": reference, "dependsOn": needs }))
            .collect();
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {
                "component": own.first().map(|own| own.value("application", checksums)),
            },
            "components": components,
            "dependencies": dependencies,
        })
    }
}

impl Component {
    /// A package URL.
    fn reference(&self) -> String {
        format!(
            "pkg:cargo/{}@{}",
            self.name,
            self.version.replace('+', "%2B")
        )
    }

    fn value(&self, kind: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
        let mut value = json!({
            "type": kind,
            "bom-ref": self.reference(),
            "name": self.name,
            "version": self.version,
            "purl": self.reference(),
            // `A/B` is an old way to write `A OR B`.
            "licenses": [{ "expression": self.licence.replace('/', " OR ") }],
        });
        let checksum = checksums.get(&(self.name.clone(), self.version.clone()));
        if let (Some(checksum), Some(value)) = (checksum, value.as_object_mut()) {
            let hashes = json!([{ "alg": "SHA-256", "content": checksum }]);
            value.insert("hashes".to_owned(), hashes);
        }
        value
    }
}

/// The checksum of each package from a registry, from Cargo.lock.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1);
    let entry = |package: &str| {
        let value = |key: &str| {
            let start = format!("{key} = \"");
            let mut lines = package.lines();
            let line = lines.find_map(|line| line.strip_prefix(&start))?;
            Some(line.trim_end_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    };
    packages.filter_map(entry).collect()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::build::RELEASED;
    use super::{Materials, checksums, tree};
    use crate::tools::targets;

    const TREE: &str = "0|a v0.1.0 (/usr/src/a)|MIT\n1|b v1.0.0+x|MIT/Apache-2.0\n\
                        2|c v2.0.0 (proc-macro)|MIT\n1|c v2.0.0 (proc-macro)|MIT (*)\n";
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"c\"\nversion = \"2.0.0\"\n\
                        source = \"registry\"\nchecksum = \"00ff\"\n\n[[package]]\nname = \"a\"\n\
                        version = \"0.1.0\"\n";

    #[test]
    fn every_package_is_named_once_with_what_it_needs() {
        let bill = Materials::parse(TREE).bill("a", &checksums(LOCK));
        assert_eq!(bill["metadata"]["component"]["name"], "a");
        let components = bill["components"].as_array().unwrap();
        let names: Vec<&str> = components
            .iter()
            .map(|component| component["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(components[0]["purl"], "pkg:cargo/b@1.0.0%2Bx");
        assert_eq!(
            components[0]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        assert_eq!(components[1]["hashes"][0]["content"], "00ff");
        assert!(components[0].get("hashes").is_none());
        let needs = |reference: &str| {
            let all = bill["dependencies"].as_array().unwrap();
            let found = all.iter().find(|entry| entry["ref"] == reference).unwrap();
            found["dependsOn"].clone()
        };
        assert_eq!(needs("pkg:cargo/a@0.1.0")[1], "pkg:cargo/c@2.0.0");
        assert_eq!(needs("pkg:cargo/b@1.0.0%2Bx")[0], "pkg:cargo/c@2.0.0");
        // Whatever is needed is there.
        let known: BTreeSet<&str> = components
            .iter()
            .map(|component| component["bom-ref"].as_str().unwrap())
            .collect();
        for entry in bill["dependencies"].as_array().unwrap() {
            for needed in entry["dependsOn"].as_array().unwrap() {
                assert!(known.contains(needed.as_str().unwrap()), "{needed}");
            }
        }
    }

    /// What is linked is what the reviewed lists say.
    #[test]
    fn the_bill_of_the_login_shell_is_its_committed_closure() {
        let tree = tree(&RELEASED[0], &targets::release()).unwrap();
        let materials = Materials::parse(&tree);
        let found: BTreeSet<(String, String)> = materials
            .components
            .into_iter()
            .filter(|component| !component.name.starts_with("signstar"))
            .map(|component| (component.name, component.version))
            .collect();
        let lists = [
            include_str!("../../closure/nethsm.txt"),
            include_str!("../../closure/pkcs11.txt"),
            include_str!("../../closure/software.txt"),
        ];
        let committed: BTreeSet<(String, String)> = lists
            .iter()
            .flat_map(|list| list.lines())
            .map(|line| {
                let mut words = line.split(' ');
                let name = words.next().unwrap().to_owned();
                (
                    name,
                    words.next().unwrap().trim_start_matches('v').to_owned(),
                )
            })
            .collect();
        assert!(committed.len() > 100, "{}", committed.len());
        assert_eq!(found, committed);
    }
}
