//! Records that begin with a client: the version, the part of the library that can read them, and all of it.

use alloc::string::String;

use super::super::record::{Reader, Stored};
use super::super::{resource, text, url};
use super::{Client, Part};

/// The version of stored clients.
const VERSION: &str = "1";

impl Client {
    /// All of it for another page.
    pub fn to_record(&self) -> String {
        let mut out = self.new_record();
        self.store(&mut out);
        out
    }

    /// Reads a record; what cannot be read is absent.
    pub fn from_record(record: &str) -> Option<Client> {
        let mut reader = Client::record_fields(record)?;
        let client = reader.load()?;
        (reader.rest() == Some("")).then_some(client)
    }

    /// How every record of a client's begins: the version, and the letter of the [`Part`] that can read it.
    pub(in crate::protocol) fn new_record(&self) -> String {
        text::concat(&[VERSION, self.part().letter()])
    }

    /// Whether a record still says what a client can: `returnTo` stays on the page's own origin (RFC 9700 section
    /// 4.11.1), and no secret goes where it can be read. Whoever can change a record can do worse; this costs nothing.
    pub(in crate::protocol) fn is_sound(&self, origin: &str) -> bool {
        let token = self.token_endpoint();
        let mut servers = self.resource_servers.iter();
        self.return_to()
            .is_none_or(|path| url::check_return_to(path, origin).is_ok())
            && (token.is_empty() || url::check("", token, false).is_ok())
            && servers.all(|server| resource::check_server(server).is_ok())
    }

    /// What stands behind the version and the part.
    pub(in crate::protocol) fn record_fields(record: &str) -> Option<Reader<'_>> {
        let rest = record.strip_prefix(VERSION)?;
        let mut parts = [Part::Session, Part::Full].iter();
        parts.find_map(|part| rest.strip_prefix(part.letter()).map(Reader::new))
    }
}
