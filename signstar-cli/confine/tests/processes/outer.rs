//! A filter outside: makes one system call of a probe fail, or only pretend to have worked.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use signstar_confine::{Arch, Syscall};

/// A system call that fails: `name:errno`, or `name:errno:argument:value` when only that argument
/// makes it fail, where the value `some` is anything but zero. Errno 0 pretends success.
pub(crate) fn exec_under(fault: &str, rest: &[&str]) -> ExitCode {
    seccompiler::apply_filter(&program(fault)).unwrap();
    let error = Command::new(env::current_exe().unwrap())
        .arg("probe")
        .args(rest)
        .exec();
    panic!("start probe: {error}");
}

fn program(fault: &str) -> BpfProgram {
    let parts: Vec<&str> = fault.split(':').collect();
    let number = Syscall::named(parts[0], Arch::NATIVE).unwrap().number;
    let errno: u32 = parts[1].parse().unwrap();
    let rules = match parts.get(2..) {
        Some([argument, value]) => {
            let (operator, value) = match *value {
                "some" => (SeccompCmpOp::Ne, 0),
                value => (SeccompCmpOp::Eq, value.parse().unwrap()),
            };
            let argument = argument.parse().unwrap();
            let condition =
                SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value).unwrap();
            vec![SeccompRule::new(vec![condition]).unwrap()]
        }
        _ => vec![],
    };
    let target = match Arch::NATIVE {
        Arch::X86_64 => TargetArch::x86_64,
        Arch::Aarch64 => TargetArch::aarch64,
    };
    SeccompFilter::new(
        BTreeMap::from([(number, rules)]),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        target,
    )
    .unwrap()
    .try_into()
    .unwrap()
}
