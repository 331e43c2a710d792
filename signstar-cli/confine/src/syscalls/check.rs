//! The tables against the numbers of the C library, while compiling: a wrong number does not build.
//!
//! Only the table of the architecture compiled for can be compared, so each is when it is needed.

use super::Arch;
use super::common::COMMON;

const _: () = {
    let mut rest: &[(&str, i64)] = EXPECTED;
    while let [(name, number), others @ ..] = rest {
        assert!(
            has(Arch::NATIVE.own(), name, *number) || has(COMMON, name, *number),
            "a system call number is wrong"
        );
        rest = others;
    }
};

/// The calls of the shell, and those that back ends are likely to add.
const EXPECTED: &[(&str, i64)] = &[
    ("read", libc::SYS_read),
    ("write", libc::SYS_write),
    ("close", libc::SYS_close),
    #[cfg(target_arch = "x86_64")]
    ("poll", libc::SYS_poll),
    ("ppoll", libc::SYS_ppoll),
    ("mmap", libc::SYS_mmap),
    ("munmap", libc::SYS_munmap),
    ("mremap", libc::SYS_mremap),
    ("mprotect", libc::SYS_mprotect),
    ("madvise", libc::SYS_madvise),
    ("brk", libc::SYS_brk),
    ("futex", libc::SYS_futex),
    ("getrandom", libc::SYS_getrandom),
    ("clock_gettime", libc::SYS_clock_gettime),
    ("clock_nanosleep", libc::SYS_clock_nanosleep),
    ("nanosleep", libc::SYS_nanosleep),
    ("sigaltstack", libc::SYS_sigaltstack),
    ("rt_sigreturn", libc::SYS_rt_sigreturn),
    ("restart_syscall", libc::SYS_restart_syscall),
    ("exit", libc::SYS_exit),
    ("exit_group", libc::SYS_exit_group),
    ("connect", libc::SYS_connect),
    ("sendto", libc::SYS_sendto),
    ("recvfrom", libc::SYS_recvfrom),
    ("sendmsg", libc::SYS_sendmsg),
    ("recvmsg", libc::SYS_recvmsg),
    ("shutdown", libc::SYS_shutdown),
    ("getsockopt", libc::SYS_getsockopt),
    ("setsockopt", libc::SYS_setsockopt),
    ("getsockname", libc::SYS_getsockname),
    ("getpeername", libc::SYS_getpeername),
    ("readv", libc::SYS_readv),
    ("writev", libc::SYS_writev),
    ("fsync", libc::SYS_fsync),
    ("fdatasync", libc::SYS_fdatasync),
    ("flock", libc::SYS_flock),
    ("fcntl", libc::SYS_fcntl),
    ("fstat", libc::SYS_fstat),
    ("ioctl", libc::SYS_ioctl),
    ("lseek", libc::SYS_lseek),
    ("gettid", libc::SYS_gettid),
    ("wait4", libc::SYS_wait4),
    ("waitid", libc::SYS_waitid),
];

const fn has(table: &[(&str, i64)], name: &str, number: i64) -> bool {
    let mut rest = table;
    while let [(other, other_number), others @ ..] = rest {
        if *other_number == number {
            return same(name.as_bytes(), other.as_bytes());
        }
        rest = others;
    }
    false
}

const fn same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}
