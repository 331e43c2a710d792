//! Who may do what: authentication, roles, namespaces, and the limit on wrong passphrases.

use std::net::IpAddr;

use base64ct::{Base64, Encoding as _};

use crate::device::{Device, State};
use crate::identity::UserName;
use crate::resource::{Call, Caller};
use crate::store::Role;

/// Who may use a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, and nobody is asked who they are.
    Public,
    /// As public, but an administrator of no namespace while the device is operational.
    PublicUnlessOperational,
    /// An administrator of no namespace.
    RootAdministrator,
    /// The same, but anybody in state Failed.
    RootAdministratorUnlessFailed,
    Administrator,
    Operator,
    AdministratorOrOperator,
    /// An operator too, for GET.
    OperatorMayRead,
    Metrics,
    /// Role Backup of no namespace.
    Backup,
    /// An administrator of the user's namespace (of none, for GET and for users of a namespace that is
    /// not there), or an operator for GET of itself.
    User,
    /// As before, and POST is of no namespace's concern until the body was read.
    UserPassphrase,
    UserTags,
    UserTag,
    /// The user `unlock` with the last unlock passphrase.
    Unlock,
}

/// Why somebody is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// 401: no credentials
    Unknown,
    /// 401: wrong ones
    Wrong,
    /// 429
    Limited,
    /// 403
    Forbidden,
}

/// Checks credentials and rights, and says who it is.
pub(crate) fn check(
    access: Access,
    device: &mut Device,
    call: &Call<'_>,
) -> Result<Option<Caller>, Denied> {
    let state = device.state();
    let public = match access {
        Access::Public => true,
        Access::PublicUnlessOperational => state != State::Operational,
        Access::RootAdministratorUnlessFailed => state == State::Failed,
        _ => false,
    };
    if public {
        return Ok(None);
    }
    let header = call
        .request
        .header("authorization")
        .ok_or(Denied::Unknown)?;
    let (name, passphrase) = credentials(header).ok_or(Denied::Wrong)?;
    if access == Access::Unlock {
        return unlock(device, call.request.address, &name, &passphrase);
    }
    let caller = authenticate(device, call.request.address, &name, &passphrase)?;
    if permitted(access, device, call, &caller) {
        Ok(Some(caller))
    } else {
        Err(Denied::Forbidden)
    }
}

fn credentials(header: &str) -> Option<(String, Vec<u8>)> {
    let encoded = header.strip_prefix("Basic ")?;
    let pair = Base64::decode_vec(encoded).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (name, passphrase) = pair.split_at(colon);
    let name = String::from_utf8_lossy(name).into_owned();
    Some((name, passphrase.get(1..)?.to_vec()))
}

fn authenticate(
    device: &mut Device,
    address: IpAddr,
    name: &str,
    passphrase: &[u8],
) -> Result<Caller, Denied> {
    let limited = (address, name.to_owned());
    if device.is_limited(&limited) {
        return Err(Denied::Limited);
    }
    let known = UserName::parse(name)
        .ok()
        .filter(|_| device.store_answers());
    let found = known.and_then(|name| {
        let user = &device.store.as_ref()?.users.get(&name.to_string())?.value;
        user.has_passphrase(passphrase).then_some(Caller {
            name,
            role: user.role,
        })
    });
    found.ok_or_else(|| {
        device.limit(limited);
        Denied::Wrong
    })
}

fn unlock(
    device: &mut Device,
    address: IpAddr,
    name: &str,
    passphrase: &[u8],
) -> Result<Option<Caller>, Denied> {
    let limited = (address, name.to_owned());
    if device.is_limited(&limited) {
        return Err(Denied::Limited);
    }
    if name == "unlock" && device.opens_domain_key(passphrase) {
        return Ok(None);
    }
    device.limit(limited);
    Err(Denied::Wrong)
}

fn permitted(access: Access, device: &Device, call: &Call<'_>, caller: &Caller) -> bool {
    // A user of a namespace that is not there is nobody yet, or nobody any more.
    let namespace = caller.name.namespace.as_ref();
    if !namespace.is_none_or(|namespace| device.has_namespace(namespace)) {
        return false;
    }
    let is = |role| caller.role == role;
    let root = namespace.is_none();
    let get = call.method() == "GET";
    let own = call.parameter(0) == caller.name.to_string();
    let administrator = is(Role::Administrator);
    match access {
        Access::Public | Access::Unlock => true,
        Access::PublicUnlessOperational
        | Access::RootAdministrator
        | Access::RootAdministratorUnlessFailed => administrator && root,
        Access::Administrator => administrator,
        Access::Operator => is(Role::Operator),
        Access::AdministratorOrOperator => administrator || is(Role::Operator),
        Access::OperatorMayRead => administrator || get && is(Role::Operator),
        Access::Metrics => is(Role::Metrics),
        Access::Backup => is(Role::Backup) && root,
        Access::User => {
            let role = administrator || get && own && is(Role::Operator);
            let creates = matches!(call.method(), "PUT" | "POST");
            role && (creates || same_namespace(device, call, caller, get))
        }
        Access::UserPassphrase => {
            let role = administrator || own && is(Role::Operator);
            role && same_namespace(device, call, caller, false)
        }
        Access::UserTags => {
            let role = administrator || own && is(Role::Operator);
            role && same_namespace(device, call, caller, true)
        }
        Access::UserTag => administrator && same_namespace(device, call, caller, false),
    }
}

/// Whether caller and target are of one namespace; one of no namespace may also look at others, where
/// `root_may_look`, and do anything to the users of a namespace that is not there.
fn same_namespace(device: &Device, call: &Call<'_>, caller: &Caller, root_may_look: bool) -> bool {
    let target = UserName::split(call.parameter(0)).namespace;
    if target == caller.name.namespace {
        return true;
    }
    let there = target.is_some_and(|target| device.has_namespace(&target));
    caller.name.namespace.is_none() && (root_may_look || !there)
}
