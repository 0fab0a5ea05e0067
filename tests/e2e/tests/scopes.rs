//! Scopes: what a call needs is known before it is made, narrowed where the provider can, and asked for where it lacks;
//! and what a provider's limits and challenges ask for is done.

use e2e::{APP, Call, Lack, World, parameter, provider_file, said};
use sandbox::{Fault, FaultKind, PersonalAccessToken, routes};
use serde_json::{Value, json};

const TOKEN: &str = "pat_sandbox";

/// Appfigures' eight scopes.
const SCOPES: [&str; 8] = [
    "account:read",
    "account:write",
    "public:read",
    "public:write",
    "private:read",
    "private:write",
    "products:read",
    "products:write",
];

/// The sandbox's application may ask for all eight.
fn allow_all(world: &World) {
    world.sandbox.change(|settings| {
        for application in &mut settings.applications {
            if application.client_id == "appfigures-sandbox" {
                application.scope = SCOPES.map(String::from).into();
            }
        }
    });
}

fn allows(held: &str, needed: &str) -> bool {
    held == needed
        || needed
            .strip_suffix(":read")
            .is_some_and(|of| held == format!("{of}:write"))
}

/// A path of the sandbox that this row of the route table is about.
fn path_of(route: &str) -> String {
    let segment = |segment: &str| match segment {
        "*" => "a/b".to_owned(),
        "{email}" => "me@example.com".to_owned(),
        segment if segment.starts_with('{') => "280598515284".to_owned(),
        segment => segment.to_owned(),
    };
    let segments: Vec<_> = route.split('/').map(segment).collect();
    format!("/v2{}", segments.join("/"))
}

fn statuses(calls: &[Call]) -> Vec<u16> {
    calls.iter().map(|call| call.status).collect()
}

/// Adopts a token on the page that is open; `more` is laid over Appfigures' configuration.
async fn adopt(world: &World, token: &str, more: Value) -> Value {
    let args = [json!(token), world.appfigures(more)];
    let outcome = world.outcome("oauth.adoptToken(...args)", &args).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    outcome["value"].clone()
}

fn fail(world: &World, path: &str, times: usize, kind: FaultKind) {
    let fault = Fault::new(path, kind).times(times);
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
}

/// Exactly this answer, which the page may read in full.
fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> FaultKind {
    FaultKind::json(status, body, headers)
}

/// What `explain` says of the response of a call: `[status, error]`, the error with all that is in it.
const EXPLAIN: &str = "const [url, init] = args
    const response = await oauth.fetchPrivate(url, init ?? undefined)
    const error = await oauth.explain(response)
    return [response.status, error && { ...error, name: error.name, message: error.message, stack: error.stack }]";

async fn explained(world: &World, path: &str, init: Value) -> Value {
    let url = json!(format!("{}{path}", world.sandbox_origin));
    world.run(EXPLAIN, &[url, init]).await
}

#[tokio::test]
async fn every_route_of_the_table_is_called_with_its_scope_and_refused_here_without_it() {
    let world = World::start().await;
    allow_all(&world);
    world.open_app(APP).await;
    let script = "const [origin, rows] = args
        const seen = []
        for (const [method, path] of rows) {
            const init = { method, body: method === 'GET' || method === 'DELETE' ? undefined : '{}' }
            seen.push(await answered(oauth.fetchPrivate(origin + path, init)))
        }
        return seen";
    let calls: Vec<_> = routes()
        .iter()
        .map(|route| (route.method, path_of(route.path)))
        .collect();
    assert_eq!(calls.len(), 24);
    let args = [json!(world.sandbox_origin), json!(calls)];
    let mut made = 0;
    for held in SCOPES {
        let outcome = world
            .log_in_here(world.appfigures(json!({ "scope": held })))
            .await;
        assert_eq!(outcome["value"]["scope"], json!([held]), "{outcome}");
        world.sandbox.forget_requests();
        let seen = world.run(script, &args).await;
        let mut expected = Vec::new();
        for (at, route) in routes().iter().enumerate() {
            let (method, path) = &calls[at];
            let row = format!("{method} {path} with {held}: {}", seen[at]);
            if route.scope.is_none_or(|needed| allows(held, needed)) {
                let status = if *method == "DELETE" { 204 } else { 200 };
                assert_eq!(seen[at]["value"]["status"], status, "{row}");
                expected.push((*method, path.as_str().trim_end_matches('/')));
                continue;
            }
            let error = &seen[at]["error"];
            let needed = route.scope.expect("a scope");
            assert_eq!(error["code"], "insufficient_scope", "{row}");
            assert_eq!(error["scope"], json!([needed]), "{row}");
            assert_eq!(error["route"], format!("{method} {}", route.path), "{row}");
            assert_eq!(error["retryable"], false);
            let ask = error["ask"]["scope"].as_array().expect("what to ask for");
            assert!(ask.contains(&json!(needed)) && ask.len() <= 2, "{row}");
            let message = error["message"].as_str().expect("text");
            assert!(message.contains(needed), "{row}");
        }
        // Nothing at all of the others came, not even a preflight.
        let requests = world.sandbox.requests();
        let came = |request: &&sandbox::Received| request.method != "OPTIONS";
        let came: Vec<_> = requests
            .iter()
            .filter(came)
            .map(|request| (request.method.as_str(), request.path.as_str()))
            .collect();
        assert_eq!(came, expected, "{held}");
        for request in &requests {
            assert!(
                came.iter().any(|(_, path)| *path == request.path),
                "{request:?}"
            );
        }
        made += came.len();
    }
    assert_eq!(made, 3 * 8 + 4 + 10 + 4 + 4 + 4 + 4 + 2 + 3);
    world.is_quiet().await;
}

#[tokio::test]
async fn what_the_table_leaves_open_is_left_to_the_server() {
    let world = World::start().await;
    world.open_app(APP).await;
    let outcome = world
        .log_in_here(world.appfigures(json!({ "scope": "public:read" })))
        .await;
    assert!(outcome["value"].is_object(), "{outcome}");
    for (method, path, status) in [
        ("GET", "/v2", 200),
        ("GET", "/v2/", 200),
        ("GET", "/v2/help", 200),
        ("GET", "/v2/data", 200),
        ("GET", "/v2/data/countries/all", 200),
        ("GET", "/v2/products", 200),
        ("GET", "/v2/reports/sales", 404),
        ("POST", "/v2/sales", 405),
        ("HEAD", "/v2/reviews", 405),
        ("GET", "/v2/%73ales", 404),
    ] {
        if path.contains('%') && world.lacks(Lack::EscapesAsWritten) {
            continue;
        }
        let answer = world.fetch_private(path, json!({ "method": method })).await;
        assert_eq!(
            answer["value"]["status"], status,
            "{method} {path}: {answer}"
        );
    }
    // What would be read here as another route than the server's is not taken for the harmless one.
    world.sandbox.forget_requests();
    for path in [
        "/v2/help/../sales",
        "/v2/./sales",
        "/v2//sales",
        "/v2/sales/",
        "/v2/sales?x=/help",
        "/v2/sales#/help",
    ] {
        let answer = world.fetch_private(path, Value::Null).await;
        assert_eq!(
            answer["error"]["code"], "insufficient_scope",
            "{path}: {answer}"
        );
    }
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn what_another_scope_implies_is_not_asked_for() {
    let world = World::start().await;
    allow_all(&world);
    world.open_app(APP).await;
    for (scope, asked) in [
        (
            json!(["products:read", "products:write", "public:read"]),
            "products:write public:read",
        ),
        (
            json!("public:read public:read  public:write"),
            "public:write",
        ),
        (json!(["account:write", "account:read"]), "account:write"),
        (json!(["private:read"]), "private:read"),
    ] {
        let url = world
            .begin_as(world.appfigures(json!({ "scope": scope })))
            .await;
        assert_eq!(parameter(&url, "scope").as_deref(), Some(asked));
        let outcome = world
            .outcome(
                "oauth.handleRedirect(args[0])",
                &[json!(world.redirect(&url))],
            )
            .await;
        let mut granted: Vec<_> = asked.split(' ').collect();
        granted.sort_unstable();
        assert_eq!(outcome["value"]["scope"], json!(granted), "{outcome}");
    }
    for none in [json!([]), json!(""), Value::Null] {
        let url = world
            .begin_as(world.appfigures(json!({ "scope": none })))
            .await;
        assert_eq!(parameter(&url, "scope"), None);
    }
}

#[tokio::test]
async fn a_call_is_narrowed_by_the_providers_header_and_never_beyond_the_session() {
    let world = World::start().await;
    world.open_app(APP).await;
    let scope = ["private:read", "products:write", "public:read"];
    let outcome = world
        .log_in_here(world.appfigures(json!({ "scope": scope })))
        .await;
    assert_eq!(outcome["value"]["scope"], json!(scope), "{outcome}");
    world.sandbox.forget_requests();
    let narrowed = async |path: &str, init: Value| world.fetch_private(path, init).await;
    for (scope, header) in [
        (
            json!(["products:read", "private:read"]),
            "products:read,private:read",
        ),
        (
            json!("private:read public:read"),
            "private:read,public:read",
        ),
        (json!(["private:read"]), "private:read"),
        (
            json!(["products:write", "products:read", "private:read"]),
            "products:write,private:read",
        ),
    ] {
        world.sandbox.forget_requests();
        let answer = narrowed("/v2/sales", json!({ "scope": scope })).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
        let requests = world.sandbox.requests();
        let sent = requests.iter().find(|request| request.method == "GET");
        let sent = sent.and_then(|request| request.header("x-oauth-scope"));
        assert_eq!(sent, Some(header));
    }
    world.sandbox.forget_requests();
    narrowed("/v2/sales", json!({})).await;
    let requests = world.sandbox.requests();
    assert!(
        requests
            .iter()
            .all(|one| one.header("x-oauth-scope").is_none())
    );
    world.sandbox.forget_requests();

    // More than the session has, or less than the route needs, or no scope at all.
    for (scope, code, missing) in [
        (
            json!(["account:read"]),
            "insufficient_scope",
            json!(["account:read"]),
        ),
        (
            json!("public:write"),
            "insufficient_scope",
            json!(["public:write"]),
        ),
        (
            json!(["public:read"]),
            "insufficient_scope",
            json!(["private:read"]),
        ),
        (json!(["private:raed"]), "unknown_scope", Value::Null),
        (json!(["private:read\""]), "invalid_request", Value::Null),
        (json!([5]), "invalid_request", Value::Null),
        (json!({}), "invalid_request", Value::Null),
    ] {
        let answer = narrowed("/v2/sales", json!({ "scope": scope })).await;
        assert_eq!(answer["error"]["code"], code, "{scope}: {answer}");
        assert_eq!(answer["error"]["scope"], missing, "{scope}: {answer}");
    }
    assert_eq!(world.sandbox.requests(), []);

    // Mercado Libre has no such header.
    world.log_in_here(world.config(json!({}))).await;
    world.sandbox.forget_requests();
    let answer = narrowed("/users/me", json!({ "scope": ["read"] })).await;
    assert_eq!(answer["error"]["code"], "invalid_request", "{answer}");
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn what_an_error_asks_for_makes_the_next_login_enough() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.open_app(APP).await;
    let config =
        world.appfigures(json!({ "scope": ["public:read", "products:read"], "returnTo": "/cart" }));
    let outcome = world.log_in_here(config.clone()).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let put = json!({ "method": "PUT", "body": "{\"active\":true}" });
    let path = "/v2/products/280598515284";
    let answer = world.fetch_private(path, put.clone()).await;
    let error = &answer["error"];
    assert_eq!(error["code"], "insufficient_scope", "{answer}");
    assert_eq!(error["route"], "PUT /products/{product_id}");
    assert_eq!(error["scope"], json!(["products:write"]));
    // What the session has stays, and what is implied now is left out.
    let ask = &error["ask"];
    let mut scope: Vec<_> = ask["scope"].as_array().expect("a list").clone();
    scope.sort_by_key(|name| name.to_string());
    assert_eq!(scope, [json!("products:write"), json!("public:read")]);

    let script = "window.leaving = true; await window.oauth.startLogin({ ...arguments[0], ...arguments[1] })";
    world.page.start(script, &[config, ask.clone()]).await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(
        session["scope"],
        json!(["products:write", "public:read"]),
        "{outcome}"
    );
    assert_eq!(session["returnTo"], "/cart");
    let answer = world.fetch_private(path, put).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let answer = world.fetch_private(path, Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
}

#[tokio::test]
async fn the_least_scope_for_some_calls_is_told_with_a_configuration_and_without() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [config, foreign] = args
        const [base] = config.resourceServers
        const lists = [
            [],
            [base + '/products/mine'],
            [new URL(base + '/products/mine'), base + '/products/1', base + '/help'],
            [base + '/products/mine', { method: 'put', url: base + '/products/1' }],
            [{ method: 'PUT', url: new URL(base + '/products/1') }, { url: base + '/sales' }],
            [new Request(base + '/events/1', { method: 'DELETE' }), base + '/account'],
            [base + '/', base + '/data/countries', base + '/reports/sales'],
            [{ method: 'PATCH', url: base + '/ext_accounts/7/products' }],
        ]
        const all = async config => {
            const seen = []
            for (const calls of lists) seen.push(await outcome(oauth.scopesFor(calls, config)))
            return seen
        }
        const given = await all(config)
        const early = await outcome(oauth.scopesFor(lists[1]))
        await oauth.adoptToken('pat_' + 'sandbox', config)
        const known = await all()
        const wrong = []
        for (const calls of [[foreign], [base + '/sales', foreign], ['/v2/sales'], [base + '/../sales']])
            for (const given of [config, undefined])
                wrong.push((await outcome(oauth.scopesFor(calls, given))).error?.code)
        const broken = []
        for (const calls of [['http://['], [Symbol()], [null], 'text', 5, {}, undefined, null, [{ url: base, body: 1n }],
            [{ metod: 'PUT', url: base + '/sales' }]])
            for (const given of [config, undefined]) {
                const { error } = await outcome(Promise.resolve().then(() => oauth.scopesFor(calls, given)))
                broken.push(`${error?.code} ${error?.message.split(': ').slice(2).join(': ')}`)
            }
        return { given, known, early, wrong, broken }";
    let args = [
        world.appfigures(json!({})),
        json!(format!("{}/x", world.foreign.origin)),
    ];
    let seen = world.run(script, &args).await;
    let expected = json!([
        { "value": [] },
        { "value": ["products:read"] },
        { "value": ["products:read", "public:read"] },
        { "value": ["products:write"] },
        { "value": ["products:write", "private:read"] },
        { "value": ["account:write"] },
        { "value": [] },
        { "value": ["account:write"] },
    ]);
    assert_eq!(seen["given"], expected);
    assert_eq!(seen["known"], expected);
    assert_eq!(seen["early"]["error"]["code"], "login_required");
    assert_eq!(seen["wrong"], json!(vec!["undeclared_resource_server"; 8]));
    let (list, member) = (
        "invalid_config calls: must be a list of addresses and requests",
        "invalid_config calls.metod: there is no such field; the nearest is method",
    );
    let mut broken = vec![list; 18];
    broken.extend([member; 2]);
    assert_eq!(seen["broken"], json!(broken));
    assert_eq!(world.sandbox.requests(), []);
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn a_refusal_that_nobody_foresaw_is_explained() {
    let world = World::start().await;
    let row = |status: u16| {
        let file = provider_file("appfigures");
        let rows = file["errors"].as_array().expect("errors");
        let row = rows
            .iter()
            .find(|row| row["status"] == status && row["says"].is_null());
        row.expect("a row").clone()
    };
    world.sandbox.change(|settings| {
        settings.www_authenticate = false;
        settings.personal_access_tokens.push(PersonalAccessToken {
            token: "pat_small".into(),
            user_id: e2e::USER,
            scope: vec!["public:read".into()],
        });
    });
    world.open_app(APP).await;

    // Nobody said what the token may do: the route says what is missing.
    adopt(&world, "pat_small", json!({ "language": "pt" })).await;
    let seen = explained(&world, "/v2/sales", Value::Null).await;
    let error = &seen[1];
    assert_eq!(seen[0], 403);
    assert_eq!(error["code"], "insufficient_scope", "{seen}");
    assert_eq!(error["scope"], json!(["private:read"]));
    assert_eq!(error["route"], "GET /sales/*");
    assert_eq!(error["ask"], json!({ "scope": ["private:read"] }));
    assert_eq!(said(error), row(403)["message"]["pt"]);
    assert_eq!(error["remedy"], row(403)["remedy"]["pt"]);
    assert_eq!(error["status"], 403);
    let put = json!({ "method": "PUT", "body": "{}" });
    let seen = explained(&world, "/v2/products/280598515284", put).await;
    assert_eq!(
        seen[1]["scope"],
        json!(["products:write"]),
        "the method counts: {seen}"
    );
    assert_eq!(seen[1]["route"], "PUT /products/{product_id}");

    // It seemed to be enough.
    adopt(
        &world,
        "pat_small",
        json!({ "language": "es", "scope": ["private:read"] }),
    )
    .await;
    let seen = explained(&world, "/v2/sales", Value::Null).await;
    assert_eq!(
        (&seen[0], &seen[1]["code"]),
        (&json!(403), &json!("request_refused")),
        "{seen}"
    );
    assert_eq!(said(&seen[1]), row(403)["message"]["es"]);
    assert_eq!(seen[1]["ask"], Value::Null);

    // Refusals that are about the account, which more scope would not help.
    for (words, remedy) in [
        ("No API Access", "billing"),
        ("API Access is disabled", "soporte"),
    ] {
        let body = json!({ "status": 403, "message": format!("Forbidden: {words}") });
        fail(&world, "/v2/sales", 1, answer(403, &[], &body.to_string()));
        let seen = explained(&world, "/v2/sales", Value::Null).await;
        let said = seen[1]["remedy"].as_str().expect("text");
        assert!(said.contains(remedy), "{words}: {seen}");
    }

    // Whatever else comes is told apart, and what is no refusal is none.
    for (status, body, code) in [
        (500, "<html>", "server_error"),
        (503, "", "server_error"),
        (404, "{\"message\":\"Not Found\"}", "request_refused"),
        (400, "null", "request_refused"),
        (418, "[]", "request_refused"),
        (400, "\u{1F4A3}", "request_refused"),
    ] {
        fail(&world, "/v2/sales", 1, answer(status, &[], body));
        let seen = explained(&world, "/v2/sales", Value::Null).await;
        assert_eq!(
            (&seen[0], &seen[1]["code"]),
            (&json!(status), &json!(code)),
            "{body}: {seen}"
        );
    }
    for status in [200, 204] {
        let text = if status == 200 {
            "{\"error\":\"x\"}"
        } else {
            ""
        };
        fail(&world, "/v2/sales", 1, answer(status, &[], text));
        let seen = explained(&world, "/v2/sales", Value::Null).await;
        assert_eq!(seen, json!([status, null]));
    }
    // A response that was read already, and one of nobody's.
    fail(
        &world,
        "/v2/sales",
        1,
        answer(403, &[], "{\"message\":\"No API Access\"}"),
    );
    let script = "const response = await oauth.fetchPrivate(args[0])
        await response.text()
        const { code, status } = await oauth.explain(response)
        const own = await oauth.explain(new Response('{\"error\":\"mine\"}', { status: 403 }))
        const wrong = []
        for (const value of [undefined, null, {}, 'text', 5])
            wrong.push(await Promise.resolve().then(() => oauth.explain(value)).then(String, e => e.name))
        return [code, status, own.code, own.error, wrong]";
    let url = json!(format!("{}/v2/sales", world.sandbox_origin));
    let seen = world.run(script, &[url]).await;
    assert_eq!(seen[0], "request_refused");
    assert_eq!(seen[1], 403);
    assert_eq!(
        (&seen[2], &seen[3]),
        (&json!("request_refused"), &json!("mine"))
    );
    assert_eq!(
        seen[4],
        json!(vec!["TypeError"; 5]),
        "as the platform says it"
    );
    world.is_quiet().await;
}

#[tokio::test]
async fn a_token_that_the_user_has_already_is_under_the_same_rules() {
    let world = World::start().await;
    let halves = json!(["pat_", "sandbox"]);
    world.open_app("/e2e/search.html").await;
    let script = "const [halves, config] = args
        const session = await oauth.adoptToken(halves.join(''), config)
        return [session, await oauth.session()]";
    let config =
        world.appfigures(json!({ "scope": ["products:write", "products:read", "account:read"] }));
    let seen = world.run(script, &[halves.clone(), config]).await;
    assert_eq!(seen[0], seen[1]);
    assert_eq!(
        seen[0],
        json!({
            "provider": "appfigures", "site": null, "clientId": "appfigures-sandbox",
            "scope": ["products:write", "account:read"], "expiresAt": null, "renewable": false, "state": "active", "extra": {},
            "returnTo": null, "appState": null, "rateLimit": null, "keep": null, "shared": false, "claims": null,
        })
    );
    assert_eq!(
        world.sandbox.requests(),
        [],
        "it is taken at the caller's word"
    );
    let answer = world.fetch_private("/v2/products/mine", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(world.calls("/v2")[0].token.as_deref(), Some(TOKEN));

    // Nowhere else.
    world.sandbox.forget_requests();
    let script = "const [origin, foreign] = args
        const codes = []
        for (const url of [foreign + '/v2/sales', origin + '/users/me', origin + '/v2x', origin + '/v2/../users/me', '/v2/sales'])
            codes.push((await outcome(oauth.fetchPrivate(url))).error?.code)
        return codes";
    let args = [json!(world.sandbox_origin), json!(world.foreign.origin)];
    let codes = world.run(script, &args).await;
    assert_eq!(codes, json!(vec!["undeclared_resource_server"; 5]));
    assert_eq!(
        (world.sandbox.requests(), world.foreign.requests()),
        (vec![], vec![])
    );
    // It is checked as any other.
    let answer = world.fetch_private("/v2/sales", Value::Null).await;
    assert_eq!(answer["error"]["code"], "insufficient_scope", "{answer}");
    assert_eq!(world.sandbox.requests(), []);

    // Nowhere a script can look.
    let seen = world.run("return await search([args[0]])", &[halves]).await;
    assert_eq!(seen["found"], json!([]));
    assert_eq!(seen["wasm"], json!([]));
    assert_eq!(seen["whole"], true);
    let storage = "return [sessionStorage.length, localStorage.length, document.cookie]";
    assert_eq!(world.run(storage, &[]).await, json!([0, 0, ""]));

    // A logout forgets it.
    world.run("await oauth.logout()", &[]).await;
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    let answer = world.fetch_private("/v2/account", Value::Null).await;
    assert_eq!(answer["error"]["code"], "login_required", "{answer}");
    assert_eq!(world.calls("/v2/account"), []);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_token_that_is_refused_or_none_is_said_to_be_so_without_showing_it() {
    let world = World::start().await;
    world.open_app(APP).await;
    let row = &provider_file("appfigures")["errors"][1];
    assert_eq!(row["status"], 401);
    // The sandbox knows no such token; and it may echo what it refuses.
    adopt(&world, "pat_revoked", json!({ "language": "es" })).await;
    let echo = "{\"status\":401,\"message\":\"no such token: pat_revoked\"}";
    for echoes in [false, true] {
        if echoes {
            fail(&world, "/v2/account", 1, answer(401, &[], echo));
        }
        let seen = explained(&world, "/v2/account", Value::Null).await;
        assert_eq!(
            (&seen[0], &seen[1]["code"]),
            (&json!(401), &json!("request_refused")),
            "{seen}"
        );
        assert_eq!(said(&seen[1]), row["message"]["es"]);
        assert_eq!(seen[1]["remedy"], row["remedy"]["es"]);
        assert!(!seen.to_string().contains("pat_revoked"), "{seen}");
    }
    assert_eq!(
        statuses(&world.calls("/v2/account")),
        [401, 401],
        "there is nothing to renew"
    );

    let script = "const [config] = args
        await oauth.logout()
        const wrong = []
        const values = ['', ' ', 'secret\\nword', 'secret\\r\\nx: y', 'secret word', 'secr\\u00e9t', 'secret\\0',
            5, true, null, undefined, ['secret'], { secret: 1 }, Symbol('secret'), 5n, () => 'secret',
            { toString: () => 'secret' }, { toString() { throw new Error('secret') } }]
        for (const [at, value] of values.entries()) {
            const { error, value: session } = await outcome(Promise.resolve().then(() => oauth.adoptToken(value, config)))
            const text = JSON.stringify(error) ?? ''
            const good = error?.name === 'OAuthError' && error.code === 'invalid_config'
                && error.message.includes('accessToken') && !/secr[^e]*[e\\u00e9]t/.test(text)
            if (!good) wrong.push([at, typeof value, error ?? session ?? 'nothing'])
        }
        const { resourceServers, ...nowhere } = config
        const own = { ...nowhere, provider: { name: 'own' } }
        return { wrong, nowhere: (await outcome(oauth.adoptToken('secret', own))).error,
            session: await oauth.session(), stored: { ...sessionStorage } }";
    world.sandbox.forget_requests();
    let seen = world.run(script, &[world.appfigures(json!({}))]).await;
    assert_eq!(seen["wrong"], json!([]));
    assert_eq!(seen["nowhere"]["code"], "invalid_config", "{seen}");
    assert_eq!(seen["session"], Value::Null);
    // A logout leaves its time there, and that is all.
    let stored = seen["stored"].to_string();
    let kept = ["secret", "pat_", "pending"]
        .iter()
        .find(|word| stored.contains(**word));
    assert_eq!(kept, None, "{stored}");
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_call_waits_as_the_server_says_and_as_long_as_the_caller_allows() {
    let world = World::start().await;
    world.open_app(APP).await;
    adopt(&world, TOKEN, json!({})).await;
    let me = "/v2/account";
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";

    // Seconds and dates, 429 and 420, with and without a word of the server's.
    for (status, after, times, method) in [
        (429, Some("0"), 2, "GET"),
        (420, Some("0"), 1, "GET"),
        (429, Some(past), 2, "GET"),
        (420, None, 1, "GET"),
        (429, Some("soon"), 1, "GET"),
        (429, Some("0"), 1, "HEAD"),
    ] {
        world.sandbox.forget_requests();
        let headers: Vec<_> = after.iter().map(|after| ("retry-after", *after)).collect();
        fail(&world, me, times, answer(status, &headers, "{}"));
        let init = json!({ "maxWait": 5, "method": method });
        let seen = world.fetch_private(me, init).await;
        let mut expected = vec![status; times];
        // The sandbox knows no HEAD.
        expected.push(if method == "HEAD" { 405 } else { 200 });
        assert_eq!(
            seen["value"]["status"],
            *expected.last().expect("one"),
            "{seen}"
        );
        assert_eq!(statuses(&world.calls(me)), expected, "{status} {after:?}");
    }
    // A second is waited for in full.
    fail(&world, me, 1, answer(429, &[("retry-after", "1")], "{}"));
    let script = "const start = performance.now()
        const { status } = await oauth.fetchPrivate(args[0], { maxWait: 2 })
        return [status, performance.now() - start]";
    let url = json!(format!("{}{me}", world.sandbox_origin));
    let seen = world.run(script, std::slice::from_ref(&url)).await;
    let waited = seen[1].as_f64().expect("milliseconds");
    assert!(seen[0] == 200 && waited >= 990.0, "{seen}");

    // Not longer than the caller allows: the refusal is the caller's to see, at once where it must be.
    for (after, allowed, sent) in [
        // Each costs a second and what chance adds.
        (Some("0"), json!(3), 3),
        (Some("3"), json!(2), 1),
        (Some("86400"), json!(86_399), 1),
        (Some("99999999999999999999"), json!(4_294_967_295_u32), 1),
        (Some("Fri, 31 Dec 9999 23:59:59 GMT"), json!(3600), 1),
        (None, json!(0), 1),
        (None, Value::Null, 1),
    ] {
        world.sandbox.forget_requests();
        let headers: Vec<_> = after.iter().map(|after| ("retry-after", *after)).collect();
        fail(
            &world,
            me,
            10,
            answer(429, &headers, "{\"message\":\"slow\"}"),
        );
        let init = if allowed.is_null() {
            json!({})
        } else {
            json!({ "maxWait": allowed })
        };
        let seen = world.fetch_private(me, init).await;
        assert_eq!(seen["value"]["status"], 429, "{seen}");
        assert_eq!(seen["value"]["body"], "{\"message\":\"slow\"}");
        assert_eq!(world.calls(me).len(), sent, "{after:?} {allowed}");
    }
    world.sandbox.change(|settings| settings.faults.clear());
    world.sandbox.forget_requests();
    for wrong in [json!(-1), json!("5"), json!(true), json!([1])] {
        let seen = world.fetch_private(me, json!({ "maxWait": wrong })).await;
        assert_eq!(seen["error"]["code"], "invalid_request", "{wrong}: {seen}");
        let message = seen["error"]["message"].as_str().expect("text");
        assert!(message.contains("maxWait"), "{message}");
    }
    assert_eq!(world.sandbox.requests(), []);

    // What writes is sent once, whatever the caller says of it; and no other status is waited for.
    let headers = [("retry-after", "0")];
    for (method, idempotent) in [
        ("POST", false),
        ("PUT", true),
        ("DELETE", true),
        ("POST", true),
    ] {
        world.sandbox.forget_requests();
        fail(&world, "/v2/events", 10, answer(429, &headers, "{}"));
        let init = json!({ "method": method, "idempotent": idempotent, "maxWait": 5 });
        let seen = world.fetch_private("/v2/events/1", init).await;
        assert_eq!(seen["value"]["status"], 429, "{seen}");
        assert_eq!(world.calls("/v2/events").len(), 1, "{method}");
    }
    for status in [503, 403, 400, 500] {
        world.sandbox.forget_requests();
        fail(&world, me, 10, answer(status, &headers, "{}"));
        let seen = world.fetch_private(me, json!({ "maxWait": 5 })).await;
        assert_eq!(seen["value"]["status"], status, "{seen}");
        assert_eq!(world.calls(me).len(), 1);
    }
    world.is_quiet().await;
}

#[tokio::test]
async fn who_gives_up_while_a_call_waits_is_answered_at_once_and_nothing_more_is_sent() {
    let world = World::start().await;
    world.open_app(APP).await;
    adopt(&world, TOKEN, json!({})).await;
    let limit = |after| {
        answer(
            429,
            &[("retry-after", after), ("x-request-limit", "9")],
            "{}",
        )
    };
    let fault = |path: &str, after, times| Fault::new(path, limit(after)).times(times);
    world.sandbox.change(|settings| {
        settings.faults = vec![
            fault("/v2/sales", "1", 9),
            fault("/v2/ads", "3600", 9),
            fault("/v2/payments", "1", 2),
        ];
    });
    // Both wait: their answers have been seen.
    let script = "const [origin] = args
        const reasons = [new Error('enough'), { plain: 'reason' }]
        const calls = []
        for (const [at, path] of ['/v2/sales', '/v2/ads'].entries()) {
            const stop = new AbortController()
            const before = performance.getEntriesByType('resource').length
            const call = oauth.fetchPrivate(origin + path, { maxWait: 100000, signal: stop.signal })
            let settled = false
            call.then(() => { settled = true }, () => { settled = true })
            const answered = () => performance.getEntriesByType('resource').some(entry => entry.name === origin + path)
            while (!answered() || !(await oauth.session()).rateLimit) await new Promise(go => setTimeout(go))
            const early = settled
            const start = performance.now()
            stop.abort(reasons[at])
            const very = await call.then(() => 'answered', reason => reason === reasons[at])
            calls.push([early, very, performance.now() - start < 500])
        }
        // Longer than the first would have waited.
        const { status } = await oauth.fetchPrivate(origin + '/v2/payments', { maxWait: 10 })
        const gone = AbortSignal.abort(reasons[0])
        const never = await oauth.fetchPrivate(origin + '/v2/archive', { maxWait: 10, signal: gone })
            .catch(reason => reason === reasons[0])
        return { calls, status, never }";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(
        seen,
        json!({ "calls": [[false, true, true], [false, true, true]], "status": 200, "never": true })
    );
    let sent = |path: &str| statuses(&world.calls(path));
    assert_eq!(sent("/v2/sales"), [429]);
    assert_eq!(sent("/v2/ads"), [429]);
    assert_eq!(sent("/v2/payments"), [429, 429, 200]);
    assert_eq!(sent("/v2/archive"), [0; 0]);

    // Who logs out meanwhile has no token to send.
    adopt(&world, TOKEN, json!({})).await;
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault("/v2/reviews", "1", 9)]);
    let script =
        "const call = outcome(oauth.fetchPrivate(args[0] + '/v2/reviews', { maxWait: 10 }))
        while (!(await oauth.session()).rateLimit) await new Promise(go => setTimeout(go))
        await oauth.logout()
        return (await call).error?.code";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(seen, "login_required");
    assert_eq!(sent("/v2/reviews"), [429]);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_call_that_has_waited_is_renewed_and_narrowed_as_any_other() {
    let world = World::start().await;
    world.open_app(APP).await;
    let config = world.config(json!({ "scopeHeader": "X-OAuth-Scope" }));
    let outcome = world.log_in_here(config).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.sandbox.expire_tokens();
    fail(
        &world,
        "/users",
        1,
        answer(429, &[("retry-after", "0")], "{}"),
    );
    let init = json!({ "scope": "read", "maxWait": 2 });
    let seen = world.fetch_private("/users/me", init).await;
    assert_eq!(seen["value"]["status"], 200, "{seen}");
    let calls = world.calls("/users/me");
    assert_eq!(statuses(&calls), [429, 401, 200]);
    assert!(calls[0].token == calls[1].token && calls[1].token != calls[2].token);
    assert_eq!(world.token_requests("refresh_token"), 1);
    for request in world.sandbox.requests() {
        if request.path == "/users/me" && request.method == "GET" {
            assert_eq!(request.header("x-oauth-scope"), Some("read"));
        }
    }
}

#[tokio::test]
async fn the_session_says_how_many_requests_are_left() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.appfigures_daily_limit = 2;
        settings.retry_after = Some("3600".into());
    });
    world.open_app(APP).await;
    adopt(&world, TOKEN, json!({ "language": "en" })).await;
    let limit = async || {
        world
            .run("return (await oauth.session()).rateLimit", &[])
            .await
    };
    assert_eq!(limit().await, Value::Null);
    for usage in 1..=2 {
        let answer = world.fetch_private("/v2/account", Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
        assert_eq!(limit().await, json!({ "limit": 2, "usage": usage }));
    }
    let seen = explained(&world, "/v2/account", Value::Null).await;
    assert_eq!(seen[0], 420);
    let error = &seen[1];
    assert_eq!(error["code"], "rate_limited", "{seen}");
    assert_eq!(error["retryable"], true);
    assert_eq!(error["retryAfter"], 3600);
    assert_eq!(error["rateLimit"], json!({ "limit": 2, "usage": 2 }));
    let message = error["message"].as_str().expect("text");
    assert!(message.contains("used up its requests"), "{message}");

    // Headers that are no numbers, or that do not come, or that the page may not read, change nothing.
    let headers = [("x-request-limit", "many"), ("x-request-usage", "-1")];
    fail(&world, "/v2", 1, answer(200, &headers, "{}"));
    world.fetch_private("/v2/account", Value::Null).await;
    assert_eq!(limit().await, json!({ "limit": 2, "usage": 2 }));
    fail(
        &world,
        "/v2",
        1,
        answer(200, &[("x-request-limit", "7")], "{}"),
    );
    world.fetch_private("/v2/account", Value::Null).await;
    assert_eq!(limit().await, json!({ "limit": 7, "usage": null }));
    adopt(&world, TOKEN, json!({})).await;
    assert_eq!(limit().await, Value::Null, "another session");

    // The token endpoint says it too, in seconds or as a date.
    let path = "/v2/oauth2/access_token";
    for (after, seconds) in [
        (Some("120"), json!(120)),
        (Some("Wed, 21 Oct 2015 07:28:00 GMT"), json!(0)),
        (Some("soon"), Value::Null),
        (None, Value::Null),
    ] {
        let headers: Vec<_> = after.iter().map(|after| ("retry-after", *after)).collect();
        fail(&world, path, 1, answer(429, &headers, "{}"));
        let outcome = world.log_in_here(world.appfigures(json!({}))).await;
        let error = &outcome["error"];
        assert_eq!(error["code"], "rate_limited", "{outcome}");
        assert_eq!(error["retryAfter"], seconds, "{after:?}: {outcome}");
        assert_eq!(error["retryable"], true);
    }
}

#[tokio::test]
async fn a_challenge_for_more_scope_becomes_what_to_ask_for_and_only_once() {
    let world = World::start().await;
    world.open_app(APP).await;
    // Of its own: the sandbox knows better than the session what the token may do.
    world.sandbox.change(|settings| {
        settings.personal_access_tokens[0].scope = vec!["public:read".into()];
    });
    adopt(&world, TOKEN, json!({})).await;
    let answer_ = world.fetch_private("/v2/sales", Value::Null).await;
    let error = &answer_["error"];
    assert_eq!(error["code"], "insufficient_scope", "{answer_}");
    assert_eq!(error["scope"], json!(["private:read"]));
    assert_eq!(error["ask"], json!({ "scope": ["private:read"] }));
    assert_eq!(statuses(&world.calls("/v2/sales")), [403]);

    // Whatever the status and the writing.
    let log_in = async |more: Value| {
        let outcome = world.log_in_here(world.appfigures(more)).await;
        assert!(outcome["value"].is_object(), "{outcome}");
    };
    log_in(json!({ "scope": "public:read" })).await;
    for (status, challenge) in [
        (
            403,
            "Bearer error=\"insufficient_scope\", scope=\"products:write private:read\"",
        ),
        (
            401,
            "Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"products:write private:read\"",
        ),
        (
            403,
            "bearer ERROR=insufficient_scope,scope=\"products:write  private:read\"",
        ),
        (
            403,
            "DPoP algs=\"ES256\", Bearer scope=\"products:write private:read\", error_description=\"a, b=\\\"c\\\"\", \
             error=\"insufficient_scope\"",
        ),
    ] {
        world.sandbox.forget_requests();
        fail(
            &world,
            "/v2/reviews",
            2,
            answer(status, &[("www-authenticate", challenge)], "{}"),
        );
        let seen = world.fetch_private("/v2/reviews", Value::Null).await;
        let error = &seen["error"];
        assert_eq!(error["code"], "insufficient_scope", "{challenge}: {seen}");
        assert_eq!(error["scope"], json!(["products:write", "private:read"]));
        let wanted = json!({ "scope": ["public:read", "products:write", "private:read"] });
        assert_eq!(error["ask"], wanted, "{challenge}");
        assert_eq!(statuses(&world.calls("/v2/reviews")), [status]);
    }
    // Other refusals stay responses.
    for (status, challenge) in [
        (403, "Bearer"),
        (403, "Basic realm=\"insufficient_scope\""),
        (
            403,
            "Bearer error=\"access_denied\", scope=\"private:read\"",
        ),
        (
            400,
            "Bearer error=\"insufficient_scope\", scope=\"private:read\"",
        ),
        (403, ""),
        (403, "Bearer error=\"insufficient_scope"),
    ] {
        fail(
            &world,
            "/v2/reviews",
            1,
            answer(status, &[("www-authenticate", challenge)], "{}"),
        );
        let seen = world.fetch_private("/v2/reviews", Value::Null).await;
        let unclosed = challenge.ends_with("scope");
        assert!(
            seen["value"]["status"] == status || unclosed,
            "{challenge}: {seen}"
        );
        assert!(unclosed || seen["error"].is_null());
    }

    // The login that was asked for gets the same answer: another one would go round in circles.
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"private:read\"";
    let kind = || answer(403, &[("www-authenticate", challenge)], "{}");
    fail(&world, "/v2/reviews", 1, kind());
    let seen = world.fetch_private("/v2/reviews", Value::Null).await;
    log_in(seen["error"]["ask"].clone()).await;
    fail(&world, "/v2/reviews", 1, kind());
    let seen = world.fetch_private("/v2/reviews", Value::Null).await;
    assert_eq!(seen["error"]["code"], "insufficient_scope", "{seen}");
    assert_eq!(seen["error"]["ask"], Value::Null, "asked for already");
    world.is_quiet().await;
}

#[tokio::test]
async fn a_challenge_for_a_stronger_login_becomes_what_to_ask_for_and_only_once() {
    let world = World::start().await;
    world.open_app(APP).await;
    let own = json!({ "platform_id": "mp" });
    let config = world.config(json!({ "authorizationParameters": own }));
    let outcome = world.log_in_here(config.clone()).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let start =
        "Bearer error=\"insufficient_user_authentication\", error_description=\"More, please\"";
    let challenged = async |rest: &str| {
        let challenge = format!("{start}{rest}");
        world.sandbox.forget_requests();
        fail(
            &world,
            "/users",
            2,
            answer(401, &[("www-authenticate", &challenge)], "{}"),
        );
        let seen = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(
            statuses(&world.calls("/users")),
            [401],
            "no renewal helps: {seen}"
        );
        assert_eq!(world.token_requests("refresh_token"), 0);
        let error = seen["error"].clone();
        assert_eq!(
            error["code"], "insufficient_user_authentication",
            "{rest}: {seen}"
        );
        assert_eq!(error["retryable"], false);
        world.sandbox.change(|settings| settings.faults.clear());
        error
    };
    let parameters = |error: &Value| error["ask"]["authorizationParameters"].clone();
    let asked = parameters(&challenged(", acr_values=\"myACR other\", max_age=\"5\"").await);
    assert_eq!(
        (&asked["acr_values"], &asked["max_age"]),
        (&json!("myACR other"), &json!("5"))
    );
    let asked = parameters(&challenged(", max_age=0").await);
    assert_eq!(
        (&asked["acr_values"], &asked["max_age"]),
        (&Value::Null, &json!("0"))
    );

    let error = challenged(", acr_values=\"strong\"").await;
    assert_eq!(parameters(&error)["acr_values"], "strong");
    let script = "let went
        await oauth.startLogin({ ...args[0], ...args[1], navigate: url => { went = url } })
        return went";
    let url = world.run(script, &[config, error["ask"].clone()]).await;
    let url = url.as_str().expect("a URL");
    assert_eq!(parameter(url, "acr_values").as_deref(), Some("strong"));
    assert_eq!(
        parameter(url, "platform_id").as_deref(),
        Some("mp"),
        "what was asked before stays"
    );
    let outcome = world
        .outcome(
            "oauth.handleRedirect(args[0])",
            &[json!(world.redirect(url))],
        )
        .await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let answer_ = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer_["value"]["status"], 200, "{answer_}");
    let error = challenged(", acr_values=\"strong\"").await;
    assert_eq!(error["ask"], Value::Null, "asked for already");
    let error = challenged(", acr_values=\"stronger\"").await;
    assert_eq!(
        parameters(&error)["acr_values"],
        "stronger",
        "that is another question"
    );
    // Nothing in particular is wanted: there is nothing to ask for.
    let error = challenged("").await;
    assert_eq!(error["ask"], Value::Null);
    world.is_quiet().await;
}
