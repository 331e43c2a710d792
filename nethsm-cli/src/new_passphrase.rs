//! A passphrase that is to be: from whoever knows it, or made here and put where it is kept.
//!
//! One that is made here is kept before the device takes it, so that none is lost. Deliberately absent: one on
//! standard output, where it would stand in a log or a pipe; a choice of its letters.

mod place;

use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::secret::{FORMS, Source};
pub(crate) use place::PLACES;
use place::Place;

/// Letters and digits that nobody takes for others: 32, so that each has 5 bits.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 125 bits, more than what any passphrase of a device is protected with.
const GROUPS: usize = 5;
const GROUP_LETTERS: usize = 5;

#[derive(Args, Debug)]
pub(crate) struct NewPassphrase {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the new passphrase comes from: {FORMS}"))]
    new_passphrase_from: Source,
    #[arg(long, value_name = "PLACE", conflicts_with = "new_passphrase_from", help = format!("Make one here, and put it there: {PLACES}"))]
    generate_passphrase: Option<Place>,
}

/// Where a passphrase is that was made here.
#[derive(Debug)]
pub(crate) struct Kept(Option<Place>);

impl Kept {
    /// What was done with it.
    pub(crate) fn said(&self, mut text: String, mut value: Value) -> Report {
        let name = self.0.as_ref().and_then(Place::name);
        if let (Some(place), Some(name), Some(fields)) = (&self.0, name, value.as_object_mut()) {
            text.push_str(&match place {
                Place::Command(_) => format!("; {name} has the passphrase"),
                Place::File(_) | Place::Terminal => format!("; the passphrase is in {name}"),
            });
            fields.insert("passphrase_in".to_owned(), name.into());
        }
        Report::done(text, value)
    }
}

impl NewPassphrase {
    /// Has `set` give it to the device. `what` names it for the operator.
    pub(crate) fn set<T>(
        &self,
        device: &mut Device,
        what: &str,
        set: impl FnOnce(&mut Device, &str) -> Result<T, Failure>,
    ) -> Result<(T, Kept), Failure> {
        let Some(place) = &self.generate_passphrase else {
            let passphrase = self.new_passphrase_from.get_new(what)?;
            return Ok((set(device, &passphrase)?, Kept(None)));
        };
        let place = place.of(&device.label);
        let passphrase = generated()?;
        place.put(what, &passphrase)?;
        match set(device, &passphrase) {
            Ok(done) => Ok((done, Kept(Some(place)))),
            // Nobody knows whether the device has it now.
            Err(mut failure) if failure.status == Status::Failed => {
                if let Some(name) = place.name() {
                    let more = format!("; the new passphrase may be in use: it is in {name}");
                    failure.text.push_str(&more);
                }
                Err(failure)
            }
            Err(failure) => {
                place.take_back();
                Err(failure)
            }
        }
    }
}

/// A new one, as `k3v9x-…`.
fn generated() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0_u8; GROUPS * GROUP_LETTERS]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|_| Failure::failed("the system has no random bytes"))?;
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP_LETTERS + 1)));
    for group in bytes.chunks(GROUP_LETTERS) {
        if !text.is_empty() {
            text.push('-');
        }
        let letters = group.iter().filter_map(|byte| {
            let place = usize::from(byte & 31);
            LETTERS.get(place).copied().map(char::from)
        });
        text.extend(letters);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_passphrase_has_five_groups_of_letters_and_is_never_the_same() {
        let (one, other) = (generated().unwrap(), generated().unwrap());
        assert_ne!(*one, *other);
        assert_eq!(one.len(), 29);
        for group in one.split('-') {
            assert_eq!(group.len(), GROUP_LETTERS);
            assert!(group.bytes().all(|byte| LETTERS.contains(&byte)));
        }
        let distinct: std::collections::BTreeSet<u8> = LETTERS.iter().copied().collect();
        assert_eq!(distinct.len(), 32);
    }
}
