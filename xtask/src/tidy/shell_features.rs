//! A back end is one feature of the login shell and one optional dependency, nothing else.

use crate::workspace::Workspace;

/// Features that are something else, or dependencies that no feature stands for.
pub(crate) fn problems(workspace: &Workspace) -> Vec<String> {
    let Some(shell) = workspace.package("signstar") else {
        return vec!["there is no package signstar".to_owned()];
    };
    let mut problems = Vec::new();
    let mut turned_on = Vec::new();
    for (feature, list) in shell
        .features
        .iter()
        .filter(|(feature, _)| *feature != "default")
    {
        match list.as_slice() {
            [one] if one.starts_with("dep:") => turned_on.push(one.trim_start_matches("dep:")),
            _ => problems.push(format!("signstar: feature {feature} is not one dependency")),
        }
    }
    for dependency in shell.normal_dependencies() {
        let chosen = turned_on.contains(&dependency.name.as_str());
        if dependency.optional && !chosen {
            problems.push(format!("signstar: no feature turns on {}", dependency.name));
        }
        if !dependency.optional && chosen {
            problems.push(format!("signstar: {} is always linked", dependency.name));
        }
    }
    problems
}
