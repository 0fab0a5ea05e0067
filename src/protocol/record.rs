//! Stored records: typed values one after the other, each read in the very way that it was written. A record is of one
//! version and read by the code that wrote it; whatever does not fit is absent.
//!
//! A number is its digits and a semicolon, a text its length in bytes and itself, a list its length and its items, what
//! may be absent a list of none or one.

use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Json, decimal};

/// What can be in a record.
pub trait Stored: Sized {
    fn store(&self, out: &mut String);

    /// Reads what [`store`](Stored::store) wrote. Of anything else something comes as well, and the reader knows that it
    /// is not to be used.
    fn load(from: &mut Reader<'_>) -> Self;
}

/// What is left of a record.
pub struct Reader<'a> {
    rest: &'a str,
    is_good: bool,
}

impl<'a> Reader<'a> {
    pub fn new(record: &'a str) -> Self {
        Self {
            rest: record,
            is_good: true,
        }
    }

    /// What follows, if all before it was what it has to be.
    pub fn rest(&self) -> Option<&'a str> {
        self.is_good.then_some(self.rest)
    }

    /// The value, if it and all before it are what they have to be.
    pub fn load<T: Stored>(&mut self) -> Option<T> {
        let value = T::load(self);
        self.is_good.then_some(value)
    }

    /// Takes note that the record is not what somebody stored. Nothing more is read.
    pub fn fail(&mut self) {
        self.is_good = false;
        self.rest = "";
    }

    /// The next bytes, which must end between characters.
    fn take(&mut self, length: usize) -> &'a str {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                taken
            }
            None => {
                self.fail();
                ""
            }
        }
    }
}

/// Declares a structure whose fields are stored in their order: none can be forgotten.
macro_rules! stored {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$field_doc:meta])* $vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        pub struct $name {
            $($(#[$field_doc])* $vis $field: $type,)*
        }

        impl $crate::protocol::record::Stored for $name {
            fn store(&self, out: &mut alloc::string::String) {
                $(self.$field.store(out);)*
            }

            fn load(from: &mut $crate::protocol::record::Reader<'_>) -> Self {
                Self {
                    $($field: $crate::protocol::record::Stored::load(from),)*
                }
            }
        }
    };
}

pub(crate) use stored;

impl Stored for u32 {
    fn store(&self, out: &mut String) {
        out.push_str(&decimal((*self).into()));
        out.push(';');
    }

    fn load(from: &mut Reader<'_>) -> Self {
        let mut number: u32 = 0;
        let mut digits = 0;
        loop {
            let digit = match from.take(1).as_bytes() {
                b";" if digits > 0 => return number,
                [digit @ b'0'..=b'9'] => u32::from(digit - b'0'),
                _ => break,
            };
            digits += 1;
            match number
                .checked_mul(10)
                .and_then(|ten| ten.checked_add(digit))
            {
                Some(more) => number = more,
                None => break,
            }
        }
        from.fail();
        0
    }
}

impl Stored for bool {
    fn store(&self, out: &mut String) {
        u32::from(*self).store(out);
    }

    fn load(from: &mut Reader<'_>) -> Self {
        let number = u32::load(from);
        if number > 1 {
            from.fail();
        }
        number == 1
    }
}

impl Stored for String {
    fn store(&self, out: &mut String) {
        (self.len() as u32).store(out);
        out.push_str(self);
    }

    fn load(from: &mut Reader<'_>) -> Self {
        let length = u32::load(from);
        String::from(from.take(length as usize))
    }
}

impl Stored for Json {
    fn store(&self, out: &mut String) {
        self.text().store(out);
    }

    fn load(from: &mut Reader<'_>) -> Self {
        Json::parse_own(String::load(from).as_bytes()).unwrap_or_else(|| {
            from.fail();
            Json::Null
        })
    }
}

impl<T: Stored> Stored for Option<T> {
    fn store(&self, out: &mut String) {
        self.is_some().store(out);
        if let Some(value) = self {
            value.store(out);
        }
    }

    fn load(from: &mut Reader<'_>) -> Self {
        bool::load(from).then(|| T::load(from))
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn store(&self, out: &mut String) {
        (self.len() as u32).store(out);
        for item in self {
            item.store(out);
        }
    }

    fn load(from: &mut Reader<'_>) -> Self {
        let mut items = Vec::new();
        let mut left = u32::load(from);
        // A length that lies ends with the record.
        while left > 0 && from.is_good {
            items.push(T::load(from));
            left -= 1;
        }
        items
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn store(&self, out: &mut String) {
        self.0.store(out);
        self.1.store(out);
    }

    fn load(from: &mut Reader<'_>) -> Self {
        (A::load(from), B::load(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;
    use std::vec;

    fn check<T: Stored + Debug + PartialEq>(value: T, text: &str) {
        let mut out = String::new();
        value.store(&mut out);
        assert_eq!(out, text);
        let mut reader = Reader::new(text);
        assert_eq!(reader.load(), Some(value));
        assert_eq!(reader.rest(), Some(""));
        for length in 0..text.len() {
            let shorter = text.get(..length).unwrap_or("");
            let mut reader = Reader::new(shorter);
            assert_eq!(reader.load::<T>(), None, "{shorter}");
            assert_eq!(
                (reader.rest(), reader.load::<T>()),
                (None, None),
                "for good"
            );
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_a_part_of_it_does_not() {
        check(0, "0;");
        check(u32::MAX, "4294967295;");
        check(true, "1;");
        check(String::from("é;1"), "4;é;1");
        check(Some(String::new()), "1;0;");
        check(None::<u32>, "0;");
        check(
            vec![(1, String::from("a")), (2, String::new())],
            "2;1;1;a2;0;",
        );
        check(Json::Array(vec![Json::Null]), "6;[null]");
    }

    #[test]
    fn what_nobody_stored_is_absent() {
        for text in [
            ";x",
            "a",
            "4294967296;",
            "-1;",
            "1;é",
            "9;abc",
            "+1;",
            " 1;",
        ] {
            assert_eq!(Reader::new(text).load::<String>(), None, "{text}");
        }
        assert_eq!(Reader::new("2;").load::<bool>(), None);
        assert_eq!(Reader::new("4294967295;1;").load::<Vec<u32>>(), None);
        assert_eq!(Reader::new("1;{").load::<Json>(), None);
    }
}
