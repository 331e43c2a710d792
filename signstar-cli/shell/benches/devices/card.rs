//! A key on a card: the virtual one behind pcscd. The whole is: the back end alone, which looks at
//! the card when it opens it and before it signs. A signature alone is one over a connection that is
//! open, where a shared card must be locked and its application selected, and wants its PIN.

use std::process::Command;

use pcsc::{Card, Context, Disposition, Protocols, Scope, ShareMode, Transaction};
use signstar_core::KeyKind;
use signstar_virtual_card::USER_PIN;
use zeroize::Zeroizing;

use crate::contest::{digest, in_turns, Bare};
use crate::machine::{location, Machine};
use crate::support::{Configuration, SigningKey, World};

/// What is measured.
pub(crate) const KINDS: [KeyKind; 2] = [KeyKind::Ed25519, KeyKind::P256];

/// SELECT of the OpenPGP application (OpenPGP card 3.4.1, section 7.2.1).
const SELECT: &[u8] = b"\x00\xa4\x04\x00\x06\xd2\x76\x00\x01\x24\x01\x00";

/// The back end never closes a connection, and pcscd serves 200.
const ROUNDS_MAX: u32 = 150;

/// A card, its key, the shell, the loop.
pub(crate) fn measure(kind: KeyKind, rounds: u32) {
    let rounds = rounds.min(ROUNDS_MAX);
    let (name, digest_bytes) = match kind {
        KeyKind::P256 => ("p256", 32),
        _ => ("ed25519", 64),
    };
    let machine = Machine::new(SigningKey::new(kind), &Configuration::new());
    // VERIFY for one signature, and COMPUTE DIGITAL SIGNATURE (sections 7.2.2 and 7.2.10).
    let verify = command([0x00, 0x20, 0x00, 0x81], USER_PIN.as_bytes());
    let mut sign = command([0x00, 0x2a, 0x9e, 0x9a], &vec![0x5a; digest_bytes]);
    sign.push(0);
    acknowledge_at_once(&machine.world);
    machine.world.within(|| {
        let mut card = connect();
        let name = format!("smartcard {name}");
        let mut signature = || {
            let card = card.transaction().unwrap();
            transmit(&card, SELECT);
            transmit(&card, &verify);
            assert_eq!(transmit(&card, &sign).len(), 64);
            let ended = card.end(Disposition::LeaveCard);
            ended.map_err(|(_, error)| error).unwrap();
        };
        let mut whole = || {
            let pin = Zeroizing::new(USER_PIN.as_bytes().to_vec());
            let mut opened = signstar_smartcard::open(&location(), pin).unwrap();
            opened.signer.sign(&digest()).unwrap();
        };
        let bare = Bare {
            whole: &mut whole,
            signature: &mut signature,
        };
        in_turns(&machine.world, &name, rounds, bare);
    });
}

/// vpcd and the card send in two parts, the second one when the first is acknowledged: that is 40 ms
/// for each command, which no real reader takes, unless the kernel acknowledges at once.
fn acknowledge_at_once(world: &World) {
    for route in ["127.0.0.0/8", "127.0.0.1"] {
        let mut ip = Command::new("ip");
        ip.args([
            "route", "replace", "table", "local", "local", route, "dev", "lo",
        ]);
        ip.args([
            "proto",
            "kernel",
            "scope",
            "host",
            "src",
            "127.0.0.1",
            "quickack",
            "1",
        ]);
        world.run(&mut ip).success();
    }
}

/// The card in the only reader that has one.
fn connect() -> Card {
    let context = Context::establish(Scope::System).unwrap();
    let readers = context.list_readers_owned().unwrap();
    let card = |reader: &std::ffi::CString| {
        let connected = context.connect(reader, ShareMode::Shared, Protocols::ANY);
        connected.ok()
    };
    readers.iter().find_map(card).expect("a card in a reader")
}

fn command(head: [u8; 4], data: &[u8]) -> Vec<u8> {
    [&head[..], &[u8::try_from(data.len()).unwrap()], data].concat()
}

/// The answer to a command that must succeed, without its status.
fn transmit(card: &Transaction<'_>, command: &[u8]) -> Vec<u8> {
    let mut buffer = [0; 1024];
    let answer = card.transmit(command, &mut buffer).unwrap();
    let data = answer.strip_suffix(b"\x90\x00");
    data.unwrap_or_else(|| panic!("the card answers {answer:02x?}"))
        .to_vec()
}
