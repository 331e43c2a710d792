//! x
use signstar_tpm::provision::Algorithm;

use crate::scene::{Scene, INPUT};
use crate::traced::{calls_of_strace, traced};

#[test]
fn tracing() {
    let scene = Scene::with(Algorithm::P256);
    let outcome = traced(scene.world.shell()).run(INPUT);
    println!("{outcome:?}");
    for line in scene.world.audit_lines() {
        println!("{line}");
    }
    for call in calls_of_strace(&scene.world) {
        println!("{} {:x?}", call.name, call.arguments);
    }
    panic!()
}
