//! `cargo xtask bench`: what a call costs through a vault, beside one of the library in the page and one of `fetch`.

use e2e::{Engine, World};
use serde_json::json;

const CALLS: usize = 200;

#[tokio::main]
async fn main() {
    let world = World::start_in(Engine::Chromium).await;
    world.set_up_vault(&world.vault_config(json!({})));
    println!(
        "median of {CALLS} calls of an API on this machine, one after the other, in milliseconds"
    );
    let sites = format!("{}/sites", world.sandbox_origin);
    // Answered out of the cache where it may be, so that nearly all of it is the call's own cost.
    let script = "const [url, calls] = args
        const median = async call => {
            const times = []
            for (let n = 0; n < calls; n++) {
                const start = performance.now()
                await (await call()).text()
                times.push(performance.now() - start)
            }
            return times.sort((a, b) => a - b)[calls >> 1]
        }
        await median(() => fetch(url))
        return [await median(() => fetch(url)), await median(() => oauth.fetchPrivate(url))]";
    let args = [json!(sites), json!(CALLS)];
    world.log_in(json!({})).await;
    let page = world.run(script, &args).await;
    world.log_in_by_vault().await;
    let vault = world.run(script, &args).await;
    for (name, [raw, call]) in [
        ("in the page", [&page[0], &page[1]]),
        ("a vault", [&vault[0], &vault[1]]),
    ] {
        let (raw, call) = (raw.as_f64().unwrap_or(0.0), call.as_f64().unwrap_or(0.0));
        println!(
            "{name:<12} fetch {raw:.2}, fetchPrivate {call:.2}: its own cost {:.2}",
            call - raw
        );
    }
}
