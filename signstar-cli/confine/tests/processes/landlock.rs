//! Landlock alone, without the filter.

use std::process::Command;

use crate::child::{end_of, probe};
use crate::raw::number;
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(files_and_ports_are_out_of_reach_but_the_one_that_is_given),
        claim(landlock_refuses_a_second_thread),
    ]
}

fn files_and_ports_are_out_of_reach_but_the_one_that_is_given() {
    let end = end_of(&mut probe(&["reach"])).expect_success();
    let says = |line: &str| end.stdout.lines().any(|said| said == line);
    let everything = [
        "open",
        "write",
        "list",
        "allowed port",
        "other port",
        "bind",
        "abstract socket",
        "open file",
    ];
    for what in everything {
        assert!(
            says(&format!("before {what}: ok")),
            "control {what}: {end:?}"
        );
    }
    for what in ["open", "write", "list", "other port", "bind"] {
        assert!(
            says(&format!("after {what}: permission denied")),
            "{what}: {end:?}"
        );
    }
    for what in ["allowed port", "open file"] {
        assert!(says(&format!("after {what}: ok")), "{what}: {end:?}");
    }
    let kernel = kernel_abi();
    let abi = match kernel {
        6..=8 => 6,
        9.. => 9,
        older => older,
    };
    assert!(
        says(&format!("abi: {abi}")),
        "the kernel has {kernel}: {end:?}"
    );
    assert_eq!(
        says("after abstract socket: permission denied"),
        abi >= 6,
        "{end:?}"
    );
}

/// The Landlock ABI of this kernel: what `landlock_create_ruleset(NULL, 0, 1)` returns.
fn kernel_abi() -> u8 {
    let ask = format!(
        "print syscall({}, 0, 0, 1)",
        number("landlock_create_ruleset")
    );
    let output = Command::new("perl").args(["-e", &ask]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

fn landlock_refuses_a_second_thread() {
    end_of(&mut probe(&["landlock-with-thread"])).expect_error("2 threads are running");
}
