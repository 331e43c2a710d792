//! What is in the profile, and what lists have shown, of the devices that a command line means.

use std::path::PathBuf;

use super::Candidate;
use super::place::Place;
use crate::known::Known;
use crate::profile::Profiles;

impl Place<'_> {
    /// The value of an option: of the line, else of its variable.
    fn option(&self, id: &str, variable: &str) -> Option<String> {
        let mut given = self.given.iter().rev();
        let given = given.find(|(name, _)| name == id);
        given
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(variable).ok())
            .filter(|value| !value.is_empty())
    }

    /// The profile; there is nothing in one that cannot be read.
    fn profiles(&self) -> Option<Profiles> {
        let path = self.option("config", "NETHSM_CONFIG").map(PathBuf::from);
        let path = path.map_or_else(Profiles::default_path, Ok).ok()?;
        Profiles::load(path).ok()
    }

    pub(super) fn labels(&self) -> Vec<Candidate> {
        let profiles = self.profiles();
        let devices = profiles.iter().flat_map(|profiles| &profiles.devices);
        devices
            .map(|(label, profile)| Candidate(label.clone(), profile.url.clone()))
            .collect()
    }

    pub(super) fn groups(&self) -> Vec<Candidate> {
        let profiles = self.profiles();
        let devices = profiles.iter().flat_map(|profiles| &profiles.devices);
        let groups = devices.flat_map(|(_, profile)| &profile.groups);
        groups
            .map(|group| Candidate(format!("@{group}"), "a group of devices".to_owned()))
            .collect()
    }

    /// The addresses of the devices that are meant, and the profile.
    fn asked(&self) -> (Vec<String>, Option<Profiles>) {
        if let Some(url) = self.option("url", "NETHSM_URL") {
            return (vec![url], None);
        }
        let Some(profiles) = self.profiles() else {
            return (Vec::new(), None);
        };
        let named = self.option("devices", "NETHSM_DEVICE").unwrap_or_default();
        let named: Vec<&str> = named.split(',').filter(|name| !name.is_empty()).collect();
        let meant = |label: &str, groups: &[String]| {
            let in_group = |name: &&str| {
                let group = name.strip_prefix('@');
                group.is_some_and(|group| groups.iter().any(|known| known == group))
            };
            match (named.is_empty(), &profiles.default) {
                (false, _) => named.contains(&label) || named.iter().any(in_group),
                (true, Some(default)) => default == label,
                (true, None) => true,
            }
        };
        let devices = profiles.devices.iter();
        let devices = devices.filter(|(label, profile)| meant(label, &profile.groups));
        let urls = devices.map(|(_, profile)| profile.url.clone()).collect();
        (urls, Some(profiles))
    }

    pub(super) fn known(&self, what: fn(&Known, &str) -> Vec<String>) -> Vec<Candidate> {
        let (urls, _) = self.asked();
        let known = Known::load();
        let found = urls.iter().flat_map(|url| what(&known, url));
        found.map(Candidate::plain).collect()
    }

    pub(super) fn users(&self) -> Vec<Candidate> {
        let (urls, profiles) = self.asked();
        let devices = profiles
            .iter()
            .flat_map(|profiles| profiles.devices.values());
        let devices = devices.filter(|profile| urls.contains(&profile.url));
        let users = devices.flat_map(|profile| &profile.users);
        let mut found: Vec<Candidate> = users
            .map(|(id, user)| Candidate(id.clone(), user.role.name().to_owned()))
            .collect();
        found.extend(self.known(Known::users));
        found
    }

    pub(super) fn keys(&self) -> Vec<Candidate> {
        let space = self.option("as_namespace", "NETHSM_AS_NAMESPACE");
        let space = space.or_else(|| {
            let user = self.option("user", "NETHSM_USER")?;
            user.split_once('~').map(|(space, _)| space.to_owned())
        });
        let (urls, _) = self.asked();
        let known = Known::load();
        let found = urls
            .iter()
            .flat_map(|url| known.keys(url, space.as_deref().unwrap_or_default()));
        found.map(Candidate::plain).collect()
    }
}
