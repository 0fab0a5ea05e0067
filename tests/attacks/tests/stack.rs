//! The three walls between script that comes later and the module's memory: no page code runs while the module is on
//! the stack, its instance is worth nothing, and nothing can be read even by who knows how.

use attacks::{ACCESS, REFRESH, plant_canaries};
use e2e::World;
use serde_json::{Value, json};

/// The forms of the package, with a session that each can have.
fn forms() -> Vec<(&'static str, Value)> {
    vec![
        ("oauth-wasm", json!({})),
        ("inline", json!({})),
        ("classic", json!({})),
        (
            "full",
            json!({ "sessionScope": "origin", "keep": "device" }),
        ),
    ]
}

/// Logs in on pages/late.html; the configuration.
async fn log_in(world: &World, form: &str, kind: Value, more: &str) -> Value {
    plant_canaries(world);
    let path = format!("/attacks/late.html?form={form}{more}");
    world.open_app(&path).await;
    let mut config = kind;
    // An address without a query: the page's own is about the test.
    config["redirectUri"] = json!(format!("{}/attacks/late.html", world.app.origin));
    let config = world.config(config);
    let outcome = world.log_in_here(config.clone()).await;
    assert!(outcome["value"].is_object(), "{form}: {outcome}");
    config
}

/// Reads what it can with an instance that a script got, early or by a hook.
async fn read_out(world: &World, form: &str, config: &Value, hook: Value, given: &str) -> Value {
    let script = format!("return await readOut(oauth, args[0], args[1], {given})");
    let mut plain = config.clone();
    for name in ["sessionScope", "keep"] {
        plain.as_object_mut().expect("an object").remove(name);
    }
    let seen = world.run(&script, &[plain, hook.clone()]).await;
    let found = seen["found"].to_string();
    for token in [ACCESS, REFRESH] {
        // Cells of eight bytes: the middle of a token is enough to know it by.
        let part = &token[..12];
        assert!(!found.contains(part), "{form}, {hook}: {found}");
    }
    seen
}

#[tokio::test]
async fn the_module_exports_nothing_and_its_instance_is_worth_nothing_even_to_who_has_it() {
    let world = World::start().await;
    for (form, kind) in forms() {
        let config = log_in(&world, form, kind, "&early&script=readout").await;
        let script = "return { count: instances.length, exported: exported.flat(),
            own: instances.flatMap(instance => Reflect.ownKeys(instance.exports)) }";
        let seen = world.run(script, &[]).await;
        assert_ne!(seen["count"], 0, "{form}: there is an instance to look at");
        assert_eq!(seen["exported"], json!([]), "{form}");
        assert_eq!(seen["own"], json!([]), "{form}");
        let seen = read_out(&world, form, &config, Value::Null, "instances[0]").await;
        assert_eq!(seen["instance"], true, "{form}");
    }
}

#[tokio::test]
async fn script_that_comes_later_reads_no_token_by_any_hook_that_once_led_to_the_instance() {
    let world = World::start().await;
    for (form, kind) in forms() {
        for hook in ["parent", "name", "toJSON"] {
            let config = log_in(&world, form, kind.clone(), "&script=readout").await;
            let seen = read_out(&world, form, &config, json!(hook), "undefined").await;
            assert_eq!(seen["instance"], false, "{form}, {hook}: {seen}");
            world.run("await oauth.logout()", &[]).await;
        }
    }
}
