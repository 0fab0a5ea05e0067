//! `cargo xtask peers`: the table of addresses against this library and three others, in Chromium. Prints which rows
//! sent the token where it was not declared to go.

use attacks::urls;
use e2e::{Engine, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: &str = "/peers.html";
const OURS: &str = "oauth-wasm";

/// What became of one row.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// The token went where it was not declared to go.
    Sent,
    /// The token was handed to `fetch` for a scheme that sends nothing anywhere.
    Handed,
    /// The token went to a declared resource server.
    Delivered,
    /// The redirect was followed, and the browser took the token off.
    Followed,
    Kept,
    /// The client does not take such a value.
    NotTaken,
}

#[tokio::main]
async fn main() {
    let bundle = std::env::args().nth(1).expect("the bundle of the peers");
    let bundle = std::fs::read(bundle).expect("the bundle of the peers");
    let world = World::start_in(Engine::Chromium).await;
    world.app.serve("/peers.js", "text/javascript", bundle);
    world.app.serve(
        PAGE,
        "text/html",
        "<!doctype html><meta charset=utf-8><title>peers</title><link rel=icon href='data:,'>
        <script src=/attacks/recorder.js></script><script type=module src=/attacks/urls.js></script>
        <script type=module src=/peers.js></script><script type=module src=/e2e/app.js></script>",
    );
    let rows = urls::rows();
    let names = urls::names(&world);
    let clients = versions();
    println!(
        "{} addresses, each handed to the call that adds the token.",
        rows.len()
    );
    println!(
        "! sent where it was not declared to go   h handed to fetch, which sends nothing there"
    );
    println!("f followed the redirect, without the token   + delivered   - kept");
    println!(". not a value that the call takes\n");
    let mut fates = BTreeMap::new();
    for (client, version) in &clients {
        println!("{} = {client} {version}", letter(&clients, client));
        fates.insert(
            client.as_str(),
            try_all(&world, client, &rows, &names).await,
        );
    }
    println!();
    for (at, row) in rows.iter().enumerate() {
        let marks = clients
            .keys()
            .map(|client| mark(fates[client.as_str()][at]));
        let marks: Vec<_> = marks.collect();
        let goes = if row["goes"] == true {
            " (declared)"
        } else {
            ""
        };
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        println!(
            "{}  {}: {}{goes}",
            marks.join(" "),
            text("family"),
            text("name")
        );
    }
    println!("\nsent where it was not declared to go, by family:");
    for (client, version) in &clients {
        let mut of = BTreeMap::<&str, (usize, usize)>::new();
        for (row, fate) in rows.iter().zip(&fates[client.as_str()]) {
            if row["goes"] != true && *fate != Fate::NotTaken {
                let counts = of
                    .entry(row["family"].as_str().unwrap_or_default())
                    .or_default();
                counts.0 += usize::from(*fate == Fate::Sent);
                counts.1 += 1;
            }
        }
        let (sent, all) = of
            .values()
            .fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        let of: Vec<_> = of
            .iter()
            .map(|(name, (sent, all))| format!("{name} {sent}/{all}"))
            .collect();
        println!("{client} {version}: {sent} of {all} ({})", of.join(", "));
    }
}

/// Ours, and those of peers/package.json.
fn versions() -> BTreeMap<String, String> {
    let path = e2e::workspace().join("tests/attacks/peers/package.json");
    let text = std::fs::read_to_string(path).expect("the peers' package.json");
    let package: Value = serde_json::from_str(&text).expect("JSON");
    let peers = package["dependencies"].as_object().expect("dependencies");
    let mut versions: BTreeMap<_, _> = peers
        .iter()
        .map(|(name, version)| {
            (
                name.clone(),
                version.as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    versions.insert(OURS.into(), env!("CARGO_PKG_VERSION").into());
    versions
}

fn letter(clients: &BTreeMap<String, String>, client: &str) -> char {
    let at = clients
        .keys()
        .position(|name| name == client)
        .unwrap_or_default();
    char::from(b'A' + u8::try_from(at).unwrap_or_default())
}

fn mark(fate: Fate) -> &'static str {
    match fate {
        Fate::Sent => "!",
        Fate::Handed => "h",
        Fate::Delivered => "+",
        Fate::Followed => "f",
        Fate::Kept => "-",
        Fate::NotTaken => ".",
    }
}

async fn try_all(world: &World, client: &str, rows: &[Value], names: &Value) -> Vec<Fate> {
    world.open_app(PAGE).await;
    let redirect = world.redirect(&world.begin(json!({ "responseType": "token" })).await);
    let (_, fragment) = redirect.split_once("access_token=").expect("a token");
    let token = fragment.split('&').next().expect("a token");
    world.sandbox.forget_requests();
    let seen = world.foreign.requests().len();
    let script = "const [rows, names, client, token, declared, ours] = args
        let call = input => oauth.fetchPrivate(input)
        let only
        if (client === ours) await oauth.adoptToken(token, { resourceServers: declared })
        else ({ call, only } = peers({ token, api: names.api })[client])
        const taken = rows.map(row => !only || only.includes(row.as ?? 'text'))
        const outcomes = await tryAll(rows.filter((_, n) => taken[n]), names, call)
        return taken.map(taken => taken ? outcomes.shift() : null)";
    let args = [
        json!(rows),
        names.clone(),
        json!(client),
        json!(token),
        urls::declared(names),
        json!(OURS),
    ];
    let outcomes = world.run(script, &args).await;
    let foreign = world.foreign.requests().split_off(seen);
    let outcomes = outcomes.as_array().expect("an outcome a row");
    let mut declared = urls::declared(names);
    if client != OURS {
        // They know no paths: what stays at the API's origin stays where its setting says.
        let servers = declared.as_array_mut().expect("resource servers");
        servers.push(names["api"].clone());
    }
    let of = |(row, outcome): (&Value, &Value)| {
        let sent: Vec<_> = outcome["sent"].as_array().into_iter().flatten().collect();
        match (row["family"].as_str(), outcome.is_null()) {
            (_, true) => Fate::NotTaken,
            (Some("redirect"), _) => {
                let path = format!("/{}", row["name"].as_str().unwrap_or_default());
                let mut there = foreign.iter().filter(|request| request.path == path);
                match there
                    .clone()
                    .any(|request| request.headers.contains_key("authorization"))
                {
                    true => Fate::Sent,
                    false if there.next().is_some() => Fate::Followed,
                    false => Fate::Kept,
                }
            }
            (Some("path"), _) if !sent.is_empty() => Fate::Sent,
            _ => fate_of(&sent, &declared),
        }
    };
    rows.iter().zip(outcomes).map(of).collect()
}

/// By the addresses that the token was sent to; `path` rows look as if they were declared, and are judged by the table.
fn fate_of(sent: &[&Value], declared: &Value) -> Fate {
    let declared: Vec<_> = declared.as_array().into_iter().flatten().collect();
    let is_declared = |url: &str| {
        declared
            .iter()
            .filter_map(|server| server.as_str())
            .any(|server| {
                let below = url.strip_prefix(server);
                below.is_some_and(|below| below.is_empty() || below.starts_with(['/', '?']))
            })
    };
    let mut fate = Fate::Kept;
    for url in sent.iter().filter_map(|url| url.as_str()) {
        match url.starts_with("http://") || url.starts_with("https://") {
            true if is_declared(url) => fate = Fate::Delivered,
            true => return Fate::Sent,
            false => fate = Fate::Handed,
        }
    }
    fate
}
