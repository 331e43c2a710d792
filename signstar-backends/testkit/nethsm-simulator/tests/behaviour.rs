//! What the recordings do not show: faults that tests ask for, what a device remembers, and corners.

// What a test relies on it says by a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "behaviour/authority.rs"]
mod authority;
#[path = "replay/client.rs"]
mod client;
#[path = "behaviour/cluster.rs"]
mod cluster;
#[path = "behaviour/cluster_refusals.rs"]
mod cluster_refusals;
#[path = "behaviour/device.rs"]
mod device;
#[path = "behaviour/edges.rs"]
mod edges;
#[path = "behaviour/faults.rs"]
mod faults;
#[path = "behaviour/members.rs"]
mod members;
#[path = "behaviour/memory.rs"]
mod memory;
#[path = "behaviour/program.rs"]
mod program;
