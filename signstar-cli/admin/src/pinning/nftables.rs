//! What rules of nftables say of an account, as far as the packaged example goes.
//!
//! Sets with their elements, and rules of chains with `hook output` that name an account by `meta skuid`
//! and end with `accept` or `drop`. Rules that are written otherwise say nothing here, so what they accept
//! is reported as not accepted: `nft -c -f` and a look at the rules are for those.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::prefix::Prefix;

/// The rules that name accounts.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

/// A rule that names an account.
#[derive(Debug)]
struct Rule {
    account: String,
    /// Where to; everywhere, when absent.
    to: Option<Vec<Prefix>>,
    port: Option<u16>,
    /// Answers on connections that others have made.
    answers: bool,
    accepts: bool,
}

impl Rules {
    /// Reads a file of rules.
    pub(super) fn read(text: &str) -> Self {
        let plain: Vec<&str> = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim())
            .collect();
        let sets = sets(&plain.join(" "));
        let mut rules = Vec::new();
        let mut is_output = false;
        for line in plain {
            if line.starts_with("chain ") {
                is_output = false;
            }
            is_output |= line.contains("hook output");
            rules.extend(
                Some(line)
                    .filter(|_| is_output)
                    .and_then(|line| rule(line, &sets)),
            );
        }
        Self(rules)
    }

    /// Whether what is not accepted for `account` is dropped.
    pub(super) fn drops(&self, account: &str) -> bool {
        let everything = |rule: &Rule| rule.to.is_none() && rule.port.is_none() && !rule.answers;
        let mut own = self.of(account).filter(|rule| everything(rule));
        own.next().is_some_and(|rule| !rule.accepts)
    }

    /// Whether `account` may connect to `at`.
    pub(super) fn accepts(&self, account: &str, at: SocketAddr) -> bool {
        let fits = |rule: &Rule| {
            let to = rule.to.as_ref();
            !rule.answers
                && rule.port.is_none_or(|port| port == at.port())
                && to.is_none_or(|to| to.iter().any(|prefix| prefix.holds(at.ip())))
        };
        let mut own = self.of(account).filter(|rule| fits(rule));
        own.next().is_some_and(|rule| rule.accepts)
    }

    /// What `account` may connect to beside `known`.
    pub(super) fn more_than(&self, account: &str, known: &[SocketAddr]) -> Vec<Prefix> {
        let accepting = self.of(account).filter(|rule| rule.accepts);
        let all = accepting.filter_map(|rule| rule.to.as_ref()).flatten();
        all.filter(|prefix| !known.iter().any(|at| Prefix::only(at.ip()) == **prefix))
            .copied()
            .collect()
    }

    fn of(&self, account: &str) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(move |rule| rule.account == account)
    }
}

/// The sets of addresses, by name.
fn sets(text: &str) -> BTreeMap<String, Vec<Prefix>> {
    let mut sets = BTreeMap::new();
    for part in text.split("set ").skip(1) {
        let Some((name, rest)) = part.split_once('{') else {
            continue;
        };
        // Another table or chain may begin before this one has elements.
        let elements = rest
            .split_once("elements")
            .and_then(|(_, rest)| rest.split_once('{'))
            .and_then(|(_, rest)| rest.split_once('}'))
            .map_or("", |(elements, _)| elements);
        sets.insert(name.trim().to_owned(), addresses(elements));
    }
    sets
}

fn addresses(text: &str) -> Vec<Prefix> {
    text.split(',')
        .filter_map(|word| Prefix::read(word.trim()))
        .collect()
}

fn rule(line: &str, sets: &BTreeMap<String, Vec<Prefix>>) -> Option<Rule> {
    let after = |word: &str| line.split_once(word).map(|(_, rest)| rest.trim_start());
    let account = after("skuid ")?;
    let account = account.split_whitespace().next()?.trim_matches('"');
    let words: Vec<&str> = line.split_whitespace().collect();
    let accepts = match (
        words.contains(&"accept"),
        words.contains(&"drop") || words.contains(&"reject"),
    ) {
        (true, false) => true,
        (false, true) => false,
        _ => return None,
    };
    let to = after("daddr ").map(|rest| match rest.strip_prefix('{') {
        Some(list) => addresses(list.split('}').next().unwrap_or_default()),
        None => {
            let word = rest.split_whitespace().next().unwrap_or_default();
            match word.strip_prefix('@') {
                Some(name) => sets.get(name).cloned().unwrap_or_default(),
                None => addresses(word),
            }
        }
    });
    // A port that is not one number is none that anything is at.
    let port = after("dport ").map(|rest| {
        let word = rest.split_whitespace().next().unwrap_or_default();
        word.parse().unwrap_or(0)
    });
    Some(Rule {
        account: account.to_owned(),
        to,
        port,
        answers: words.contains(&"ct"),
        accepts,
    })
}
