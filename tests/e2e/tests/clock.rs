//! Clocks that are wrong, are set, or stand still: a token is renewed in time, and no session is lost.

use e2e::World;
use serde_json::{Value, json};

/// How long a token of the sandbox lives, in seconds.
const LIFE: i64 = 21_600;
const HOUR: i64 = 3_600;

/// A page whose clocks are in the test's hands, from before the library is there: `wall` and `monotonic`, in seconds ahead.
const PAGE: &str = "<!doctype html><title>clock</title><link rel=icon href='data:,'><script src=/e2e/console.js></script>
    <script>
        window.wall = 0; window.monotonic = 0
        const { now } = Date, elapsed = performance.now.bind(performance)
        Date.now = () => now() + wall * 1000
        performance.now = () => elapsed() + monotonic * 1000
    </script>
    <script type=module src=/e2e/app.js></script>";

/// A session that began when the device's clock was wrong by so many seconds.
async fn session(wrong_by: i64) -> World {
    let world = World::start().await;
    world.app.serve("/e2e/clock.html", "text/html", PAGE);
    world.open_app("/e2e/clock.html").await;
    pass(&world, wrong_by, 0).await;
    let outcome = world.log_in_here(world.config(json!({}))).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world
}

/// Moves the page's clocks.
async fn pass(world: &World, wall: i64, monotonic: i64) {
    let script = "wall += args[0]; monotonic += args[1]; return true";
    world.run(script, &[json!(wall), json!(monotonic)]).await;
}

/// Time goes by, for the server too.
async fn wait(world: &World, seconds: i64) {
    pass(world, seconds, seconds).await;
    world.sandbox.advance(seconds.unsigned_abs());
}

/// A private request succeeds; so many renewals were made by then, and none because of a 401.
async fn is_well_after(world: &World, renewals: usize, when: &str) {
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{when}: {answer}");
    assert_eq!(world.token_requests("refresh_token"), renewals, "{when}");
    let refused = world
        .calls("/users/me")
        .iter()
        .any(|call| call.status == 401);
    assert!(!refused, "{when}: a token that had ended was sent");
}

#[tokio::test]
async fn a_clock_that_is_wrong_from_the_start_changes_nothing() {
    for wrong_by in [-HOUR, HOUR, -10 * 365 * 24 * HOUR] {
        let world = session(wrong_by).await;
        is_well_after(&world, 0, "at once").await;
        wait(&world, LIFE - HOUR).await;
        is_well_after(&world, 0, "an hour before the end").await;
        wait(&world, HOUR).await;
        is_well_after(&world, 1, "at the end").await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_token_live_longer() {
    let world = session(0).await;
    pass(&world, -HOUR, 0).await;
    is_well_after(&world, 0, "set back").await;
    wait(&world, LIFE).await;
    is_well_after(&world, 1, "at the end").await;
    pass(&world, -5 * HOUR, 0).await;
    wait(&world, LIFE).await;
    is_well_after(&world, 2, "set back again").await;
}

#[tokio::test]
async fn a_clock_that_is_set_forward_costs_a_renewal_and_no_session() {
    let world = session(0).await;
    pass(&world, 24 * HOUR, 0).await;
    is_well_after(&world, 1, "a day ahead").await;
    wait(&world, HOUR).await;
    is_well_after(&world, 1, "an hour later").await;
}

/// The monotonic clock stands still on some devices while they sleep.
#[tokio::test]
async fn eight_hours_asleep_are_noticed_when_the_page_wakes() {
    let world = session(0).await;
    pass(&world, 8 * HOUR, 0).await;
    world.sandbox.advance(8 * HOUR.unsigned_abs());
    is_well_after(&world, 1, "awake").await;
    // And where it goes on.
    wait(&world, 8 * HOUR).await;
    is_well_after(&world, 2, "awake again").await;
}
