//! One key on several devices: each attempt is recorded before it is made.

use signstar_core::{Event, Field};
use signstar_nethsm_simulator::Fault;

use crate::scene::{waits, Scene, INPUT, SIGN};
use crate::support::Configuration;

#[test]
fn the_next_device_is_asked_after_a_recorded_attempt() {
    let scene = Scene::replicas(3);
    let before = scene.uses();
    for device in &scene.devices[..2] {
        let fault = Fault::Status(503, String::new());
        device.simulator().fail_next(Some(SIGN), fault, 1);
    }
    scene.world.shell().run(INPUT).success();
    let [intent, attempt, release] = [Event::Intent, Event::Attempt, Event::Release];
    assert_eq!(scene.events(), [intent, attempt, attempt, release]);
    let records = scene.world.audit();
    for (record, label) in records[1..3].iter().zip(["first", "second"]) {
        assert!(record.get(Field::Detail).unwrap().starts_with(label));
        assert_eq!(record.get(Field::Input), records[0].get(Field::Input));
    }
    assert_eq!(scene.uses(), [before[0], before[1], before[2] + 1]);
}

/// It has signed and said nothing: that is in the records, and so is the second signature.
#[test]
fn a_signature_that_was_lost_is_not_made_again_unrecorded() {
    let scene = Scene::replicas(2);
    let before = scene.uses();
    scene.devices[0]
        .simulator()
        .fail_next(Some(SIGN), Fault::CloseAfter, 1);
    scene.world.shell().run(INPUT).success();
    let made = scene.uses().iter().sum::<u64>() - before.iter().sum::<u64>();
    let asked = |event: &&Event| matches!(event, Event::Intent | Event::Attempt);
    let recorded = scene.events().iter().filter(asked).count();
    assert_eq!((made, recorded), (2, 2));
}

#[test]
fn two_of_three_devices_may_be_down_and_no_more() {
    let scene = Scene::replicas(3);
    scene.world.on_network(|| {
        scene.devices[0].simulator().power_off();
        scene.devices[2].simulator().power_off();
    });
    scene.world.shell().run(INPUT).success();
    assert_eq!(scene.events(), [Event::Intent, Event::Release]);
    scene
        .world
        .on_network(|| scene.devices[1].simulator().power_off());
    let outcome = scene.world.shell().run(INPUT);
    assert_eq!((outcome.code(), outcome.stdout.len()), (69, 0));
}

#[test]
fn sessions_in_turn_use_all_devices() {
    let scene = Scene::replicas(3);
    scene.configure(Configuration::new(), "order = \"round-robin\"");
    let before = scene.uses();
    for _ in 0..24 {
        scene.world.shell().run(INPUT).success();
    }
    let made: Vec<u64> = scene
        .uses()
        .iter()
        .zip(before)
        .map(|(now, then)| now - then)
        .collect();
    assert_eq!(made.iter().sum::<u64>(), 24);
    // By chance none is left out once in five thousand times.
    assert!(made.iter().all(|made| *made > 0), "{made:?}");
}

/// A device goes during the upload, with the connection that the key was read by.
#[test]
fn a_device_that_goes_during_the_upload_is_replaced() {
    let scene = Scene::replicas(2);
    let mut running = scene.world.shell().start();
    let before = scene.uses();
    let first = scene.devices[0].simulator();
    crate::support::until("the enclave waits for its input", || waits(running.id()));
    scene.world.on_network(|| first.power_off());
    running.send(INPUT);
    running.outcome().success();
    assert_eq!(
        scene.events(),
        [Event::Intent, Event::Attempt, Event::Release]
    );
    assert_eq!(scene.uses(), [before[0], before[1] + 1]);
}
