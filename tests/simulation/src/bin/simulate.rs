//! `cargo xtask simulate`: as many schedules as wanted. Stops at the first that breaks something and says its seed.

use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &str, otherwise: u64| {
        let text = arguments.next();
        text.map_or(otherwise, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{name} must be a number"))
        })
    };
    let (count, first) = (
        number("the number of seeds", 1_000),
        number("the first seed", 0),
    );
    let start = Instant::now();
    let mut steps = 0;
    for seed in first..first + count {
        steps += simulation::run(seed);
        if (seed + 1 - first).is_multiple_of(10_000) {
            println!("{} schedules, {steps} steps", seed + 1 - first);
        }
    }
    println!(
        "{count} schedules from seed {first}, {steps} steps, {:.0?}: everything held",
        start.elapsed()
    );
}
