//! JSON (RFC 8259), read strictly and written plainly.
//!
//! Token answers are read here and not by the page's `JSON.parse`, so that a token never becomes a
//! JavaScript string on its way in, and so that native tests run the very reader that browsers run.
//! Stricter than the RFC where leniency helps an attacker: a repeated member, more than 32 levels,
//! more than 256 members, more than 20,000 values and anything after the value are errors. A byte order mark before it
//! is passed over, as `Response.json()` does.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

const MAX_DEPTH: usize = 32;
const MAX_MEMBERS: usize = 256;
/// What an application keeps for itself may be deeper, and may have as many members as values.
const MAX_OWN_DEPTH: usize = 256;
/// Values of a whole document: a million of the smallest fit into the largest response, and each takes its time.
const MAX_VALUES: usize = 20_000;
/// The largest whole number that JavaScript's numbers tell from its neighbours: 2^53 - 1.
const MAX_SAFE_INTEGER: &str = "9007199254740991";

/// The members of an object, in order.
pub type Members = Vec<(String, Json)>;

/// One JSON value. Numbers keep their text: no precision is lost and no float code is linked.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Members),
}

impl Json {
    /// Reads one document. `None` says it is not JSON as above; where and why would quote the input.
    pub fn parse(text: &[u8]) -> Option<Json> {
        Json::read(text, false)
    }

    /// The same of what the page itself has written by `JSON.stringify`: whatever an application may want to have back.
    pub fn parse_own(text: &[u8]) -> Option<Json> {
        Json::read(text, true)
    }

    fn read(text: &[u8], own: bool) -> Option<Json> {
        let mut reader = Reader {
            rest: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            left: MAX_VALUES,
            own,
        };
        let value = reader.value(0)?;
        reader.space();
        match reader.rest {
            [] => Some(value),
            _ => wiped(value),
        }
    }

    /// The member called `name`, if this is an object that has it and it is not `null`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(key, value)| key == name && !value.is_null())
            .map(|(_, value)| value)
    }

    /// Comparing values with each other is more code than this.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        let Json::Object(members) = self else {
            return None;
        };
        let found = members.iter_mut().find(|(key, _)| key == name)?;
        Some(&mut found.1)
    }

    /// The names of the members.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Json::Object(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Takes the member called `name` out, so that a secret is moved and not copied.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let Json::Object(members) = self else {
            return None;
        };
        let at = members.iter().position(|(key, _)| key == name)?;
        Some(members.remove(at).1).filter(|value| !value.is_null())
    }

    /// Adds the members of `other` that this object lacks.
    pub fn fill(&mut self, other: Json) {
        let (Json::Object(members), Json::Object(other)) = (self, other) else {
            return;
        };
        for (name, value) in other {
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, said)) if said.is_null() => *said = value,
                Some(_) => {}
                None => members.push((name, value)),
            }
        }
    }

    /// The text of a JSON string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of the string member called `name`.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Whether the member called `name` is `true`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Json::Bool(true)))
    }

    /// The texts of an array; what is no text is passed over.
    pub fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if let Json::Array(items) = self {
            for item in items {
                if let Json::String(text) = item {
                    texts.push(text.clone());
                }
            }
        }
        texts
    }

    /// A number that is not negative and has 32 bits; a fraction is cut off.
    pub fn as_u32(&self) -> Option<u32> {
        match self {
            Json::Number(text) => whole(text)?.try_into().ok(),
            _ => None,
        }
    }

    /// Turns whole numbers into texts that JavaScript's numbers would change, wherever they stand.
    pub fn keep_exact(&mut self) {
        match self {
            Json::Number(text) if is_unsafe_integer(text) => {
                *self = Json::String(core::mem::take(text));
            }
            Json::Array(items) => items.iter_mut().for_each(Json::keep_exact),
            Json::Object(members) => {
                members.iter_mut().for_each(|(_, value)| value.keep_exact());
            }
            _ => {}
        }
    }

    /// Appends this value as JSON text.
    pub fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => write_string(text, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// More bytes than its text has.
    pub fn size(&self) -> usize {
        match self {
            // An escape is six bytes.
            Json::String(text) => 6 * text.len() + 3,
            Json::Number(text) => text.len() + 1,
            Json::Array(items) => items.iter().map(Json::size).sum::<usize>() + 2,
            Json::Object(members) => {
                let size = |(name, value): &(String, Json)| 6 * name.len() + 4 + value.size();
                members.iter().map(size).sum::<usize>() + 2
            }
            Json::Null | Json::Bool(_) => 6,
        }
    }

    /// Overwrites every text in it.
    pub fn wipe(&mut self) {
        use zeroize::Zeroize as _;
        match self {
            Json::String(text) | Json::Number(text) => text.zeroize(),
            Json::Array(items) => items.iter_mut().for_each(Json::wipe),
            Json::Object(members) => members.iter_mut().for_each(|(name, value)| {
                name.zeroize();
                value.wipe();
            }),
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// This value as JSON text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Builds an object member by member, leaving out what is absent.
#[derive(Default)]
pub struct Object(Members);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any value.
    pub fn value(&mut self, name: &str, value: Json) -> &mut Self {
        self.0.push((String::from(name), value));
        self
    }

    /// Adds a string.
    pub fn str(&mut self, name: &str, value: &str) -> &mut Self {
        self.value(name, Json::String(String::from(value)))
    }

    /// Adds a string that may be absent.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.str(name, value);
        }
        self
    }

    /// Adds a whole number.
    pub fn number(&mut self, name: &str, value: u32) -> &mut Self {
        self.value(name, Json::Number(decimal(value.into())))
    }

    /// Adds a list of strings.
    pub fn list(&mut self, name: &str, items: &[String]) -> &mut Self {
        self.value(name, list(items))
    }

    /// The object.
    pub fn done(&mut self) -> Json {
        Json::Object(core::mem::take(&mut self.0))
    }
}

/// A list of strings.
pub fn list(items: &[String]) -> Json {
    let mut list = Vec::new();
    for item in items {
        list.push(Json::String(item.clone()));
    }
    Json::Array(list)
}

/// A whole number as decimal digits, without the formatting machinery.
pub fn decimal(mut value: u64) -> String {
    let mut text = String::new();
    if value >= 10 {
        text = decimal(value / 10);
        value %= 10;
    }
    text.push(char::from(b'0' + value as u8));
    text
}

/// The whole part of a number as JSON writes it (RFC 8259 section 6): `1.5e3` is 1500. `None` if it is negative or no
/// number; what is larger than 64 bits is their largest.
pub fn whole(text: &str) -> Option<u64> {
    let mark = text.bytes().position(|b| matches!(b, b'e' | b'E'));
    let (mantissa, exponent) = match mark {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, "0"),
    };
    let (digits, fraction) = super::text::cut(mantissa, ".").unwrap_or((mantissa, "0"));
    let (back, exponent) = match exponent.strip_prefix("-") {
        Some(exponent) => (true, exponent),
        None => (false, exponent.strip_prefix("+").unwrap_or(exponent)),
    };
    for part in [digits, fraction, exponent] {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let shift = exponent.bytes().fold(0usize, |sum, b| {
        sum.saturating_mul(10).saturating_add(usize::from(b - b'0'))
    });
    // How many digits stand before the point once it is moved.
    let count = match back {
        true => digits.len().saturating_sub(shift),
        false => digits.len().saturating_add(shift),
    };
    let mut value = 0u64;
    let mut digits = digits.bytes().chain(fraction.bytes());
    for _ in 0..count {
        let next = digits.next();
        if value == 0 && next.is_none() {
            break;
        }
        if value > u64::MAX / 10 - 1 {
            return Some(u64::MAX);
        }
        value = value * 10 + u64::from(next.map_or(0, |b| b - b'0'));
    }
    Some(value)
}

fn is_unsafe_integer(number: &str) -> bool {
    let digits = number.strip_prefix("-").unwrap_or(number);
    let longer = digits.len().cmp(&MAX_SAFE_INTEGER.len());
    longer.then_with(|| digits.cmp(MAX_SAFE_INTEGER)).is_gt()
        && digits.bytes().all(|b| b.is_ascii_digit())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(if c >= '\u{10}' { '1' } else { '0' });
                out.push(HEX.get(c as usize & 15).copied().unwrap_or(b'0').into());
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// What was read of a document that is none: a token may be in it.
fn wiped(mut value: Json) -> Option<Json> {
    value.wipe();
    None
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Values that may still come.
    left: usize,
    /// The page's own text, in which no member stands twice.
    own: bool,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth == if self.own { MAX_OWN_DEPTH } else { MAX_DEPTH } {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        self.space();
        match self.rest.first()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Json::String),
            b't' => self.eat(b"true").map(|()| Json::Bool(true)),
            b'f' => self.eat(b"false").map(|()| Json::Bool(false)),
            b'n' => self.eat(b"null").map(|()| Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        match self.members(depth, &mut members) {
            Some(()) => Some(Json::Object(members)),
            None => wiped(Json::Object(members)),
        }
    }

    fn members(&mut self, depth: usize, members: &mut Members) -> Option<()> {
        self.eat(b"{")?;
        self.space();
        if self.eat(b"}").is_some() {
            return Some(());
        }
        loop {
            self.space();
            let key = self.string()?;
            // Also: comparing each with each takes long where there are many.
            let has = |key: &str| members.iter().any(|(known, _)| known == key);
            if !self.own && (members.len() == MAX_MEMBERS || has(&key)) {
                return None;
            }
            self.space();
            self.eat(b":")?;
            members.push((key, self.value(depth + 1)?));
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        match self.items(depth, &mut items) {
            Some(()) => Some(Json::Array(items)),
            None => wiped(Json::Array(items)),
        }
    }

    fn items(&mut self, depth: usize, items: &mut Vec<Json>) -> Option<()> {
        self.eat(b"[")?;
        self.space();
        if self.eat(b"]").is_some() {
            return Some(());
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let before = self.rest;
        let _ = self.eat(b"-");
        if self.eat(b"0").is_none() {
            self.digits()?;
        }
        if self.eat(b".").is_some() {
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            if let [b'+' | b'-', rest @ ..] = self.rest {
                self.rest = rest;
            }
            self.digits()?;
        }
        let length = before.len() - self.rest.len();
        let text = core::str::from_utf8(before.get(..length)?).ok()?;
        Some(Json::Number(String::from(text)))
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.rest = self.rest.get(count..)?;
        (count > 0).then_some(())
    }

    /// The result is allocated once, at the size of the source: a secret leaves no copy behind.
    fn string(&mut self) -> Option<String> {
        self.eat(b"\"")?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.string_length()?));
        loop {
            match self.next()? {
                b'"' => {
                    core::str::from_utf8(&bytes).ok()?;
                    return String::from_utf8(core::mem::take(&mut *bytes)).ok();
                }
                b'\\' => self.escape(&mut bytes)?,
                0..=0x1f => return None,
                byte => bytes.push(byte),
            }
        }
    }

    fn string_length(&self) -> Option<usize> {
        let mut escaped = false;
        self.rest.iter().position(|&b| {
            let end = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            end
        })
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            same @ (b'"' | b'\\' | b'/') => same,
            b'u' => return self.unicode(bytes),
            _ => return None,
        };
        bytes.push(byte);
        Some(())
    }

    /// A surrogate must come with its pair (RFC 8259 section 8.2 leaves it open; half a character is refused).
    fn unicode(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut code = self.hex()?;
        if (0xd800..0xdc00).contains(&code) {
            self.eat(b"\\u")?;
            let low = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            code = 0x10000 + ((code - 0xd800) << 10) + low;
        }
        let c = char::from_u32(code)?;
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    fn hex(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |sum, _| {
            Some(sum * 16 + char::from(self.next()?).to_digit(16)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn what_is_json_comes_back_as_it_was_written() {
        for text in [
            "null",
            "true",
            "-0.5e+10",
            "\"\"",
            "[]",
            "{}",
            r#"{"a":[1,2,{"b":"c"}],"d":"\"\\\u0001é"}"#,
        ] {
            let value = Json::parse(text.as_bytes()).expect(text);
            assert_eq!(value.text(), text);
        }
    }

    #[test]
    fn escapes_are_read() {
        let value = Json::parse(br#" "\u0041\n\/\ud83d\ude00" "#).expect("a string");
        assert_eq!(value.as_str(), Some("A\n/😀"));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "+1",
            "nul",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "{} {}",
            "'a'",
            "{\"a\" 1}",
            "{\"a\":1,\"a\":2}",
            "NaN",
            "\u{feff}\u{feff}{}",
            "{}\u{feff}",
        ] {
            assert_eq!(Json::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Json::parse(b"\"\xff\""), None);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(Json::parse("[".repeat(100_000).as_bytes()).is_none());
        let deep = |n| "[".repeat(n) + &"]".repeat(n);
        assert!(Json::parse(deep(32).as_bytes()).is_some());
        assert!(Json::parse(deep(33).as_bytes()).is_none());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let value = Json::parse("\u{feff} {\"a\":1}".as_bytes()).expect("JSON");
        assert_eq!(value.text(), r#"{"a":1}"#);
    }

    #[test]
    fn a_number_with_an_exponent_is_the_number_it_is() {
        for (text, number) in [
            ("0", 0),
            ("21600", 21600),
            ("3600.0", 3600),
            ("3600.99", 3600),
            ("1.795725744E9", 1_795_725_744),
            ("1.795725744e+9", 1_795_725_744),
            ("1795725744e0", 1_795_725_744),
            ("17957257440e-1", 1_795_725_744),
            ("0.36e4", 3600),
            ("0.00036E007", 3600),
            ("36e2", 3600),
            ("1.5e0", 1),
            ("15e-2", 0),
            ("15e-99999999999999999999", 0),
            ("0e99999999999999999999", 0),
            ("0.0e9", 0),
            ("9223372036854775", 9_223_372_036_854_775),
            ("99999999999999999999", u64::MAX),
            ("1e309", u64::MAX),
            ("1e99999999999999999999", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
            let json = Json::parse(text.as_bytes()).expect(text);
            assert_eq!(json.as_u32(), number.try_into().ok(), "{text}");
        }
        for text in [
            "", "-1", "-0", ".5", "1.", "1.x", " 1", "e5", "1e", "1e+", "1e-", "1e1.5", "1e5e5",
            "0x10", "NaN", "1E+-2",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(u32::MAX.into()), "4294967295");
        assert_eq!(decimal(u64::MAX), "18446744073709551615");
    }

    #[test]
    fn whole_numbers_that_javascript_would_change_become_texts() {
        let text = r#"{"a":9007199254740991,"b":9007199254740992,"c":[-9007199254740993,{"d":17841405793187217}],"e":1.5,"f":12345678901234567.5,"g":1e300,"h":"x"}"#;
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        json.keep_exact();
        assert_eq!(
            json.text(),
            r#"{"a":9007199254740991,"b":"9007199254740992","c":["-9007199254740993",{"d":"17841405793187217"}],"e":1.5,"f":12345678901234567.5,"g":1e300,"h":"x"}"#
        );
    }

    #[test]
    fn values_without_number_are_refused_before_they_take_their_time() {
        let list = |n| format!("[{}1]", "{},".repeat(n));
        assert!(Json::parse(list(19_998).as_bytes()).is_some());
        assert!(Json::parse(list(19_999).as_bytes()).is_none());
        assert!(Json::parse(list(300_000).as_bytes()).is_none());
    }

    #[test]
    fn a_null_member_is_an_absent_one() {
        let mut value = Json::parse(br#"{"a":null,"b":"x"}"#).expect("json");
        assert_eq!(value.get("a"), None);
        assert_eq!(value.take("a"), None);
        assert_eq!(value.take("b"), Some(Json::String("x".into())));
        assert_eq!(value.get("b"), None);
    }
}
