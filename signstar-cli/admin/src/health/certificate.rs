//! Whether a certificate lets its key sign, and for how long.

use std::time::{Duration, SystemTime};

use signstar::config::Key;
use signstar::enclave;
use signstar_certificate::describe;

use super::{Check, State};
use crate::certificate::read;
use crate::cli::Health;
use crate::expiry;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const NAME: &str = "certificate";

pub(super) fn check(key: &Key, options: &Health, now: SystemTime) -> Check {
    let signing = match enclave::open_certificate(key) {
        Ok(signing) => signing.fingerprint(),
        Err(failure) => return Check::new(NAME, State::Critical, failure.detail),
    };
    let path = &key.certificate;
    let described = read(path).map(|bytes| describe(&bytes, now));
    let said = match described {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => return Check::new(NAME, State::Critical, error),
        Err(failure) => return Check::new(NAME, State::Critical, failure.text),
    };
    // The certificate lives as long as its primary key, which comes first.
    let primary = said.keys.first().and_then(|key| key.expires);
    let mut own = said.keys.iter().filter(|key| key.fingerprint == signing);
    let own = own.find_map(|key| key.expires);
    let Some(expires) = primary.into_iter().chain(own).min() else {
        return Check::new(NAME, State::Ok, "never expires");
    };
    let left = expires.duration_since(now).unwrap_or(Duration::ZERO);
    let days = left.as_secs() / DAY.as_secs();
    let state = match days {
        _ if days < options.days_critical.into() => State::Critical,
        _ if days < options.days_warning.into() => State::Warning,
        _ => State::Ok,
    };
    let text = format!(
        "the certificate expires in {days} days, at {}: extend it (cert extend)",
        expiry::shown(Some(expires))
    );
    let seconds = expires.duration_since(SystemTime::UNIX_EPOCH);
    Check::new(NAME, state, text)
        .measuring("days_left", days)
        .measuring("expires", seconds.unwrap_or(Duration::ZERO).as_secs())
}
