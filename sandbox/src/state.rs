//! What the sandbox remembers: settings, grants, sessions, and the two things a test may take in hand, clock and
//! randomness.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::grants::Grants;
use crate::log::Received;
use crate::settings::Settings;

pub struct State {
    pub settings: Settings,
    pub grants: Grants,
    pub received: Vec<Received>,
    /// Browser sessions by the value of their cookie.
    pub sessions: HashMap<String, Session>,
    /// What `POST /items` was given.
    pub items: Vec<Value>,
    /// Requests in the minute named first.
    pub minute: (u64, u64),
    /// Appfigures requests by account and UTC day.
    pub usage: HashMap<(u64, u64), u64>,
    /// Seconds added to the clock.
    pub advanced: u64,
    drawn: u64,
}

/// A browser that has been here. Without a user it has only seen the login page.
#[derive(Clone)]
pub struct Session {
    pub user_id: Option<u64>,
    pub csrf: String,
}

impl State {
    pub fn new(settings: Settings) -> State {
        State {
            settings,
            grants: Grants::default(),
            received: Vec::new(),
            sessions: HashMap::new(),
            items: Vec::new(),
            minute: (0, 0),
            usage: HashMap::new(),
            advanced: 0,
            drawn: 0,
        }
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        let clock = self.settings.frozen_clock.unwrap_or_else(system_clock);
        clock
            .saturating_add_signed(self.settings.clock_offset)
            .saturating_add(self.advanced)
    }

    /// 32 hexadecimal digits nobody can guess, or that follow from `settings.seed`.
    pub fn draw(&mut self) -> String {
        let mut bytes = [0; 16];
        match self.settings.seed {
            Some(seed) => {
                self.drawn += 1;
                let digest =
                    Sha256::digest([seed.to_be_bytes(), self.drawn.to_be_bytes()].concat());
                bytes
                    .iter_mut()
                    .zip(digest)
                    .for_each(|(to, from)| *to = from);
            }
            None => fill(&mut bytes),
        }
        hex(&bytes)
    }

    /// Counts a request against `settings.rate_limit`; true when it is one too many.
    pub fn is_over_rate_limit(&mut self) -> bool {
        let Some(limit) = self.settings.rate_limit else {
            return false;
        };
        let minute = self.now() / 60;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        self.minute.1 > limit
    }
}

/// Seconds since 1970.
#[cfg(not(target_family = "wasm"))]
fn system_clock() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(target_family = "wasm")]
use crate::wasm::system_clock;

#[allow(
    clippy::expect_used,
    reason = "no input reaches this: without the system's randomness there is no sandbox"
)]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system's randomness");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Month, day and hour of a time, as Mercado Libre writes them into an access token: `090515`.
pub fn month_day_hour(seconds: u64) -> String {
    let days = seconds / 86_400;
    // Days to civil date (Howard Hinnant's algorithm), years starting in March.
    let shifted = days + 719_468;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    format!("{month:02}{day:02}{:02}", seconds % 86_400 / 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_month_day_and_hour() {
        assert_eq!(month_day_hour(0), "010100");
        assert_eq!(month_day_hour(951_782_400), "022900"); // 2000-02-29
        assert_eq!(month_day_hour(1_536_161_459), "090515"); // 2018-09-05 15:30:59
    }

    #[test]
    fn a_seed_makes_what_is_drawn_repeatable_and_no_seed_does_not() {
        let seeded = || {
            State::new(Settings {
                seed: Some(7),
                ..Settings::default()
            })
        };
        let (mut one, mut other) = (seeded(), seeded());
        assert_eq!((one.draw(), one.draw()), (other.draw(), other.draw()));
        let mut free = State::new(Settings::default());
        assert_ne!(free.draw(), free.draw());
    }
}
