//! The options of sshd that docs/sshd.md asks for, as a table.

use super::SHELL;
use super::effective::Effective;
use crate::finding::{Findings, Weight};

/// What must hold for each account that signs.
struct Rule {
    holds: fn(&Effective) -> bool,
    weight: Weight,
    /// What is the case otherwise.
    sentence: &'static str,
    /// What to do about it.
    mend: &'static str,
}

/// In the order of the block in docs/sshd.md, then what stands outside of it.
const RULES: [Rule; 16] = [
    Rule {
        holds: |sshd| sshd.get("forcecommand") == SHELL,
        weight: Weight::Problem,
        sentence: "signstar is not the forced command",
        mend: "write `ForceCommand /usr/bin/signstar`",
    },
    Rule {
        holds: |sshd| sshd.get("disableforwarding") == "yes",
        weight: Weight::Problem,
        sentence: "connections may be forwarded",
        mend: "write `DisableForwarding yes`",
    },
    Rule {
        holds: |sshd| sshd.get("permittty") == "no",
        weight: Weight::Problem,
        sentence: "a client may have a terminal",
        mend: "write `PermitTTY no`",
    },
    Rule {
        holds: |sshd| sshd.get("permituserrc") == "no",
        weight: Weight::Problem,
        sentence: "a file of the account is run by a shell",
        mend: "write `PermitUserRC no`",
    },
    Rule {
        holds: |sshd| {
            let mut lists = sshd.words("authenticationmethods").peekable();
            lists.peek().is_some() && lists.all(|list| list.split(',').all(is_public_key))
        },
        weight: Weight::Problem,
        sentence: "other methods than a public key authenticate",
        mend: "write `AuthenticationMethods publickey`",
    },
    Rule {
        holds: |sshd| sshd.get("exposeauthinfo") == "yes",
        weight: Weight::Problem,
        sentence: "sshd does not say which key has authenticated",
        mend: "write `ExposeAuthInfo yes`, without which every request is refused",
    },
    Rule {
        holds: |sshd| sshd.words("authorizedkeyscommand").next().is_none(),
        weight: Weight::Problem,
        sentence: "a program decides who may ask",
        mend: "write `AuthorizedKeysCommand none`, since what it answers cannot be checked here",
    },
    Rule {
        holds: |sshd| sshd.words("authorizedprincipalscommand").next().is_none(),
        weight: Weight::Problem,
        sentence: "a program decides which certificates may ask",
        mend: "write `AuthorizedPrincipalsCommand none`, since what it answers cannot be checked here",
    },
    Rule {
        holds: |sshd| sshd.words("chrootdirectory").next().is_none(),
        weight: Weight::Problem,
        sentence: "sessions have another root folder",
        mend: "write `ChrootDirectory none`, since signstar is not in there",
    },
    Rule {
        holds: |sshd| sshd.get("maxsessions") == "1",
        weight: Weight::Advice,
        sentence: "one connection carries several sessions",
        mend: "write `MaxSessions 1`, or note why there are more",
    },
    Rule {
        holds: |sshd| {
            let set = |option| !["", "0"].contains(&sshd.get(option));
            set("clientaliveinterval") && set("clientalivecountmax")
        },
        weight: Weight::Advice,
        sentence: "a client that has vanished is not noticed",
        mend: "write `ClientAliveInterval 15` and `ClientAliveCountMax 3`",
    },
    // What a Match block cannot take back.
    Rule {
        holds: |sshd| sshd.get("permituserenvironment") == "no",
        weight: Weight::Problem,
        sentence: "files of the account set variables",
        mend: "write `PermitUserEnvironment no` above every Match block",
    },
    Rule {
        holds: |sshd| sshd.words("subsystem").next().is_none(),
        weight: Weight::Advice,
        sentence: "sshd offers subsystems",
        mend: "remove `Subsystem`, or give the account an sshd of its own",
    },
    Rule {
        holds: |sshd| sshd.get("strictmodes") == "yes",
        weight: Weight::Problem,
        sentence: "sshd does not mind who can change its files of keys",
        mend: "write `StrictModes yes`",
    },
    Rule {
        holds: |sshd| !["QUIET", "FATAL", "ERROR"].contains(&sshd.get("loglevel")),
        weight: Weight::Advice,
        sentence: "sshd does not log who has come",
        mend: "write `LogLevel INFO` or `LogLevel VERBOSE`",
    },
    Rule {
        holds: |sshd| sshd.get("logingracetime") != "0",
        weight: Weight::Advice,
        sentence: "clients have all the time that they like to authenticate",
        mend: "write `LoginGraceTime 30`",
    },
];

fn is_public_key(method: &str) -> bool {
    method == "publickey"
}

/// Adds a finding for every rule that does not hold for `user`.
pub(super) fn check(findings: &mut Findings, user: &str, sshd: &Effective) {
    for rule in &RULES {
        if !(rule.holds)(sshd) {
            let text = format!("{}: {}", rule.sentence, rule.mend);
            findings.add_for(user, rule.weight, text);
        }
    }
}
