//! The straight line from the order to the answer.

use signstar_core::{PublicKey, WorkerFault, WorkerRequest};
use signstar_pkcs11::provision::{Answer, Demand, Fault, NewKey, Order};
use signstar_pkcs11_worker::channel::{Locked, next, next_frame, send};
use signstar_pkcs11_worker::token::{self, Access, Token};
use signstar_pkcs11_worker::{confinement, key, module};

use crate::{account, import, list, make};

/// Does what the operator's tool asks, once.
pub(crate) fn run() -> Result<(), Fault> {
    let WorkerRequest::Open(settings) = next()? else {
        return Err(WorkerFault::Message.into());
    };
    let demand = Demand::from_frame(&next_frame()).map_err(|_| WorkerFault::Message)?;
    // Before the rest: another user's process would be dumpable again, and would not end with its parent.
    if let Some(account) = &demand.account {
        account::become_account(account)?;
    }
    confinement::harden()?;
    let (keys, imports): (Vec<NewKey>, bool) = match demand.order {
        Order::List => {
            confinement::before_module(&settings)?;
            let library = module::load(&settings.module)?;
            return list::list(&library);
        }
        Order::Make(first, second) => (std::iter::once(first).chain(second).collect(), false),
        Order::Import(key) => (vec![key], true),
    };
    let names = key::Names::of(&settings)?;
    let mut room = Locked::new()?;
    confinement::before_module(&settings)?;
    let library = module::load(&settings.module)?;
    let token = token::find(&library, &names.uri, Access::Write)?;
    make::check(&token, &keys)?;
    confinement::before_pin()?;

    let info = token.info()?;
    say(&Answer::Token(list::seen(&info)))?;
    token.log_in(room.next_pin()?)?;
    // What is private is seen only now.
    make::check_names(&token, &keys)?;
    let made = match (imports, keys.as_slice()) {
        (true, [key]) => import::import(&token, key, &room.next_secret())?,
        _ => make::make(&token, &keys)?,
    };
    match found(&token, &names) {
        Ok(public) => say(&Answer::Made(public)),
        Err(fault) => Err(make::remove(&token, &made, fault.into())),
    }
}

/// The new key as it will be found for a signature, and not as the module has given it.
fn found(token: &Token, names: &key::Names) -> Result<PublicKey, WorkerFault> {
    let public = key::find_public(token, names)?.ok_or(WorkerFault::KeyMissing)?;
    key::find_private(token, names, &public)?;
    Ok(public)
}

/// Answers.
pub(crate) fn say(answer: &Answer) -> Result<(), Fault> {
    send(&answer.to_frame().map_err(|_| WorkerFault::Shape)?);
    Ok(())
}
