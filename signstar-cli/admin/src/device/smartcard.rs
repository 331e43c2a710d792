//! Keys on OpenPGP cards: making and importing them, and how the cards are.
//!
//! The administrator's PIN is asked for here and nowhere else, or read from a file that is named on
//! the command line, and is sent once.
//!
//! Deliberately absent: changing and unblocking PINs, resetting a card.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use signstar::back_ends::smartcard::Smartcard;
use signstar::config::Key;
use signstar_certificate::fingerprint;
use signstar_core::{KeyKind, KeyVersion};
use signstar_smartcard::provision::{
    self, KINDS, Present, Status as CardStatus, Touch as CardTouch,
};
use signstar_smartcard::{Ident, Location};
use zeroize::Zeroizing;

use super::asking::{agree, making};
use super::outside;
use super::{BackEnd, Held, Made, Seen, Stored, settings_of};
use crate::cli::key::{OnCard, Replacing, Touch};
use crate::cli::{Generate, Import, ListDevices};
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::Settings;
use crate::terminal;

/// Lengths of an administrator's PIN, in bytes (OpenPGP card 3.4.1, section 4.3.1).
const ADMIN_PIN_BYTES: std::ops::RangeInclusive<usize> = 8..=127;

/// How long others that use a card are waited for, where no configuration says it.
const WAIT: Duration = Duration::from_secs(5);

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "smartcard",
    open,
    look,
    generate,
    kinds: &KINDS,
    options: &["--v6", "--touch", "--admin-pin-file"],
    import: Some(import),
    search: Some(search),
    storage_key: None,
    shelf: None,
};

fn open(_: &Settings, key: &Key) -> Result<Held, Failure> {
    let location = location(key)?;
    let stored = stored(&provision::status(&location)?);
    let card: &Smartcard = settings_of(key)?;
    Ok(Held {
        signer: card.open_any(location.wait)?.signer,
        stored,
        place: place(location.card),
    })
}

fn look(_: &Settings, key: &Key) -> Result<Seen, Failure> {
    Ok(seen(&provision::status(&location(key)?)?))
}

/// Every card that can be looked at.
fn search(_: &ListDevices, _: Option<&Settings>) -> Result<Vec<Seen>, Failure> {
    let listing = provision::list(WAIT)?;
    if listing.occupied > 0 {
        log::warn!(
            "{} readers are held by other programs (scdaemon does that, if it runs)",
            listing.occupied
        );
    }
    let one = |card: &Ident| {
        let location = Location {
            card: *card,
            wait: WAIT,
        };
        Ok(seen(&provision::status(&location)?))
    };
    listing.cards.iter().map(one).collect()
}

fn location(key: &Key) -> Result<Location, Failure> {
    let card: &Smartcard = settings_of(key)?;
    Ok(Location {
        card: card.card,
        wait: Duration::from_secs(key.device_seconds),
    })
}

fn place(card: Ident) -> String {
    format!("card {card}")
}

/// When the key of a card was made, and of which version it is: a card with the fingerprint of
/// version 4 has a key of that version.
fn stored(status: &CardStatus) -> Option<Stored> {
    let created = status.created.filter(|seconds| *seconds != 0)?;
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(created.into());
    let expected = octets(status.key.as_ref()?, created);
    let is_v4 = expected.is_some() && expected == status.fingerprint;
    Some(Stored {
        created,
        version: is_v4.then_some(KeyVersion::V4),
    })
}

/// A fingerprint of version 4, as a card has it.
fn octets(key: &signstar_core::PublicKey, created: SystemTime) -> Option<[u8; 20]> {
    let text = fingerprint(key, created, KeyVersion::V4)?;
    let pairs = text.as_bytes().chunks(2);
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = pairs.map(octet).collect();
    octets?.try_into().ok()
}

fn seen(status: &CardStatus) -> Seen {
    let mut seen = Seen::new(place(status.card), status.key.as_ref());
    if let (Some(key), Some(stored)) = (&status.key, stored(status)) {
        seen.created = Some(expiry::shown(Some(stored.created)));
        let version = stored.version;
        seen.fingerprint = version.and_then(|version| fingerprint(key, stored.created, version));
    }
    let touch = match status.touch {
        CardTouch::NotNeeded => "off",
        CardTouch::Needed => "on",
        CardTouch::NeededForever => "fixed",
    };
    let state: [(&str, Value); 4] = [
        ("tries", status.tries.into()),
        ("tries_admin", status.tries_admin.into()),
        ("signatures", status.counter.into()),
        ("touch", touch.into()),
    ];
    seen.state.extend(state);
    seen
}

fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let location = location(settings.key(&options.key)?)?;
    let kind = options.kind.unwrap_or(KeyKind::Ed25519);
    let touch = touch(&options.card);
    let present = check(&location, touch, &options.replacing)?;
    let mut made = made(&location, kind, &options.replacing);
    if made.dry_run {
        return Ok(made);
    }
    let pin = admin_pin(&options.card, location.card)?;
    making(&made.device, made.kind);
    let status = provision::generate(&location, &pin, kind, touch, present)?;
    if !options.v6 {
        made.fingerprint = note_fingerprint(&location, &pin, &status)?;
    }
    Ok(made)
}

fn import(settings: &Settings, options: &Import) -> Result<Made, Failure> {
    let location = location(settings.key(&options.key)?)?;
    let touch = touch(&options.card);
    let outside = outside::read(settings, options)?;
    let path = &options.from;
    let data = |error: &dyn std::fmt::Display| {
        Failure::new(Status::Data, format!("{}: {error}", path.display()))
    };
    let created = outside.created.duration_since(SystemTime::UNIX_EPOCH);
    let created = created.map(|time| u32::try_from(time.as_secs()));
    let Ok(Ok(created)) = created else {
        return Err(data(&"its creation time cannot be one"));
    };
    let public = &outside.public;
    let kind = public.kind();
    if !KINDS.contains(&kind) {
        return Err(data(&"cards have no keys of this kind"));
    }
    let present = check(&location, touch, &options.replacing)?;
    let mut made = made(&location, kind, &options.replacing);
    if made.dry_run {
        return Ok(made);
    }
    let pin = admin_pin(&options.card, location.card)?;
    let numbers = (&outside.material, public);
    let status = provision::import(&location, &pin, numbers, created, touch, present)?;
    if outside.version == KeyVersion::V4 {
        made.fingerprint = note_fingerprint(&location, &pin, &status)?;
    }
    Ok(made)
}

/// Makes sure that what is on the card may be lost, and that a touch may be wanted for good.
fn check(location: &Location, touch: CardTouch, replacing: &Replacing) -> Result<Present, Failure> {
    let status = provision::status(location)?;
    let place = place(location.card);
    if let Some(key) = &status.key {
        let made = status.fingerprint.map_or(String::new(), |octets| {
            let digits: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
            format!(" {digits}")
        });
        let present = format!(
            "{place}: there is a key of the kind {}{made} in its signing slot, which has made {} \
             signatures",
            key.name(),
            status.counter
        );
        agree(replacing, &present)?;
    }
    if touch == CardTouch::NeededForever && !replacing.yes && !replacing.dry_run {
        let text = format!(
            "{place}: it will want a touch for each signature, as long as the key is on it.\n\
             This cannot be undone."
        );
        terminal::confirm(&text, "yes")?;
    }
    // A key of a kind that cannot sign here is no less one.
    Ok(match replacing.force {
        true => Present::Replace,
        false => Present::Keep,
    })
}

fn touch(options: &OnCard) -> CardTouch {
    match options.touch {
        None | Some(Touch::Off) => CardTouch::NotNeeded,
        Some(Touch::On) => CardTouch::Needed,
        Some(Touch::Fixed) => CardTouch::NeededForever,
    }
}

fn made(location: &Location, kind: KeyKind, replacing: &Replacing) -> Made {
    Made {
        kind,
        device: place(location.card),
        fingerprint: None,
        created: None,
        secret_key: None,
        protected: true,
        dry_run: replacing.dry_run,
    }
}

fn admin_pin(options: &OnCard, card: Ident) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let pin = match &options.admin_pin_file {
        Some(path) => secret_file::read(path)?,
        None if terminal::is_there() => {
            terminal::secret(&format!("Administrator's PIN of the card {card}"))?
        }
        None => {
            let text = "nobody is there to ask for the administrator's PIN: give --admin-pin-file";
            return Err(Failure::new(Status::Usage, text));
        }
    };
    match ADMIN_PIN_BYTES.contains(&pin.len()) {
        true => Ok(pin),
        // It would cost a try.
        false => {
            let text = format!(
                "an administrator's PIN has {} to {} characters: it was not sent",
                ADMIN_PIN_BYTES.start(),
                ADMIN_PIN_BYTES.end()
            );
            Err(Failure::new(Status::Data, text))
        }
    }
}

/// Notes the fingerprint of version 4 on the card, where GnuPG looks for it. It follows from key and
/// creation time, which the card has; certificates of either shape give the key the same one.
fn note_fingerprint(
    location: &Location,
    pin: &Zeroizing<Vec<u8>>,
    status: &CardStatus,
) -> Result<Option<String>, Failure> {
    let unclear = || {
        let text = format!(
            "{}: the key is there, but not when it was made, so it has no fingerprint",
            place(location.card)
        );
        Failure::new(Status::Internal, text)
    };
    let (Some(key), Some(seconds)) = (&status.key, status.created) else {
        return Err(unclear());
    };
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    let octets = octets(key, created).ok_or_else(unclear)?;
    provision::set_fingerprint(location, pin, octets)?;
    Ok(fingerprint(key, created, KeyVersion::V4))
}
