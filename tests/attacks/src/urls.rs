//! The table of addresses, `../urls.json`: against this library in the tests, against others in `cargo xtask peers`.

use e2e::World;
use serde_json::{Value, json};

fn table() -> Value {
    serde_json::from_str(include_str!("../urls.json")).expect("JSON")
}

pub fn rows() -> Vec<Value> {
    table()["rows"].as_array().expect("rows").clone()
}

/// What stands in the table's braces.
pub fn names(world: &World) -> Value {
    let host = |origin: &str| origin.trim_start_matches("http://").to_owned();
    let (api, foreign) = (host(&world.sandbox_origin), host(&world.foreign.origin));
    let (hostname, port) = api.split_once(':').expect("a port");
    let (_, foreign_port) = foreign.split_once(':').expect("a port");
    json!({
        "api": world.sandbox_origin, "host": api, "hostname": hostname, "port": port,
        "foreign": world.foreign.origin, "foreignHost": foreign, "foreignPort": foreign_port,
        "app": world.app.origin,
    })
}

/// The resource servers.
pub fn declared(names: &Value) -> Value {
    let api = names["api"].as_str().expect("an origin");
    let table = table();
    let declared = table["declared"].as_array().expect("declared").iter();
    let texts = declared.map(|server| server.as_str().expect("text").replace("{api}", api));
    json!(texts.collect::<Vec<_>>())
}
