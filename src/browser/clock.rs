//! Time. A clock for records that outlive the page, and one for what does not.

use wasm_bindgen::prelude::*;

use super::local::Local;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[wasm_bindgen(js_name = wallClock)]
    fn wall_clock() -> f64;
    #[wasm_bindgen(js_name = monotonicClock)]
    fn monotonic_clock() -> f64;
}

struct Reading {
    elapsed: f64,
    wall: f64,
    monotonic: f64,
}

static LAST: Local<Option<Reading>> = Local::new(None);

/// Seconds since 1970 by the device's clock, which may be wrong or be set.
pub fn wall() -> u32 {
    (wall_clock() / 1000.0) as u32
}

/// Seconds since the first call; never goes back. The monotonic clock stands still while some devices sleep and
/// the wall clock can be set back, so each step is the longer of the two.
pub fn elapsed() -> u32 {
    let (wall, monotonic) = (wall_clock(), monotonic_clock());
    LAST.with(|last| {
        let elapsed = match last {
            Some(last) => {
                last.elapsed + (wall - last.wall).max(monotonic - last.monotonic).max(0.0)
            }
            None => 0.0,
        };
        *last = Some(Reading {
            elapsed,
            wall,
            monotonic,
        });
        (elapsed / 1000.0) as u32
    })
}
