//! Many at a time, with devices that come and go: none lost, none doubled.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signstar_core::Event;

use crate::scene::Scene;
use crate::support::verifiers::Verifier;
use crate::support::Configuration;

const SIGNATURES: usize = 500;
const SESSIONS: usize = 16;

/// Has `SESSIONS` clients make `SIGNATURES` requests; how many were signed. Each signature is verified.
fn sign_all(scene: &Scene) -> usize {
    let (next, signed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..SESSIONS {
            let (next, signed) = (&next, &signed);
            scope.spawn(move || loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= SIGNATURES {
                    return;
                }
                let artifact = format!("artifact {number}\n");
                let outcome = scene.world.shell().run(artifact.as_bytes());
                if outcome.code() != 0 {
                    assert_eq!(outcome.stdout, b"");
                    continue;
                }
                let path = scene.world.path(&format!("/tmp/artifact-{client}"));
                std::fs::write(&path, artifact).unwrap();
                let taken = Verifier::Rsop.takes(&scene.world.key, &outcome.stdout, &path);
                assert_eq!(taken, Ok(()), "{number}");
                signed.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    signed.into_inner()
}

fn count(events: &[Event], event: Event) -> usize {
    events.iter().filter(|other| **other == event).count()
}

#[test]
fn five_hundred_signatures_of_sixteen_at_a_time_are_all_there_and_once() {
    let scene = Scene::replicas(1);
    scene.configure(Configuration::new().user("sessions-max = 32"), "");
    let before = scene.uses()[0];
    assert_eq!(sign_all(&scene), SIGNATURES);
    let events = scene.events();
    assert_eq!(count(&events, Event::Intent), SIGNATURES);
    assert_eq!(count(&events, Event::Release), SIGNATURES);
    assert_eq!(events.len(), 2 * SIGNATURES);
    let made = scene.uses()[0] - before;
    assert_eq!(made, SIGNATURES as u64);
    println!("{SIGNATURES} signatures, {SESSIONS} at a time: {made} made, all recorded");
}

/// One of two devices is restarted again and again: every request is signed, by the other one at worst.
#[test]
fn a_device_that_is_restarted_under_load_costs_no_signature() {
    use signstar_nethsm::sdk::apis::default_api::config_unattended_boot_put;
    use signstar_nethsm::sdk::models::{Switch, UnattendedBootConfig};
    let scene = Scene::replicas(2);
    scene.configure(Configuration::new().user("sessions-max = 32"), "");
    scene.world.on_network(|| {
        let on = UnattendedBootConfig::new(Switch::On);
        let set = |admin: &mut signstar_nethsm::client::Client| {
            admin
                .call(|device| config_unattended_boot_put(device, on))
                .map(|_| ())
        };
        scene.devices[0].administrate(set).unwrap();
    });
    let before: u64 = scene.uses().iter().sum();
    let over = std::sync::atomic::AtomicBool::new(false);
    let (signed, restarts) = std::thread::scope(|scope| {
        let restarting = scope.spawn(|| {
            let mut restarts = 0;
            while !over.load(Ordering::SeqCst) {
                scene.world.on_network(|| {
                    scene.devices[0].simulator().power_off();
                    scene.devices[0].simulator().power_on();
                });
                restarts += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
            restarts
        });
        let signed = sign_all(&scene);
        over.store(true, Ordering::SeqCst);
        (signed, restarting.join().unwrap())
    });
    assert_eq!(signed, SIGNATURES);
    assert!(restarts > 2, "{restarts}");
    let events = scene.events();
    assert_eq!(count(&events, Event::Release), SIGNATURES);
    let asked = SIGNATURES + count(&events, Event::Attempt);
    let made = scene.uses().iter().sum::<u64>() - before;
    // What was made and lost stands in the records as an attempt.
    assert!(
        (SIGNATURES as u64..=asked as u64).contains(&made),
        "{made} of {asked}"
    );
    println!("{restarts} restarts, {signed} signed, {made} made, {asked} recorded");
}
