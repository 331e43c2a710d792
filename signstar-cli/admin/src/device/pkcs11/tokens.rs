//! Looking for tokens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar::back_ends::pkcs11::Pkcs11;
use signstar_core::ModuleSettings;
use signstar_pkcs11::Uri;
use signstar_pkcs11::provision::{self, Account, KeySeen, Listed, PinState};

use super::super::{Seen, settings_of};
use crate::account;
use crate::cli::ListDevices;
use crate::failure::{Failure, Status};
use crate::settings::Settings;

/// How long a module may take, where no configuration says it.
const WAIT: Duration = Duration::from_secs(30);
const PROCESSOR_SECONDS: u64 = 30;

/// A module that is looked into.
struct Module {
    settings: ModuleSettings,
    environment: Vec<(String, String)>,
    account: Option<Account>,
}

/// Every token of the modules that the configuration and the command line name.
pub(super) fn search(
    options: &ListDevices,
    settings: Option<&Settings>,
) -> Result<Vec<Seen>, Failure> {
    let mut modules: Vec<Module> = Vec::new();
    for (name, key) in settings.iter().flat_map(|settings| &settings.config.keys) {
        let (Ok(token), Some(settings)) = (settings_of::<Pkcs11>(key), settings) else {
            continue;
        };
        modules.push(Module {
            settings: token.opening(PROCESSOR_SECONDS)?,
            environment: token.environment.clone(),
            account: account_of(settings, name)?,
        });
    }
    modules.extend(given(options)?);
    let mut all = Vec::new();
    let mut looked_into: Vec<&Module> = Vec::new();
    for module in &modules {
        let same = |other: &&Module| {
            let paths =
                |module: &Module| (module.settings.module.clone(), module.environment.clone());
            paths(other) == paths(module)
        };
        if looked_into.iter().any(same) {
            continue;
        }
        looked_into.push(module);
        for listed in list(module)? {
            all.extend(seen(&module.settings.module, &listed));
        }
    }
    Ok(all)
}

/// How the PIN of the token is that `token` names.
pub(super) fn pin_of(token: &Pkcs11, patience: Duration) -> Result<Option<PinState>, Failure> {
    let wanted = Uri::parse(&token.uri);
    let wanted = wanted.map_err(|error| Failure::new(Status::Configuration, error))?;
    let mut settings = token.opening(patience.as_secs())?;
    // Nothing is changed, least of all as root.
    let readable = std::mem::take(&mut settings.write);
    settings.read.extend(readable);
    let module = Module {
        settings,
        environment: token.environment.clone(),
        account: None,
    };
    let is = |wanted: &Option<String>, value: &Option<String>| wanted.is_none() || wanted == value;
    let tokens = list(&module)?.into_iter().map(|listed| listed.token);
    let mut named = tokens.filter(|seen| {
        is(&wanted.token, &seen.uri.token)
            && is(&wanted.serial, &seen.uri.serial)
            && is(&wanted.manufacturer, &seen.uri.manufacturer)
            && is(&wanted.model, &seen.uri.model)
    });
    Ok(named.next().map(|seen| seen.pin))
}

fn list(module: &Module) -> Result<Vec<Listed>, Failure> {
    let socket = super::start(&module.environment)?;
    let (settings, account) = (module.settings.clone(), module.account.clone());
    provision::list(socket, settings, account, WAIT).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(
            failure.status,
            format!("{}: {}", module.settings.module, failure.text),
        )
    })
}

/// Whoever signs, if that is one account: what the module writes is to be theirs.
fn account_of(settings: &Settings, name: &str) -> Result<Option<Account>, Failure> {
    let Ok(account) = account::account_of_key(settings, name, None) else {
        return Ok(None);
    };
    Ok(Some(Account {
        user: account.id,
        group: account.group,
        groups: account::groups_of(&account.name, &account)?,
    }))
}

/// The module of the command line.
fn given(options: &ListDevices) -> Result<Option<Module>, Failure> {
    let Some(module) = &options.module else {
        return Ok(None);
    };
    let usage = |text: &str| Failure::new(Status::Usage, text);
    let path = |path: &Path| {
        let text = path.to_str().filter(|_| path.is_absolute());
        text.map(str::to_owned)
            .ok_or_else(|| usage("--module…: give absolute paths in UTF-8"))
    };
    let paths = |list: &[PathBuf]| list.iter().map(|item| path(item)).collect::<Result<_, _>>();
    let variable = |text: &String| {
        let pair = text.split_once('=');
        let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| usage("--module-environment: give NAME=VALUE"))
    };
    let environment = options.module_environment.iter().map(variable);
    Ok(Some(Module {
        settings: ModuleSettings {
            module: path(module)?,
            // No key is looked for.
            uri: "pkcs11:".to_owned(),
            uri_ed25519: None,
            read: paths(&options.module_read)?,
            write: paths(&options.module_write)?,
            processor_seconds: u16::try_from(PROCESSOR_SECONDS).unwrap_or(u16::MAX),
        },
        environment: environment.collect::<Result<_, _>>()?,
        account: None,
    }))
}

/// The token, and each of its keys.
fn seen<'l>(module: &str, listed: &'l Listed) -> impl Iterator<Item = Seen> + use<'l> {
    let token = &listed.token.uri;
    let mut whole = Seen::new(format!("PKCS#11 token {token}"), None);
    let state = [
        ("module", module.to_owned().into()),
        ("pin", listed.token.pin.name().into()),
    ];
    whole.state.extend(state);
    let keys = listed.keys.iter().map(|key| of_key(token, key));
    std::iter::once(whole).chain(keys)
}

fn of_key(token: &Uri, key: &KeySeen) -> Seen {
    let uri = Uri {
        object: key.label.clone(),
        id: key.id.clone(),
        ..token.clone()
    };
    let mut seen = Seen::new(format!("PKCS#11 key {uri}"), None);
    seen.kind = key.kind.map(|kind| kind.to_string());
    seen
}
