//! What signing is like through a real sshd.

#[path = "support/lib.rs"]
mod support;

use support::World;

#[test]
fn a_started_shell_signs_and_records() {
    let world = World::new();
    let outcome = world.shell().run(b"artifact");
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    assert_eq!(world.audit().len(), 2);
}
