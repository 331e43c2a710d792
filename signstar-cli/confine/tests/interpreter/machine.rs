//! The machine that a filter is a program for: classic BPF over what the kernel says of a call.

use signstar_confine::{Arch, Instruction, OpenFds};

pub(crate) const ALLOW: u32 = 0x7fff_0000;
pub(crate) const KILL_PROCESS: u32 = 0x8000_0000;

/// ERRNO with ENOSYS.
pub(crate) const NO_SUCH_CALL: u32 = 0x0005_0000 | 38;

pub(crate) const AUDIT_ARCH_I386: u32 = 0x4000_0003;
pub(crate) const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
pub(crate) const AUDIT_ARCH_ARM: u32 = 0x4000_0028;
pub(crate) const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;

pub(crate) const ARCHITECTURES: [(Arch, u32); 2] = [
    (Arch::X86_64, AUDIT_ARCH_X86_64),
    (Arch::Aarch64, AUDIT_ARCH_AARCH64),
];

/// What the kernel hands to a filter: `struct seccomp_data`, as 32-bit words.
pub(crate) fn seccomp_data(architecture: u32, number: u32, arguments: [u64; 6]) -> [u32; 16] {
    let mut words = [0; 16];
    words[0] = number;
    words[1] = architecture;
    for (index, argument) in arguments.into_iter().enumerate() {
        words[4 + 2 * index] = u32::try_from(argument & 0xffff_ffff).unwrap();
        words[5 + 2 * index] = u32::try_from(argument >> 32).unwrap();
    }
    words
}

/// Classic BPF, as far as filters need it. Anything else, such as a jump out of the program, fails.
pub(crate) fn interpret(program: &[Instruction], data: &[u32; 16]) -> u32 {
    let mut accumulator = 0;
    let mut next = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[next].clone();
        next += 1;
        let jump = |taken| usize::from(if taken { jt } else { jf });
        match code {
            0x20 => {
                assert_eq!(k % 4, 0, "unaligned load");
                accumulator = data[usize::try_from(k / 4).unwrap()];
            }
            0x54 => accumulator &= k,
            0x05 => next += usize::try_from(k).unwrap(),
            0x15 => next += jump(accumulator == k),
            0x25 => next += jump(accumulator > k),
            0x35 => next += jump(accumulator >= k),
            0x06 => return k,
            _ => panic!("instruction {code:#x}"),
        }
    }
}

/// A log on a descriptor.
pub(crate) fn log() -> OpenFds {
    OpenFds { log: Some(7) }
}
