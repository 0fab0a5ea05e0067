//! A few schedules in the dev profile, with its assertions; the suite `simulation` runs 20,000 of each flavour, and
//! `cargo xtask simulate` as many as wanted.

#[test]
fn whatever_happens_in_whatever_order_no_token_is_spent_twice_and_no_session_is_lost() {
    let mut steps = 0;
    for seed in 0..400 {
        steps += simulation::run(seed);
    }
    assert!(steps > 50_000, "only {steps} steps");
}
