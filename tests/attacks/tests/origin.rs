//! The origin lock: a token goes to the resource servers that were declared, whatever the address is made to look like.

use attacks::urls;
use e2e::World;
use serde_json::{Value, json};

/// The page whose `fetch` is recorded before the library takes it.
const URLS: &str = "/attacks/urls.html";

/// A login on that page whose resource servers are those that the table declares, and what its names stand for.
async fn logged_in_with_the_table() -> (World, Value) {
    let world = World::start().await;
    let names = urls::names(&world);
    let home = format!("{}{URLS}", world.app.origin);
    world.open_app(URLS).await;
    let login =
        world.config(json!({ "redirectUri": home, "resourceServers": urls::declared(&names) }));
    let outcome = world.log_in_here(login).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    (world, names)
}

#[tokio::test]
async fn of_all_the_addresses_of_the_table_only_those_that_were_declared_get_the_token() {
    let (world, names) = logged_in_with_the_table().await;
    world.sandbox.forget_requests();
    let rows = urls::rows();
    let script = "recorded.splice(0)
        return await tryAll(args[0], args[1], input => oauth.fetchPrivate(input))";
    let outcomes = world.run(script, &[json!(rows), names]).await;
    let outcomes = outcomes.as_array().expect("an outcome a row");
    assert_eq!(outcomes.len(), rows.len());

    let mut wrong = Vec::new();
    for (row, outcome) in rows.iter().zip(outcomes) {
        let end = row["is"].as_str().unwrap_or("undeclared_resource_server");
        let sent = outcome["sent"].as_array().map_or(0, Vec::len);
        let good = match (&row["goes"], row["family"].as_str()) {
            (Value::Bool(true), _) => sent == 1,
            // Sent to the resource server, whose answer leads elsewhere.
            (_, Some("redirect")) => sent == 1 && outcome["end"] == end,
            _ => sent == 0 && outcome["end"] == end,
        };
        if !good {
            wrong.push(format!("{row} {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.foreign.requests(), []);
    for request in world.app.requests() {
        assert!(
            !request.headers.contains_key("authorization"),
            "{request:?}"
        );
    }
    let paths = world.calls("/").into_iter().map(|call| call.path);
    let elsewhere: Vec<_> = paths
        .filter(|path| path != "/users/me" && path != "/redirect")
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
    for family in [
        "host", "userinfo", "scheme", "writing", "relative", "value", "path", "redirect",
    ] {
        let of = rows.iter().filter(|row| row["family"] == family);
        assert!(of.count() >= 5, "{family}");
    }
}

/// What may stand behind an origin, plain or not.
const ENDINGS: &[&str] = &[
    "",
    "/",
    "/users/me",
    "/users/me?q=a%20b&x=/../.",
    "/users/a.b/c..d/e.",
    "/users//x",
    "/users/x:y;z=(1)*!$&+,~",
    "/users/./me",
    "/users/../items",
    "/users/.",
    "/users/..",
    "/users/.hidden",
    "/users/...",
    "/./users/me",
    "/../users/me",
    "/.users",
    "/users/%2e%2e/items",
    "/users/%2E/me",
    "/users/.%2e/items",
    "/users/a%2fb",
    "/users\\..\\items",
    "/users/\\me",
    "\\users",
    "/us\ters/me",
    "/users/me\n",
    "/users/me ",
    "/users/.\t./items",
    "/users/a b",
    "/users/\"<>`{}^|'",
    "/users/me?q='\"<>",
    "/users/é",
    "/users/\u{2025}/items",
    "/users/\u{ff0e}\u{ff0e}/items",
    "/users/me#x",
    "/users/me#",
    "/users/me?",
    "/users/me?a?b",
    "/users/me?é",
    "/users/@me",
    "@evil.example/",
    ":443/x",
    ":80/x",
    ".evil.example/",
];

#[tokio::test]
async fn an_address_that_needs_no_parsing_is_what_the_parser_makes_of_it() {
    let (world, names) = logged_in_with_the_table().await;
    let mut rows: Vec<_> = urls::rows();
    rows.retain(|row| row.get("as").is_none());
    for origin in ["{api}", "https://api.example", "https://shop.example/v1"] {
        let of = |ending| json!({ "url": format!("{origin}{ending}") });
        rows.extend(ENDINGS.iter().map(of));
    }
    assert!(rows.len() > 200, "{}", rows.len());
    // Once behind an address of the same origin, once behind one of another: only then it is parsed whatever it is.
    let script = "const written = url => get.call(new URL(url, location))
        const call = input => oauth.fetchPrivate(input)
        const rows = args[0].map(({ url }) => url.replace(/\\{(\\w+)\\}/g, (_, name) => args[1][name]))
        const tried = async (before, url) => {
            await oauth.fetchPrivate(before).catch(() => {})
            parsed = 0
            const [outcome] = await tryAll([{ url }], args[1], call)
            return { ...outcome, parsed }
        }
        const outcomes = []
        for (const url of rows) {
            let origin
            try { origin = new URL(url, location).origin } catch { origin = args[1].api }
            const near = await tried(origin.startsWith('http') ? origin + '/.' : args[1].api + '/.', url)
            const far = await tried(args[1].foreign + '/.', url)
            let is
            try { is = written(url) } catch {}
            outcomes.push({ url, is, near, far })
        }
        return outcomes";
    let seen = world.run(script, &[json!(rows), names]).await;
    let seen = seen.as_array().expect("an outcome a row");
    assert_eq!(seen.len(), rows.len());
    let (mut unparsed, mut sent) = (0, 0);
    for row in seen {
        let (near, far) = (&row["near"], &row["far"]);
        assert_eq!(near["end"], far["end"], "{row}");
        assert_eq!(near["sent"], far["sent"], "{row}");
        // A fragment is not sent, and Firefox does not show an empty one.
        let sendable = |url: &Value| {
            url.as_str()
                .and_then(|url| url.split('#').next())
                .map(str::to_owned)
        };
        for address in near["sent"].as_array().expect("addresses") {
            sent += 1;
            assert_eq!(sendable(address), sendable(&row["is"]), "{row}");
        }
        if near["parsed"] == 0 && near["end"] != "TypeError" {
            unparsed += 1;
            assert_eq!(row["url"], row["is"], "{row}");
        }
        if far["sent"] != json!([]) {
            assert_ne!(far["parsed"], 0, "{row}");
        }
    }
    assert!(unparsed > 20 && sent > 40, "{unparsed} {sent}");
}

#[tokio::test]
async fn an_address_is_read_once_and_what_was_judged_is_what_is_fetched() {
    let world = World::start().await;
    world.log_in(json!({})).await;
    world.sandbox.forget_requests();
    let script = "const [origin, foreign] = args
        const reads = { input: 0, method: 0, headers: 0 }
        const input = { toString: () => (reads.input++ ? foreign + '/x' : origin + '/users/me') }
        const changing = (name, first, then) => ({ get: () => (reads[name]++ ? then : first), enumerable: true })
        const init = Object.defineProperties({}, {
            method: changing('method', 'GET', 'POST'),
            headers: changing('headers', { accept: '*/*' }, { authorization: 'Bearer evil' }),
        })
        const response = await oauth.fetchPrivate(input, init)
        return [response.status, response.url, reads.input, reads.method, reads.headers]";
    let args = [json!(world.sandbox_origin), json!(world.foreign.origin)];
    let seen = world.run(script, &args).await;
    let url = format!("{}/users/me", world.sandbox_origin);
    assert_eq!(seen, json!([200, url, 1, 1, 1]));
    let calls = world.calls("/users/me");
    assert!(calls.iter().all(|call| call.method == "GET"));

    // A Request that is changed while the library waits for a renewal is not what was judged: a copy is.
    world.sandbox.expire_tokens();
    world.sandbox.hold("/oauth/token");
    let start = "const [origin, foreign] = args
        window.request = new Request(origin + '/users/me')
        window.call = answered(oauth.fetchPrivate(request))
        Object.defineProperty(request, 'url', { value: foreign + '/x' })
        Object.defineProperty(Request.prototype, 'url', { get: () => foreign + '/x', configurable: true })
        request.headers.set('authorization', 'Bearer evil')
        request.headers.set('x-late', '1')
        return null";
    world.run(start, &args).await;
    world.until_held(1).await;
    world.sandbox.release();
    let answer = world.run("return await call", &[]).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    for request in world.sandbox.requests() {
        assert_eq!(request.header("x-late"), None, "{request:?}");
        assert_ne!(request.header("authorization"), Some("Bearer evil"));
    }
    assert_eq!(world.foreign.requests(), []);
}

/// What answers for one address when it is judged, and for another when it is fetched.
#[tokio::test]
async fn a_getter_that_the_page_replaces_names_no_address() {
    let world = World::start().await;
    let script = "const [origin, foreign] = args
        const address = () => {
            let reads = 0
            const text = () => (reads++ < Number(args[2]) ? origin + '/users/me' : foreign + '/x')
            return { toString: text, valueOf: text, toJSON: text }
        }
        for (const [type, names] of [
            [URL, ['href', 'origin', 'host', 'protocol', 'pathname', 'search']],
            [Request, ['url', 'method', 'mode', 'headers']],
            [Node, ['baseURI']],
            [Location, ['href']],
        ]) {
            for (const name of names) {
                const own = Object.getOwnPropertyDescriptor(type.prototype, name)
                if (own?.configurable) Object.defineProperty(type.prototype, name, { ...own, get: address })
            }
        }
        const told = call => call.then(response => response.status, e => (Object.hasOwn(e, 'code') ? e.code : e.name))
        const outcomes = []
        for (const input of [origin + '/./users/me', origin + '/users/me', origin + '/users/me#x', new Request(origin + '/users/me')]) {
            outcomes.push(await told(oauth.fetchPrivate(input)))
            outcomes.push(await told(oauth.fetchPrivate(input, { method: 'GET', signal: new AbortController().signal })))
        }
        return outcomes";
    for reads in 0..12 {
        let args = [
            json!(world.sandbox_origin),
            json!(world.foreign.origin),
            json!(reads),
        ];
        world.log_in(json!({})).await;
        let seen = world.run(script, &args).await;
        assert_eq!(
            seen,
            json!([200, 200, 200, 200, 200, 200, 200, 200]),
            "{reads}"
        );
    }
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn a_resource_server_with_a_path_gets_what_lies_below_it_only() {
    let world = World::start().await;
    let users = format!("{}/users", world.sandbox_origin);
    world.log_in(json!({ "resourceServers": [users] })).await;
    world.sandbox.forget_requests();
    let refused = [
        "/",
        "/items",
        "/usersx",
        "/Users/me",
        "/users/../items",
        "/users/%2e%2e/items",
        "/users/%2E%2e/items",
        "/users/.%2e/items",
        "/users/..\\items",
        "/users/..%2fitems",
        "/users/%2e%2e%2fitems",
        "/users/..%2Fitems",
        "/users/..%5citems",
        "/users%2f..%2fitems",
        "/users%2fme",
        "//users/me",
        "/x/users/me",
        "/items?/users/me",
        "/items#/users/me",
        "/users/me/../../items",
    ];
    for path in refused {
        let answer = world.fetch_private(path, Value::Null).await;
        let code = &answer["error"]["code"];
        assert_eq!(code, "undeclared_resource_server", "{path}: {answer}");
    }
    assert_eq!(world.sandbox.requests(), []);
    for path in [
        "/users/me",
        "/users/./me",
        "/items/../users/me",
        "/users/me?x=../items",
    ] {
        let answer = world.fetch_private(path, Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{path}: {answer}");
    }
}
