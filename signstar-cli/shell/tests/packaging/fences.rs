//! What stands around login shell and sshd: packet filter, AppArmor, and the drop-in for one sshd.

use std::process::Command;

use crate::place::{run, text, Place};

const NFT: &str = "nftables/signstar.nft";
const PROFILE: &str = "apparmor/usr.bin.signstar";

/// Loads rules into a network of their own, and says what the kernel has then.
fn load(place: &Place, rules: &str) -> std::process::Output {
    place.put("rules.nft", rules);
    let script = "mount --bind \"$1/etc/passwd\" /etc/passwd
        /usr/sbin/nft -f \"$1/rules.nft\"
        /usr/sbin/nft -f \"$1/rules.nft\"
        /usr/sbin/nft --numeric list ruleset";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--propagation", "private", "--"])
        .args(["sh", "-eu", "-c", script, "sh"])
        .arg(place.folder());
    command.output().expect("unshare starts")
}

#[test]
fn the_kernel_takes_the_rules_for_packets_twice() {
    let place = Place::new();
    let loaded = load(&place, &text(NFT));
    let said = String::from_utf8_lossy(&loaded.stdout).into_owned();
    assert!(loaded.status.success(), "{loaded:?}");
    let signer = place.number("etc/passwd", "signer");
    for rule in [
        "tcp dport 2222 ip saddr @clients4 accept".to_owned(),
        format!("meta skuid {signer} ip daddr @hsms4 tcp dport 443 accept"),
        format!("meta skuid {signer} ip6 daddr @hsms6 tcp dport 443 accept"),
    ] {
        assert_eq!(said.matches(&rule).count(), 1, "{rule}: {said}");
    }
    let wrong = text(NFT).replace("dport 2222 counter drop", "dport 2222 counter refuse");
    assert!(!load(&place, &wrong).status.success());
}

/// Who is not on the list does not reach the port; who is, does.
#[test]
fn the_rules_for_packets_let_in_whom_they_name() {
    let place = Place::new();
    place.put("rules.nft", &text(NFT));
    let script = r#"
        mount --bind "$1/etc/passwd" /etc/passwd
        ip link set lo up
        ip address add 192.0.2.5/32 dev lo
        ip address add 203.0.113.5/32 dev lo
        systemd-socket-activate --accept --inetd --listen 2222 /bin/echo reached 2>/dev/null &
        server=$!
        trap 'kill $server' EXIT
        ask() {
            perl -MIO::Socket::INET -e '
                for (1 .. 500) {
                    my $socket = IO::Socket::INET->new(
                        LocalAddr => $ARGV[0], PeerAddr => "203.0.113.5:2222", Timeout => 1);
                    if ($socket) { print "$ARGV[0] ", scalar <$socket>; exit }
                    last if $ARGV[1];
                    select undef, undef, undef, 0.01;
                }
                print "$ARGV[0] kept out\n"' "$@"
        }
        ask 203.0.113.5
        /usr/sbin/nft -f "$1/rules.nft"
        ask 192.0.2.5
        ask 203.0.113.5 once
    "#;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
        .args([
            "--propagation",
            "private",
            "--",
            "sh",
            "-eu",
            "-c",
            script,
            "sh",
        ])
        .arg(place.folder());
    assert_eq!(
        run(&mut command),
        "203.0.113.5 reached\n192.0.2.5 reached\n203.0.113.5 kept out\n"
    );
}

/// The account reaches the HSMs that are named, of both kinds, and nothing else.
#[test]
fn the_rules_for_packets_let_out_to_whom_they_name() {
    let place = Place::new();
    let rules = text(NFT).replace("# elements", "elements");
    assert_ne!(rules, text(NFT));
    place.put("rules.nft", &rules);
    let script = r#"
        mount --bind "$1/etc/passwd" /etc/passwd
        ip link set lo up
        ip address add 198.51.100.7/32 dev lo
        ip address add 203.0.113.5/32 dev lo
        ip address add 2001:db8:2::7/128 dev lo nodad
        ip address add 2001:db8:3::7/128 dev lo nodad
        ask() {
            # Nobody listens: what gets through is refused, what does not waits in vain.
            setpriv --reuid signer --clear-groups perl -MIO::Socket::IP -e '
                for (@ARGV) {
                    IO::Socket::IP->new(PeerHost => $_, PeerPort => 443, Timeout => 1);
                    print "$_ ", ($!{ECONNREFUSED} ? "reached" : "kept in"), "\n";
                }' 198.51.100.7 203.0.113.5 2001:db8:2::7 2001:db8:3::7
        }
        ask
        /usr/sbin/nft -f "$1/rules.nft"
        ask
    "#;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--propagation", "private", "--"])
        .args(["sh", "-eu", "-c", script, "sh"])
        .arg(place.folder());
    assert_eq!(
        run(&mut command),
        "198.51.100.7 reached\n203.0.113.5 reached\n2001:db8:2::7 reached\n2001:db8:3::7 reached\n\
         198.51.100.7 reached\n203.0.113.5 kept in\n2001:db8:2::7 reached\n2001:db8:3::7 kept in\n"
    );
}

/// Reads a profile without loading it. Whether it fits the login shell, the tests `fence` say.
fn parse(place: &Place, profile: &str) -> std::process::Output {
    place.put("profile", profile);
    let mut parser = Command::new("/usr/sbin/apparmor_parser");
    parser.args(["--skip-kernel-load", "--skip-cache", "--skip-read-cache"]);
    parser
        .arg(place.path("profile"))
        .output()
        .expect("apparmor_parser starts (package apparmor)")
}

#[test]
fn the_profile_for_apparmor_is_one() {
    let place = Place::new();
    let parsed = parse(&place, &text(PROFILE));
    assert!(parsed.status.success(), "{parsed:?}");
    let wrong = text(PROFILE).replace("/etc/passwd r,", "/etc/passwd q,");
    assert!(!parse(&place, &wrong).status.success());
}

#[test]
fn the_drop_in_for_one_sshd_has_the_documented_block() {
    let documented = include_str!("../../../../docs/sshd.md");
    let block = documented
        .split("```\n")
        .find(|block| block.starts_with("Match "))
        .unwrap();
    let drop_in = text("sshd/50-signstar.conf");
    assert!(drop_in.contains(block), "{drop_in}");
    assert!(drop_in.ends_with(&format!("{block}Match all\n")));
}
