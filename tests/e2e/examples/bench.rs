//! `cargo xtask bench`: how long from importing the package to the authorization URL, as ratios within one run.
//! The two forms of the package are loaded in turn, on a fresh page each time, with and without a slow network.

use e2e::{Engine, World};
use serde_json::json;

const ROUNDS: usize = 15;
const FORMS: [&str; 2] = ["/pkg/oauth-wasm.js", "/pkg/inline.js"];

#[tokio::main]
async fn main() {
    let world = World::start_in(Engine::Chromium).await;
    println!("median of {ROUNDS} page loads, import to authorization URL");
    // The round trips of slow 4G, not its throughput: compressed, the two forms are of one size, and the test server
    // does not compress.
    for (network, latency) in [("this machine", 0), ("150 ms away", 150)] {
        let mut medians = Vec::new();
        for form in FORMS {
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                times.push(measure(&world, form, latency).await);
            }
            times.sort_by(f64::total_cmp);
            medians.push(times[ROUNDS / 2]);
        }
        let ratio = medians[0] / medians[1];
        println!(
            "{network}: a .wasm beside the module takes {ratio:.2} times as long as the inline form"
        );
    }
}

/// Milliseconds on a fresh page with an empty cache.
async fn measure(world: &World, form: &str, latency: u32) -> f64 {
    let page = &world.page;
    page.open("/e2e/blank.html").await;
    let conditions = json!({
        "offline": false,
        "latency": latency,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    });
    page.cdp("Network.enable", json!({})).await;
    page.cdp("Network.setCacheDisabled", json!({ "cacheDisabled": true }))
        .await;
    page.cdp("Network.emulateNetworkConditions", conditions)
        .await;
    let script = "const start = performance.now();
        const { startLogin } = await import(args[0]);
        let url;
        await startLogin({ ...args[1], navigate: u => { url = u } });
        if (!url) throw new Error('no URL');
        return performance.now() - start";
    let config = world.config(json!({}));
    let time = page.js(script, &[json!(form), config]).await;
    time.expect("the login starts").as_f64().expect("a number")
}
