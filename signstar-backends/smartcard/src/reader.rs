//! Readers, by way of pcscd.
//!
//! A connection is shared, and no card is ever reset: others use it too. pcsc-lite's own wait for a card that another program has locked has no bound,
//! so we ask before we lock: a command to the reader (not to the card) is answered with "shared by
//! somebody else" at once. Only if the lock is taken between question and lock does pcsc-lite wait,
//! and then the deadline of the process bounds it. So it does for the connection itself: pcscd lets
//! nobody connect to a card, ours or another, while somebody has it locked.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode};

use crate::fault::Fault;
use crate::gate::ANSWER_BYTES_MAX;
use crate::link::{Exchange, Link};

/// Between two looks at a reader that is in use. A signature takes about 50 ms.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a card that was reset is connected to again before we give up.
const RECONNECTS_MAX: u32 = 3;
/// Which of its features a reader has (PC/SC part 10, section 2.2): asked because it does nothing.
const GET_FEATURES: u64 = 3400;
/// Names of all readers. pcscd has 16 of at most 128 bytes.
const NAMES_BYTES_MAX: usize = 4096;

/// A reader with a card in it.
pub(crate) struct Reader {
    // Until the drop.
    card: Option<Card>,
    /// Not so after a failure: pcscd wants us to connect again before it lets a command through.
    sound: AtomicBool,
    descriptors: Vec<u32>,
}

/// What can be reached.
pub(crate) struct Readers {
    /// Those that we are connected to.
    pub(crate) connected: Vec<Reader>,
    /// How many are held by one program for itself.
    pub(crate) occupied: usize,
}

impl Readers {
    /// Connects to every reader with a card.
    ///
    /// # Errors
    /// [`Fault::NoService`] if pcscd does not answer.
    pub(crate) fn connect() -> Result<Self, Fault> {
        let before = sockets();
        let context = Context::establish(Scope::System).map_err(|_| Fault::NoService)?;
        let after = sockets();
        let descriptors: Vec<u32> = after.difference(&before).copied().collect();
        let mut buffer = [0; NAMES_BYTES_MAX];
        let names: Vec<CString> = match context.list_readers(&mut buffer) {
            Ok(names) => names.map(CString::from).collect(),
            Err(Error::NoReadersAvailable) => Vec::new(),
            Err(_) => return Err(Fault::Lost),
        };
        let mut found = Self {
            connected: Vec::new(),
            occupied: 0,
        };
        for name in names {
            match context.connect(&name, ShareMode::Shared, Protocols::ANY) {
                Ok(card) => found.connected.push(Reader {
                    card: Some(card),
                    sound: AtomicBool::new(true),
                    descriptors: descriptors.clone(),
                }),
                Err(Error::SharingViolation) => found.occupied += 1,
                Err(Error::NoService | Error::ServiceStopped | Error::CommError) => {
                    return Err(Fault::Lost);
                }
                // Empty, or what is in it does not answer.
                Err(_) => {}
            }
        }
        // The cards hold the context too; it is closed with the last of them.
        Ok(found)
    }
}

/// Descriptors that are sockets.
fn sockets() -> BTreeSet<u32> {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else {
        return BTreeSet::new();
    };
    let open = folder.flatten().filter(|entry| {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        target.to_string_lossy().starts_with("socket:")
    });
    open.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

impl Reader {
    /// Waits until nobody has locked the card; what is wrong with it is for the caller to see.
    fn wait(&self, wait: Duration) -> Result<(), Fault> {
        let start = Instant::now();
        let mut buffer = [0; 264];
        let Some(card) = &self.card else {
            return Err(Fault::Lost);
        };
        while let Err(Error::SharingViolation) = card.control(GET_FEATURES, &[], &mut buffer) {
            if start.elapsed() >= wait {
                return Err(Fault::Occupied(wait));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// Leaves the card as it is: the drop of the library's own type would reset it. pcscd would have us
/// wait for whoever has locked the card, so that one stays connected to the end of the process.
impl Drop for Reader {
    fn drop(&mut self) {
        if self.wait(Duration::ZERO).is_err() {
            std::mem::forget(self.card.take());
        }
        let disconnected = self
            .card
            .take()
            .map(|card| card.disconnect(Disposition::LeaveCard));
        // One that cannot be left is gone already, or pcscd sees to it when the process ends.
        if let Some(Err((card, _))) = disconnected {
            std::mem::forget(card);
        }
    }
}

impl Link for Reader {
    fn lock(&mut self, wait: Duration) -> Result<Box<dyn Exchange + Send + Sync + '_>, Fault> {
        self.wait(wait)?;
        let sound = &self.sound;
        let mut card = self.card.as_mut().ok_or(Fault::Lost)?;
        for _ in 0..RECONNECTS_MAX {
            if !sound.load(Ordering::Relaxed) {
                // What was in the reader may be back, or another card: whoever locks looks.
                card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)
                    .map_err(fault)?;
                sound.store(true, Ordering::Relaxed);
            }
            card = match card.transaction2() {
                Ok(transaction) => return Ok(Box::new(Locked { transaction, sound })),
                Err((card, Error::ResetCard | Error::RemovedCard)) => card,
                Err((_, error)) => return Err(fault(error)),
            };
            sound.store(false, Ordering::Relaxed);
        }
        Err(Fault::Lost)
    }

    fn descriptors(&self) -> Vec<u32> {
        self.descriptors.clone()
    }
}

/// Its drop ends the lock and leaves the card as it is.
struct Locked<'c> {
    transaction: pcsc::Transaction<'c>,
    sound: &'c AtomicBool,
}

impl Exchange for Locked<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        match self.transaction.transmit(command, &mut buffer) {
            Ok(answer) => Ok(answer.to_vec()),
            Err(error) => {
                self.sound.store(false, Ordering::Relaxed);
                Err(fault(error))
            }
        }
    }
}

fn fault(error: Error) -> Fault {
    match error {
        Error::NoService | Error::ServiceStopped => Fault::NoService,
        Error::RemovedCard
        | Error::NoSmartcard
        | Error::UnpoweredCard
        | Error::UnresponsiveCard => Fault::Removed,
        Error::SharingViolation => Fault::Occupied(Duration::ZERO),
        _ => Fault::Lost,
    }
}
