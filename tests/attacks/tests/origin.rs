//! The origin lock: a token goes to the resource servers that were declared, whatever the address is made to look like.

use attacks::urls;
use e2e::World;
use serde_json::{Value, json};

/// The page whose `fetch` is recorded before the library takes it.
const URLS: &str = "/attacks/urls.html";

#[tokio::test]
async fn of_all_the_addresses_of_the_table_only_those_that_were_declared_get_the_token() {
    let world = World::start().await;
    let names = urls::names(&world);
    let home = format!("{}{URLS}", world.app.origin);
    world.open_app(URLS).await;
    let login =
        world.config(json!({ "redirectUri": home, "resourceServers": urls::declared(&names) }));
    let outcome = world.log_in_here(login).await;
    assert!(outcome["value"].is_object(), "{outcome}");
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
