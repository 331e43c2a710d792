//! What takes more than a second shows how far it is: on a terminal, on standard error, and gone when it is
//! done.
//!
//! One line for the whole program. Who works says what at; a thread draws it. While a question stands there,
//! nothing is drawn.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signstar_nethsm::client::Meter;

use crate::screen::Screen;
use crate::terminal;

/// What is shorter needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn anew.
const TICK: Duration = Duration::from_millis(100);
/// A bar, in columns.
const BAR_COLUMNS: usize = 24;
/// From here on it is worth telling how much has come.
const RECEIVED_BYTES_MIN: u64 = 64 << 10;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    /// Nobody knows.
    Unknown,
    /// So many bytes of so many have left.
    Sent(u64, u64),
    /// So many bytes have come.
    Received(u64),
    /// So many of so many are done.
    Done(usize, usize),
}

#[derive(Debug, Default)]
struct State {
    /// What is being done, and with what.
    what: String,
    meter: Option<Meter>,
    /// How many bytes will leave.
    total: Option<u64>,
    /// Of several things, how many are done.
    counted: Option<(String, usize, usize)>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An operation of a device begins. `total` is how many bytes will leave, where they are many.
pub(crate) fn operation(device: &str, operation: &str, meter: Meter, total: Option<u64>) {
    let what = match operation {
        "system_backup_post" => "makes a backup",
        "system_restore_post" => "takes the backup",
        "system_update_post" => "takes the image",
        "keys_generate_post" => "makes a key",
        "cluster_join_post" => "joins and waits to be promoted",
        _ => "works",
    };
    if let Some(state) = state().as_mut() {
        state.what = format!("{device} {what}");
        state.meter = Some(meter);
        state.total = total;
    }
}

/// Many things of a kind, which are counted until this goes. Where others are counted already, those are
/// what is shown.
#[derive(Debug)]
pub(crate) struct Count(bool);

impl Count {
    /// They begin.
    pub(crate) fn of(what: &str, total: usize) -> Self {
        let mut state = state();
        let free = state.as_mut().filter(|state| state.counted.is_none());
        Self(free.is_some_and(|state| {
            state.counted = Some((what.to_owned(), 0, total));
            true
        }))
    }

    /// One of them is done.
    pub(crate) fn one_more(&self) {
        let mut state = state();
        let counted = state.as_mut().and_then(|state| state.counted.as_mut());
        if let (Some((_, done, _)), true) = (counted, self.0) {
            *done += 1;
        }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if let (Some(state), true) = (state().as_mut(), self.0) {
            state.counted = None;
        }
    }
}

/// Does `work`, and shows how far it is where that can be seen.
pub(crate) fn watch<R>(work: impl FnOnce() -> R) -> R {
    let Some(columns) = Screen::get().progress else {
        return work();
    };
    *state() = Some(State::default());
    let done = Arc::new((Mutex::new(false), Condvar::new()));
    let drawer = thread::spawn({
        let done = Arc::clone(&done);
        move || draw_until(&done, columns)
    });
    let result = work();
    *done.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    done.1.notify_all();
    // It has erased its line when it is over.
    let _ = drawer.join();
    *state() = None;
    result
}

fn draw_until(done: &(Mutex<bool>, Condvar), columns: usize) {
    let begun = Instant::now();
    let mut wait = PATIENCE;
    loop {
        let over = done.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = done.1.wait_timeout_while(over, wait, |over| !*over);
        let over = waited.map_or(true, |(over, _)| *over);
        if over {
            terminal::erase();
            return;
        }
        if let Some(text) = shown(begun.elapsed()) {
            let text: String = text.chars().take(columns.saturating_sub(1)).collect();
            terminal::draw(&text);
        }
        wait = TICK;
    }
}

fn shown(elapsed: Duration) -> Option<String> {
    let state = state();
    let state = state.as_ref()?;
    let seconds = elapsed.as_secs();
    if let Some((what, done, total)) = &state.counted {
        return Some(line(what, Far::Done(*done, *total), seconds));
    }
    let meter = state.meter.as_ref()?;
    let far = match (state.total, meter.received()) {
        (Some(total), _) => Far::Sent(meter.sent().min(total), total),
        (None, bytes) if bytes >= RECEIVED_BYTES_MIN => Far::Received(bytes),
        _ => Far::Unknown,
    };
    Some(line(&state.what, far, seconds))
}

/// A line for it.
fn line(what: &str, far: Far, seconds: u64) -> String {
    let mib = |bytes: u64| {
        let tenths = bytes.saturating_mul(10) / (1 << 20);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match far {
        Far::Unknown => format!("{what}, {seconds} s"),
        Far::Received(bytes) => format!("{what}, {} MiB, {seconds} s", mib(bytes)),
        Far::Sent(sent, total) => {
            let bar = bar(sent, total);
            format!(
                "{what} {bar} {} of {} MiB, {seconds} s",
                mib(sent),
                mib(total)
            )
        }
        Far::Done(done, total) => {
            let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            let bar = bar(wide(done), wide(total));
            format!("{what} {bar} {done} of {total}, {seconds} s")
        }
    }
}

fn bar(part: u64, whole: u64) -> String {
    let columns = u64::try_from(BAR_COLUMNS).unwrap_or_default();
    let full = part
        .saturating_mul(columns)
        .checked_div(whole)
        .unwrap_or(columns);
    let full = usize::try_from(full.min(columns)).unwrap_or(BAR_COLUMNS);
    format!("[{}{}]", "#".repeat(full), ".".repeat(BAR_COLUMNS - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_far_it_is() {
        for (far, expected) in [
            (Far::Unknown, "x, 3 s"),
            (Far::Received(5 << 20), "x, 5.0 MiB, 3 s"),
            (
                Far::Sent(3 << 19, 3 << 20),
                "x [############............] 1.5 of 3.0 MiB, 3 s",
            ),
            (Far::Done(0, 7), "x [........................] 0 of 7, 3 s"),
            (Far::Done(0, 0), "x [########################] 0 of 0, 3 s"),
        ] {
            assert_eq!(line("x", far, 3), expected);
        }
    }
}
