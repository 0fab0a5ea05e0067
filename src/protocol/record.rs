//! Stored records: typed values one after the other, each read in the very way that it was written. A record is of one
//! version and read by the code that wrote it; whatever does not fit is absent.
//!
//! A number is its digits and a semicolon, a text its length in bytes and itself, a list its length and its items, what
//! may be absent a list of none or one.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Json, decimal};
use super::text;

/// What can be in a record.
pub trait Stored: Sized {
    fn store(&self, out: &mut String);

    /// `None`: it is not what [`store`](Stored::store) wrote.
    fn load(from: &mut Reader<'_>) -> Option<Self>;
}

/// What is left of a record.
pub struct Reader<'a>(pub &'a str);

impl<'a> Reader<'a> {
    /// The next bytes, which must end between characters.
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
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

            fn load(from: &mut $crate::protocol::record::Reader<'_>) -> Option<Self> {
                Some(Self {
                    $($field: $crate::protocol::record::Stored::load(from)?,)*
                })
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

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let (digits, rest) = text::cut(from.0, ";")?;
        from.0 = rest;
        if digits.is_empty() {
            return None;
        }
        digits.bytes().try_fold(0u32, |number, digit| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            number
                .checked_mul(10)?
                .checked_add(digit)
                .filter(|_| digit < 10)
        })
    }
}

impl Stored for bool {
    fn store(&self, out: &mut String) {
        u32::from(*self).store(out);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        match u32::load(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Stored for String {
    fn store(&self, out: &mut String) {
        (self.len() as u32).store(out);
        out.push_str(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let length = u32::load(from)?;
        Some(String::from(from.take(length as usize)?))
    }
}

impl Stored for Json {
    fn store(&self, out: &mut String) {
        self.text().store(out);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Json::parse(String::load(from)?.as_bytes())
    }
}

impl<T: Stored> Stored for Option<T> {
    fn store(&self, out: &mut String) {
        self.is_some().store(out);
        if let Some(value) = self {
            value.store(out);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(match bool::load(from)? {
            true => Some(T::load(from)?),
            false => None,
        })
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn store(&self, out: &mut String) {
        (self.len() as u32).store(out);
        for item in self {
            item.store(out);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let mut items = Vec::new();
        // Every item takes some of the text, so that a length which lies ends soon.
        for _ in 0..u32::load(from)? {
            items.push(T::load(from)?);
        }
        Some(items)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn store(&self, out: &mut String) {
        self.0.store(out);
        self.1.store(out);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::load(from)?, B::load(from)?))
    }
}

impl<T: Stored> Stored for Box<T> {
    fn store(&self, out: &mut String) {
        T::store(self, out);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        T::load(from).map(Box::new)
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
        let mut reader = Reader(text);
        assert_eq!(T::load(&mut reader), Some(value));
        assert_eq!(reader.0, "");
        for length in 0..text.len() {
            let shorter = text.get(..length).unwrap_or("");
            assert_eq!(T::load(&mut Reader(shorter)), None, "{shorter}");
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
            assert_eq!(String::load(&mut Reader(text)), None, "{text}");
        }
        assert_eq!(bool::load(&mut Reader("2;")), None);
        assert_eq!(Vec::<u32>::load(&mut Reader("4294967295;1;")), None);
        assert_eq!(Json::load(&mut Reader("1;{")), None);
    }
}
