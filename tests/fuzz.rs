//! The targets of `fuzz/`, without a fuzzer: every seed, and thousands of inputs made from them, the same at each run.
#![cfg(not(target_family = "wasm"))]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use oauth_wasm::protocol::provider;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Inputs for each target, besides the seeds.
const INPUTS: usize = 4000;

/// The longest of them; what is longer takes time and shows nothing new.
const LENGTH: usize = 2000;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} {error}", path.display()))
}

/// xorshift64: no better one is needed, and it is the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// One change: a byte, a word put in, a piece taken out, doubled, moved, or the rest of another seed.
fn change(input: &mut Vec<u8>, seeds: &[&str], words: &[&str], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let end = (at + 1 + chance.below(12)).min(input.len());
    match chance.below(8) {
        0 if at < input.len() => input[at] ^= 1 << chance.below(7),
        1 if at < input.len() => input[at] = b"{}[]\",:=&?#/\\%.@ 0"[chance.below(18)],
        2 | 3 => {
            let word = words[chance.below(words.len())];
            input.splice(at..at, word.bytes());
        }
        4 => drop(input.drain(at.min(end)..end)),
        5 => {
            let piece = input[at.min(end)..end].to_vec();
            input.splice(at..at, piece);
        }
        6 => input.truncate(at),
        _ => {
            let other = seeds[chance.below(seeds.len())].as_bytes();
            input.truncate(at);
            input.extend_from_slice(&other[chance.below(other.len() + 1)..]);
        }
    }
    input.truncate(LENGTH);
}

fn run(name: &str, target: targets::Target, input: &[u8]) {
    // A panic of a target says what is wrong; this adds with what.
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("{name}: {:?}", String::from_utf8_lossy(input));
    }
}

fn check(name: &str) {
    let target = targets::TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.expect(name);
    let (text, words) = (read(&format!("seeds/{name}.txt")), read("words.txt"));
    let (seeds, words): (Vec<_>, Vec<_>) = (text.lines().collect(), words.lines().collect());
    assert!(seeds.len() > 5, "{name} has seeds");
    for seed in &seeds {
        run(name, *target, seed.as_bytes());
    }
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..INPUTS {
        let mut input = seeds[chance.below(seeds.len())].as_bytes().to_vec();
        for _ in 0..=chance.below(6) {
            change(&mut input, &seeds, &words, &mut chance);
        }
        run(name, *target, &input);
    }
}

macro_rules! each {
    ($($sentence:ident $name:literal)*) => {
        $(#[test]
        fn $sentence() {
            check($name);
        })*

        #[test]
        fn every_target_is_run() {
            let names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$($name),*]);
            let manifest = read("Cargo.toml");
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
            }
        }
    };
}

each! {
    a_redirect_is_taken_only_for_its_own_login "redirect"
    a_token_response_is_read_strictly_and_shows_nothing "token"
    metadata_leads_to_secure_endpoints_of_its_issuer "metadata"
    a_challenge_is_read_as_it_was_written "challenge"
    a_stored_record_is_itself_again_or_absent "record"
    what_pages_share_comes_back_whole_or_not_at_all "part"
    an_accepted_configuration_asks_what_rfc6749_section_4_1_1_says "config"
    a_providers_file_opens_no_door "provider"
    json_is_read_as_others_read_it "json"
    a_token_goes_only_where_a_browser_sees_the_declared_server "url"
    a_call_waits_and_repeats_only_as_it_may "request"
    an_id_token_that_is_accepted_says_what_it_must "id_token"
    the_key_that_is_chosen_is_a_public_one_of_the_set_and_of_its_kind "keys"
    what_a_server_says_besides_is_about_its_user_and_itself "said"
}

/// Where the format changes and the seed does not, the target would go on passing and look at nothing.
#[cfg(feature = "full")]
#[test]
fn the_seed_of_a_shared_session_is_one() {
    use oauth_wasm::protocol::session::{Session, shared::Label};
    let text = read("seeds/part.txt");
    let (label, part) = text
        .lines()
        .next()
        .and_then(|line| line.split_once('\t'))
        .expect("a seed");
    let label = Label::read(label).expect("a label");
    let (part, here) = (part.as_bytes(), "https://app.example");
    let session = Session::from_part(part, "n", &label, "s", &[7; 32], here, (1000, 50));
    assert!(session.expect("a session").is_renewable());
}

/// The same of a pending login.
#[test]
fn the_seeds_of_a_record_are_some_that_are_read_and_some_that_are_not() {
    use oauth_wasm::protocol::authorization::PendingLogin;
    let text = read("seeds/record.txt");
    let read =
        |record: &&str| PendingLogin::from_record("ow1x", record, "https://app.example").is_some();
    let good = text.lines().filter(read).count();
    assert!((4..text.lines().count()).contains(&good), "{good}");
}

/// The files that ship, as inputs of their own.
#[test]
fn the_providers_files_that_ship_pass_as_they_are() {
    for name in ["appfigures", "mercadolibre", "mercadopago"] {
        let file = provider::find(Some(name)).text();
        let input = format!(
            "{file}\t{{\"provider\":\"{name}\",\"clientId\":\"1\",\"redirectUri\":\"https://app.example/cb\"}}\t{{\"error\":\"invalid_grant\"}}"
        );
        run(name, targets::provider, input.as_bytes());
    }
}
