//! A virtual OpenPGP card for tests: `opcard`, the application in Nitrokey's tokens, on a simulated
//! token in memory.
//!
//! [`VirtualCard`] is the card in this process. [`reader`] puts it into a reader of `vpcd`, where
//! pcscd and everything above it see a card like any other.
//!
//! Its random numbers have a constant seed, so every fresh card makes the same keys, and its PINs
//! are those of a new card. It is of use for nothing but tests; nothing that is shipped may depend
//! on this package.
//!
//! Deliberately absent: storage that outlives the process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod dispatch;
pub mod reader;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use dispatch::{BACKENDS, Dispatch};
use iso7816::Status;
use iso7816::command::CommandView;
use opcard::{Card, Options};
use trussed::platform::{Platform as _, UserInterface as _};
use trussed::virt::{self, Client, StoreConfig};
use trussed_core::types::consent::Level;

/// The user PIN of a new card.
pub const USER_PIN: &str = "123456";
/// The administrator's PIN of a new card.
pub const ADMIN_PIN: &str = "12345678";
/// The manufacturer's number in [`VirtualCard`]'s ident: one that is reserved for tests.
pub const MANUFACTURER: u16 = 0x0000;

/// Longer answers are not needed: the public key of RSA-4096 is a little over 512 bytes.
const ANSWER_BYTES_MAX: usize = 7609;

/// Whether somebody touches the card when it asks for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// At once.
    Given,
    /// Never: the card waits for 15 seconds.
    Missing,
}

/// A card in this process, on a thread of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct VirtualCard {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    instructions: Arc<Mutex<Vec<u8>>>,
}

enum Order {
    Execute(Vec<u8>, Sender<Vec<u8>>),
    Reset(Sender<Vec<u8>>),
}

impl VirtualCard {
    /// A new card with this serial number.
    pub fn new(serial: u32, touch: Touch) -> Self {
        let (orders, received) = channel::<Order>();
        let thread = std::thread::spawn(move || {
            virt::with_platform(StoreConfig::ram(), |mut platform| {
                let level = match touch {
                    Touch::Given => Level::Normal,
                    Touch::Missing => Level::None,
                };
                platform.user_interface().set_user_presence_level(level);
                assert_eq!(platform.user_interface().check_user_presence(), level);
                let run = |client: Client<'_, Dispatch>| {
                    let mut options = Options::default();
                    options.manufacturer = MANUFACTURER.to_be_bytes();
                    options.serial = serial.to_be_bytes();
                    let mut card = Card::new(client, options);
                    for order in received {
                        // Whoever gave the order may be gone by now.
                        let _ = match order {
                            Order::Execute(command, answer) => {
                                answer.send(execute(&mut card, &command))
                            }
                            Order::Reset(answer) => {
                                card.reset();
                                answer.send(Vec::new())
                            }
                        };
                    }
                };
                platform.run_client_with_backends("opcard", Dispatch::new(), BACKENDS, run);
            });
        });
        Self {
            orders: Some(orders),
            thread: Some(thread),
            instructions: Arc::default(),
        }
    }

    /// The instruction bytes of all commands, also of one that it is still at.
    pub fn instructions(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.instructions)
    }

    /// Executes a command APDU and returns the response APDU.
    pub fn execute(&self, command: &[u8]) -> Vec<u8> {
        self.instructions.lock().unwrap().extend(command.get(1));
        self.order(|answer| Order::Execute(command.to_vec(), answer))
    }

    /// What a reader does when a card is put in: nothing is verified or selected any more.
    pub fn reset(&self) {
        self.order(Order::Reset);
    }

    fn order(&self, order: impl FnOnce(Sender<Vec<u8>>) -> Order) -> Vec<u8> {
        let (answer, answered) = channel();
        let orders = self.orders.as_ref().expect("the card is running");
        orders.send(order(answer)).expect("the card is running");
        answered.recv().expect("the card answers")
    }
}

impl Drop for VirtualCard {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl vpicc::VSmartCard for VirtualCard {
    fn power_on(&mut self) {
        self.reset();
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn execute(&mut self, command: &[u8]) -> Vec<u8> {
        Self::execute(self, command)
    }
}

fn execute(card: &mut Card<Client<'_, Dispatch>>, command: &[u8]) -> Vec<u8> {
    let mut answer = heapless::Vec::<u8, ANSWER_BYTES_MAX>::new();
    let status = match CommandView::try_from(command) {
        Ok(view) => card.handle(view, &mut answer).err().unwrap_or_default(),
        Err(_) => Status::WrongLength,
    };
    let status: [u8; 2] = status.into();
    [answer.as_slice(), &status].concat()
}
