//! Variations of the configuration.

/// Text of a configuration: lines for each table beside those that every world has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    user: Vec<String>,
    key: Vec<String>,
    input: Option<&'static str>,
    audit: Option<String>,
    back_end: Option<(&'static str, String)>,
}

/// The file with a card's PIN, inside.
pub(crate) const PIN: &str = "/run/signstar/packages.pin";

/// The accounts that have a `[user.NAME]` table: all with the login shell `signstar`.
pub(crate) const USERS: [&str; 2] = ["signer", "second"];

impl Configuration {
    /// Records in a file, everything else as by default.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With a line such as `sessions-max = 2` in `[user.signer]` and `[user.second]`.
    pub(crate) fn user(mut self, line: &str) -> Self {
        self.user.push(line.to_owned());
        self
    }

    /// With a line such as `hash = "sha256"` in `[key.packages]`.
    pub(crate) fn key(mut self, line: &str) -> Self {
        self.key.push(line.to_owned());
        self
    }

    /// With `lines` as the whole of `[audit]`, subtables included.
    pub(crate) fn audit(mut self, lines: &str) -> Self {
        self.audit = Some(lines.to_owned());
        self
    }

    /// With the key on the card `ident` and its PIN in [`PIN`].
    pub(crate) fn on_card(self, ident: &str) -> Self {
        self.back_end("smartcard", &format!("card = \"{ident}\"\npin = \"{PIN}\""))
    }

    /// With another back end and the lines of its table.
    pub(crate) fn back_end(mut self, name: &'static str, lines: &str) -> Self {
        self.back_end = Some((name, lines.to_owned()));
        self
    }

    /// With artifacts of another kind than any.
    pub(crate) fn input(mut self, kind: &'static str) -> Self {
        self.input = Some(kind);
        self
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let file = "sink = \"file\"\n[audit.file]\npath = \"/run/signstar/audit.log\"";
        let audit = self.audit.as_deref().unwrap_or(file);
        let mut text = format!("version = 1\n\n[audit]\n{audit}\n");
        for user in USERS {
            let lines = self.user.join("\n");
            text += &format!("\n[user.{user}]\nkey = \"packages\"\n{lines}\n");
        }
        let software = "secret-key = \"/etc/signstar/packages.secret.pgp\"";
        let software = ("software", software.to_owned());
        let (name, table) = self.back_end.as_ref().unwrap_or(&software);
        text + &format!(
            "\n[key.packages]\nback-end = \"{name}\"\ninput = \"{}\"\n\
             certificate = \"/etc/signstar/packages.pgp\"\n{}\n\n\
             [key.packages.{name}]\n{table}\n",
            self.input.unwrap_or("any"),
            self.key.join("\n")
        )
    }
}
