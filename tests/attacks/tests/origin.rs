//! The origin lock: a token goes to the resource servers that were declared, whatever the address is made to look like.

use attacks::fresh_session;
use e2e::World;
use serde_json::{Value, json};

#[tokio::test]
async fn an_address_that_was_not_declared_gets_no_request_at_all() {
    let world = World::start().await;
    fresh_session(&world).await;
    let script = r"const [origin, foreign] = args
        const { host, port } = new URL(origin)
        const other = new URL(foreign).host
        const elsewhere = foreign + '/x'
        class Liar extends Request { get url() { return origin + '/users/me' } }
        class LyingURL extends URL { get href() { return origin } toString() { return elsewhere } }
        let reads = 0
        const inputs = {
            'another port': elsewhere,
            'a URL object': new URL(elsewhere),
            'a Request': new Request(elsewhere),
            'a Request that lies': new Liar(elsewhere),
            'a URL that lies': new LyingURL(origin),
            'user information': 'http://' + host + '@' + other + '/x',
            'a user name': 'http://user@' + host + '/users/me',
            'userinfo and backslash': 'http://' + other + '\\@' + host + '/users/me',
            'another name of the same machine': 'http://localhost:' + port + '/users/me',
            'a look-alike suffix': 'http://127.0.0.1.app.test:' + port + '/users/me',
            'a suffix behind the port': origin + '.evil.example/',
            'more digits': origin + '1/users/me',
            'https': origin.replace('http', 'https') + '/users/me',
            'backslashes': 'http:\\\\' + other + '\\x',
            'a tab': 'ht\ttp://' + other.replace(':', '\t:') + '/x',
            'a newline': '\n' + foreign + '\n/x\n',
            'no scheme': '//' + other + '/x',
            'backslashes without a scheme': '\\\\' + other + '\\x',
            'relative to the app': '/users/me',
            'relative with a query': '?to=' + origin,
            'empty': '',
            'a declared origin in the path': foreign + '/' + origin + '/users/me',
            'a declared origin in the query': elsewhere + '?' + origin,
            'a declared origin in the fragment': elsewhere + '#' + origin,
            'data': 'data:,' + origin + '/users/me',
            'blob': URL.createObjectURL(new Blob(['x'])),
            'a proxy': new Proxy(new Request(elsewhere), {}),
            'undefined': undefined,
            'null': null,
            'an array': [elsewhere],
            'a list': [elsewhere, origin + '/users/me'],
        }
        const outcomes = {}
        for (const name in inputs) {
            const { error, value } = await outcome(oauth.fetchPrivate(inputs[name], { method: 'POST', body: 'x' }))
            outcomes[name] = error ? error.code ?? error.name : 'answered ' + value.status
        }
        return outcomes";
    let args = [json!(world.sandbox_origin), json!(world.foreign.origin)];
    let seen = world.run(script, &args).await;
    let mut expected = seen.clone();
    // What no browser parses is refused by the browser.
    let unparsed = [
        "user information",
        "a user name",
        "a suffix behind the port",
    ];
    for (name, outcome) in expected.as_object_mut().expect("an object") {
        *outcome = match unparsed.contains(&name.as_str()) {
            true => "TypeError".into(),
            false => "undeclared_resource_server".into(),
        };
    }
    // Six digits are no port.
    expected["more digits"] = "TypeError".into();
    assert_eq!(seen, expected);
    assert_eq!(world.foreign.requests(), []);
    assert_eq!(world.sandbox.requests(), []);

    // An input that answers differently each time is read once.
    let script = "const [origin, foreign] = args
        let reads = 0
        const input = { toString: () => (reads++ ? foreign + '/x' : origin + '/users/me') }
        const init = { get method() { return 'GET' }, get headers() { return { accept: '*/*' } } }
        const response = await oauth.fetchPrivate(input, init)
        return [response.status, response.url, reads]";
    let seen = world.run(script, &args).await;
    let url = format!("{}/users/me", world.sandbox_origin);
    assert_eq!(seen, json!([200, url, 1]));
    assert_eq!(world.foreign.requests(), []);
    let app = world.app.requests();
    assert!(app.iter().all(|r| !r.headers.contains_key("authorization")));
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
