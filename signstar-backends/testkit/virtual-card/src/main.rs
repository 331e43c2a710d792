//! Puts a new virtual card into a reader of vpcd: `signstar-virtual-card PORT SERIAL [untouched]`.
//! The serial number is hexadecimal.
//!
//! When vpcd goes and comes back, the same card is put in again.

#![allow(clippy::expect_used, clippy::panic, reason = "for tests only")]

use std::time::Duration;

use signstar_virtual_card::{Touch, VirtualCard};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, serial, touch) = match arguments.as_slice() {
        [port, serial] => (port, serial, Touch::Given),
        [port, serial, word] if word == "untouched" => (port, serial, Touch::Missing),
        _ => panic!("usage: signstar-virtual-card PORT SERIAL [untouched]"),
    };
    let port: u16 = port.parse().expect("a port");
    let serial = u32::from_str_radix(serial, 16).expect("a serial number in hexadecimal");
    let mut card = VirtualCard::new(serial, touch);
    println!("ready");
    loop {
        if let Ok(connection) = vpicc::connect_socket(format!("127.0.0.1:{port}")) {
            // Ends when vpcd does.
            let _ = connection.run(&mut card);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
