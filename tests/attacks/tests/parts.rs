//! Parts of the library that are loaded later, when foreign script is there already.

use attacks::{ACCESS, plant_canaries};
use e2e::{APP, Engine, World};
use serde_json::{Value, json};

/// Puts another part in the place of the whole library, which is real WebAssembly but not what was asked for.
async fn world_with_another_part() -> (World, String) {
    let world = World::start().await;
    plant_canaries(&world);
    let other = e2e::workspace().join("pkg/parts/start.js");
    let other = std::fs::read_to_string(other).expect("a part");
    world.open_app(APP).await;
    let home = format!("{}{APP}", world.app.origin);
    let login = world.config(json!({ "redirectUri": home }));
    let outcome = world.log_in_here(login).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    (world, other)
}

/// Asks for the whole library; the session of before is as it was.
async fn want_it_all(world: &World) -> Value {
    let config = world.config(json!({ "keep": "device", "keepPending": true }));
    let script = "return await outcome(oauth.startLogin({ ...args[0], navigate: url => { window.went = url } }))";
    let outcome = world.run(script, &[config]).await;
    let answer = world.fetch_private("/sites", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let calls = world.calls("/sites");
    assert!(
        calls
            .iter()
            .all(|call| call.token.as_deref() == Some(ACCESS))
    );
    outcome
}

fn is_refused(outcome: &Value) {
    let error = &outcome["error"];
    assert_eq!(error["code"], "load_failed", "{outcome}");
    let message = error["message"].as_str().expect("text");
    assert!(message.contains("not the one of this release"), "{message}");
}

#[tokio::test]
async fn a_part_that_a_late_service_worker_puts_in_anothers_place_is_not_compiled() {
    let (world, other) = world_with_another_part().await;
    let worker = format!(
        "const text = {}
        addEventListener('activate', event => event.waitUntil(clients.claim()))
        addEventListener('fetch', event => {{
            if (event.request.url.includes('/parts/')) event.respondWith(new Response(text, {{ headers: {{ 'content-type': 'text/javascript' }} }}))
        }})",
        json!(other)
    );
    world.app.serve("/worker.js", "text/javascript", worker);
    let install = "await navigator.serviceWorker.register('/worker.js')
        while (!navigator.serviceWorker.controller) await new Promise(resolve => setTimeout(resolve, 10))
        return (await (await fetch('/pkg/parts/full.js')).text()) === args[0]";
    let replaced = world.run(install, &[json!(other)]).await;
    assert_eq!(replaced, true, "the worker answers for the part");
    is_refused(&want_it_all(&world).await);
    let went = world.run("return window.went ?? null", &[]).await;
    assert_eq!(went, Value::Null, "nobody left the page");
}

#[tokio::test]
async fn a_part_that_a_late_import_map_puts_in_anothers_place_is_not_compiled() {
    let (world, other) = world_with_another_part().await;
    world.app.serve("/other.js", "text/javascript", other);
    let map = "const map = { imports: { [location.origin + '/pkg/parts/full.js']: '/other.js' } }
        const script = Object.assign(document.createElement('script'), { type: 'importmap', textContent: JSON.stringify(map) })
        document.head.append(script)";
    world.run(map, &[]).await;
    let outcome = want_it_all(&world).await;
    // An engine that takes no map so late has loaded what was asked for.
    match world.engine {
        Engine::Chromium => is_refused(&outcome),
        _ if outcome["error"].is_object() => is_refused(&outcome),
        _ => {
            let went = world.run("return window.went", &[]).await;
            assert!(went.is_string(), "{outcome}");
        }
    }
}
