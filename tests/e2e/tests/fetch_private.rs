//! `fetchPrivate`: `fetch` with a token, which goes where it was declared to go and nowhere else.

use e2e::{APP, Call, Engine, Lack, World};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// A session whose access token has ended already and can be renewed; what comes next lives six hours.
async fn expired_session(world: &World) {
    world.brief_tokens(true);
    world.log_in(json!({})).await;
    world.brief_tokens(false);
    world.sandbox.forget_requests();
}

async fn fresh_session(world: &World) {
    world
        .sandbox
        .change(|settings| settings.expires_in = 21_600);
    world.log_in(json!({})).await;
    world.sandbox.forget_requests();
}

fn fail_once(world: &World, path: &str, kind: FaultKind) {
    let fault = Fault::new(path, kind);
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
}

fn statuses(calls: &[Call]) -> Vec<u16> {
    calls.iter().map(|call| call.status).collect()
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

#[tokio::test]
async fn strings_urls_and_requests_go_out_with_the_token_and_the_native_response_comes_back() {
    let world = World::start().await;
    fresh_session(&world).await;
    let script = "const [origin] = args
        const url = origin + '/users/me'
        const made = [
            url,
            new URL(url),
            new Request(url),
            { toString: () => url },
            url.replace('http', 'HTTP'),
            origin + '/sites/../users/%6de/../me#fragment',
        ]
        const seen = []
        for (const input of made) {
            const response = await oauth.fetchPrivate(input)
            const { email } = await response.json()
            seen.push([response instanceof Response, response.status, response.type, response.url === url, email])
        }
        return seen";
    let seen = world.run(script, &[json!(world.sandbox_origin)]).await;
    let row = json!([true, 200, "cors", true, "test_user_38730994@testuser.com"]);
    assert_eq!(seen, json!([row, row, row, row, row, row]));
    let calls = world.calls("/users");
    assert_eq!(calls.len(), 6);
    let token = calls[0].token.clone().expect("a bearer token");
    assert!(token.starts_with("APP_USR-1620218256833906-"), "{token}");
    for call in calls {
        assert_eq!(call.token.as_ref(), Some(&token));
    }

    let body = json!({ "title": "Ü", "price": 10 });
    let headers = json!({ "Content-Type": "application/json", "Accept": "application/json" });
    let post = json!({ "method": "POST", "headers": headers, "body": body.to_string() });
    let script = "const [url, init] = args
        const statuses = []
        for (const call of [
            () => oauth.fetchPrivate(url, init),
            () => oauth.fetchPrivate(new URL(url), { ...init, body: new Blob([init.body]) }),
            () => oauth.fetchPrivate(new Request(url, init)),
            () => oauth.fetchPrivate(new Request(url, { ...init, body: 'not this' }), { body: init.body }),
            () => oauth.fetchPrivate(url, { ...init, headers: new Headers(init.headers) }),
            () => oauth.fetchPrivate(url, { ...init, headers: Object.entries(init.headers) }),
        ]) statuses.push((await call()).status)
        return statuses";
    let url = format!("{}/items", world.sandbox_origin);
    let statuses = world.run(script, &[json!(url), post]).await;
    assert_eq!(statuses, json!([201, 201, 201, 201, 201, 201]));
    let requests = world.sandbox.requests();
    let posted: Vec<_> = requests
        .iter()
        .filter(|request| request.method == "POST")
        .collect();
    assert_eq!(posted.len(), 6);
    for request in posted {
        assert_eq!(request.body, body.to_string());
        let header = |name| request.header(name).unwrap_or_default();
        assert_eq!(header("authorization"), format!("Bearer {token}"));
        assert_eq!(header("accept"), "application/json");
        assert_eq!(header("content-type"), "application/json");
    }

    for (path, status) in [
        ("/nothing/here", 404),
        ("/users/314029626", 403),
        ("/sites/MLB", 200),
    ] {
        let answer = world.fetch_private(path, Value::Null).await;
        assert_eq!(answer["value"]["status"], status, "{answer}");
        assert_eq!(answer["value"]["native"], true);
    }
    fail_once(&world, "/users", FaultKind::Status500);
    assert_eq!(me(&world).await["value"]["status"], 500);
    // Firefox sends a GET again when the connection drops.
    let drops = Fault::new("/users", FaultKind::DropBefore).times(20);
    world
        .sandbox
        .change(|settings| settings.faults = vec![drops]);
    assert_eq!(me(&world).await["error"]["name"], "TypeError", "as fetch");
    assert_eq!(world.token_requests("refresh_token"), 0);
}

#[tokio::test]
async fn a_call_without_a_request_of_its_own_is_what_fetch_would_make_of_it() {
    let world = World::start().await;
    fresh_session(&world).await;
    let url = format!("{}/items", world.sandbox_origin);
    let script = "const [url] = args
        class Init { get method() { return 'POST' } get body() { return 'inherited' } }
        const inits = [
            undefined,
            null,
            {},
            { method: 'HEAD' },
            { method: 'post', body: 'small letters' },
            { method: 'POST' },
            { method: 'POST', body: '' },
            { method: 'POST', body: 'text' },
            { method: 'POST', body: new URLSearchParams({ a: 'b' }) },
            { method: 'POST', body: 'json', headers: { 'Content-Type': 'application/json' } },
            { headers: { 'Accept-Language': 'de', 'accept-language': 'fr' } },
            { headers: { Accept: ' a/b ' } },
            { headers: { accept: 5 } },
            { headers: [['accept', 'c/d']] },
            new Init(),
            Object.create(null, { method: { value: 'HEAD' } }),
        ]
        for (const init of inits) {
            const ours = await oauth.fetchPrivate(url, init)
            const theirs = await oauth.fetchPrivate(new Request(url, init))
            if (ours.status !== theirs.status) throw new Error(`${ours.status} and ${theirs.status}`)
        }
        return inits.length";
    let count = world.run(script, &[json!(url)]).await;
    let requests = world.sandbox.requests();
    let sent: Vec<_> = requests
        .iter()
        .filter(|request| request.path == "/items" && request.method != "OPTIONS")
        .map(|request| {
            let headers = ["authorization", "accept", "accept-language", "content-type"];
            let headers = headers.map(|name| request.header(name).unwrap_or_default());
            (&request.method, headers, &request.body)
        })
        .collect();
    assert_eq!(
        json!(sent.len()),
        json!(2 * count.as_u64().expect("a number"))
    );
    for pair in sent.chunks(2) {
        assert_eq!(pair[0], pair[1]);
        assert!(pair[0].1[0].starts_with("Bearer "), "{pair:?}");
    }
    assert!(sent.iter().any(|(_, headers, _)| headers[2] == "de, fr"));

    let script = "const [url] = args
        const failed = []
        for (const [input, init] of [
            [url, { body: 'of a GET' }],
            [url, { method: 'a b' }],
            [url, { headers: { 'a b': 'c' } }],
            [url, { headers: { accept: '\\u20ac' } }],
            ['https://[', {}],
            [url.replace('://', '://user@'), {}],
            [url, { headers: { AUTHORIZATION: 'mine' } }],
            [url, { headers: { authorization: '' } }],
        ]) failed.push(await oauth.fetchPrivate(input, init).then(() => 'sent', e => e.code || e.name))
        return failed";
    let (wrong, refused) = ("TypeError", "invalid_request");
    assert_eq!(
        world.run(script, &[json!(url)]).await,
        json!([wrong, wrong, wrong, wrong, wrong, wrong, refused, refused])
    );
}

#[tokio::test]
async fn an_expired_token_is_renewed_before_it_is_used() {
    let world = World::start().await;
    expired_session(&world).await;
    let before = world.run("return await oauth.session()", &[]).await;
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.token_requests("refresh_token"), 1);
    let calls = world.calls("/");
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    let renewed = ["/oauth/token", "/users/me"];
    assert_eq!(paths, renewed, "renewed and sent, and nothing besides");
    let after = world.run("return await oauth.session()", &[]).await;
    let gained = "return args[0].expiresAt - args[1].expiresAt > 21000e3";
    assert_eq!(world.run(gained, &[after.clone(), before]).await, true);
    assert_eq!(after["renewable"], true);
    assert_eq!(after["extra"], json!({ "user_id": e2e::USER }));

    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.token_requests("refresh_token"), 1, "good for hours");
    for request in world.sandbox.requests() {
        if request.path == "/oauth/token" {
            assert_eq!(request.header("authorization"), None);
            assert_eq!(request.header("cookie"), None);
            assert_eq!(request.header("referer"), None);
        }
    }

    // Without a refresh token there is nothing to renew with.
    world.brief_tokens(true);
    world.log_in(json!({ "scope": ["read"] })).await;
    world.sandbox.forget_requests();
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_401_renews_once_and_sends_once_more_where_that_does_no_harm() {
    let world = World::start().await;
    fresh_session(&world).await;
    let renewals = || world.token_requests("refresh_token");

    // With the challenge's reason, and without any detail.
    for says_why in [true, false] {
        world
            .sandbox
            .change(|settings| settings.www_authenticate = says_why);
        world.sandbox.forget_requests();
        world.sandbox.expire_tokens();
        assert_eq!(me(&world).await["value"]["status"], 200);
        let calls = world.calls("/users");
        assert_eq!(statuses(&calls), [401, 200]);
        assert_ne!(calls[0].token, calls[1].token);
        assert_eq!(renewals(), 1);
    }

    // A POST is not sent again, and the 401 is the caller's.
    let headers = json!({ "Content-Type": "application/json" });
    let mut post = json!({ "method": "POST", "headers": headers, "body": "{\"title\":\"x\"}" });
    world.sandbox.forget_requests();
    world.sandbox.expire_tokens();
    let answer = world.fetch_private("/items", post.clone()).await;
    assert_eq!(answer["value"]["status"], 401, "{answer}");
    assert_eq!(statuses(&world.calls("/items")), [401]);
    assert_eq!(world.calls("/items")[0].method, "POST");

    // Not by a flag that is no flag, nor by one that is not the caller's own.
    for flag in [json!(1), json!("true"), json!({})] {
        post["idempotent"] = flag;
        // The call after a refused one renews first.
        assert_eq!(me(&world).await["value"]["status"], 200);
        world.sandbox.expire_tokens();
        let answer = world.fetch_private("/items", post.clone()).await;
        assert_eq!(answer["value"]["status"], 401, "{answer}");
    }

    // With the caller's word it is, body and all.
    post["idempotent"] = true.into();
    assert_eq!(me(&world).await["value"]["status"], 200);
    world.sandbox.forget_requests();
    world.sandbox.expire_tokens();
    let answer = world.fetch_private("/items", post).await;
    assert_eq!(answer["value"]["status"], 201, "{answer}");
    assert_eq!(statuses(&world.calls("/items")), [401, 201]);
    for request in world.sandbox.requests() {
        if request.path == "/items" && request.method == "POST" {
            assert_eq!(request.body, "{\"title\":\"x\"}");
        }
    }
    assert_eq!(renewals(), 1);

    // Twice 401: the second comes back, and nothing goes round.
    world.sandbox.forget_requests();
    let fault = Fault::new("/users/me", FaultKind::Empty(401)).times(2);
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
    assert_eq!(me(&world).await["value"]["status"], 401);
    assert_eq!(statuses(&world.calls("/users")), [401, 401]);
    assert_eq!(renewals(), 1);

    // What a new token would not change is not renewed: another login is wanted.
    world.sandbox.forget_requests();
    let challenge = "Bearer error=\"insufficient_scope\"";
    let kind = FaultKind::json(401, "{}", &[("www-authenticate", challenge)]);
    fail_once(&world, "/users/me", kind);
    let refusal = me(&world).await;
    assert_eq!(refusal["error"]["code"], "insufficient_scope", "{refusal}");
    assert_eq!(statuses(&world.calls("/users")), [401]);
    assert_eq!(renewals(), 0);
    assert_eq!(me(&world).await["value"]["status"], 200);
}

#[tokio::test]
async fn a_stream_is_not_sent_twice() {
    // Firefox makes text of a stream. Chromium wants HTTP/2 for it, so the page answers in the server's place.
    if Engine::from_env() != Engine::Chromium {
        return;
    }
    let world = World::start().await;
    world.app.serve(
        "/stream.html",
        "text/html",
        "<!doctype html><title>stream</title><link rel=icon href='data:,'>
        <script>
            const { fetch } = window
            window.streamed = []
            window.fetch = async (input, init) => {
                const sent = input instanceof Request ? input : new Request(input, init)
                if (sent.method !== 'PUT') return fetch(sent, init)
                streamed.push(await sent.text())
                return new Response('{}', { status: 401 })
            }
        </script>
        <script type=module src=/e2e/app.js></script>",
    );
    world.open_app("/stream.html").await;
    let page = format!("{}/stream.html", world.app.origin);
    let url = world.begin(json!({ "redirectUri": page })).await;
    let redirect = world.redirect(&url);
    let script = "const [redirect, origin] = args
        await oauth.handleRedirect(redirect)
        const body = () => new Blob(['once']).stream()
        const put = (body, more) => oauth.fetchPrivate(origin + '/items/1', {
            method: 'PUT', body, idempotent: true, ...more })
        const statuses = [(await put(body(), { duplex: 'half' })).status, streamed.splice(0)]
        return [...statuses, (await put('twice')).status, streamed]";
    let args = [json!(redirect), json!(world.sandbox_origin)];
    let seen = world.run(script, &args).await;
    assert_eq!(seen, json!([401, ["once"], 401, ["twice", "twice"]]));
    assert_eq!(
        world.token_requests("refresh_token"),
        2,
        "one before the call after the stream's, one for the text"
    );
}

#[tokio::test]
async fn a_thousand_calls_on_an_expired_token_make_one_renewal() {
    let world = World::start().await;
    expired_session(&world).await;
    let script = "const [url, count] = args
        const calls = Array.from({ length: count }, () => answered(oauth.fetchPrivate(url)))
        const statuses = (await Promise.all(calls)).map(call => call.value?.status ?? call)
        return [statuses.length, [...new Set(statuses)]]";
    let url = format!("{}/users/me", world.sandbox_origin);
    let count = match world.lacks(Lack::AThousandRequests) {
        true => 100,
        false => 1000,
    };
    let seen = world.run(script, &[json!(url), json!(count)]).await;
    assert_eq!(seen, json!([count, [200]]));
    assert_eq!(world.token_requests("refresh_token"), 1);
    let calls = world.calls("/users");
    assert_eq!(calls.len(), count);
    assert!(calls.iter().all(|call| call.token == calls[0].token));

    // The server's clock is ahead of ours: all get a 401, and one renewal serves them all.
    world.sandbox.expire_tokens();
    let seen = world.run(script, &[json!(url), json!(50)]).await;
    assert_eq!(seen, json!([50, [200]]));
    assert_eq!(world.token_requests("refresh_token"), 2);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_ends_the_session() {
    let world = World::start().await;
    expired_session(&world).await;
    world.sandbox.revoke_grants();
    let script = "const [url] = args
        const calls = [1, 2, 3].map(() => outcome(oauth.fetchPrivate(url)))
        return (await Promise.all(calls)).map(({ error }) => [error.code, error.error, error.status])";
    let url = format!("{}/users/me", world.sandbox_origin);
    let ended = json!(["session_ended", "invalid_grant", 400]);
    let seen = world.run(script, &[json!(url)]).await;
    assert_eq!(seen, json!([ended, ended, ended]), "told to all who waited");
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(world.calls("/users"), []);

    // The same by way of a 401.
    fresh_session(&world).await;
    world.sandbox.revoke_grants();
    assert_eq!(me(&world).await["error"]["code"], "session_ended");
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(world.token_requests("refresh_token"), 1);
}

/// What happens to the request that renews, once; the question whether the server is there goes through.
fn fail_renewal(world: &World, kind: FaultKind) {
    let fault = Fault::new("/oauth/token", kind).method("POST");
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_session_and_the_next_call_tries_again() {
    let world = World::start().await;
    let rate_limited = FaultKind::Documented("local_rate_limited".into());
    for (kind, code, retryable) in [
        (FaultKind::Status500, "server_error", true),
        (rate_limited, "rate_limited", true),
        (FaultKind::Html, "invalid_token_response", false),
    ] {
        expired_session(&world).await;
        fail_renewal(&world, kind);
        let answer = me(&world).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["error"]["retryable"], retryable);
        assert_eq!(world.token_requests("refresh_token"), 1, "{code}: one try");
        assert_eq!(world.calls("/users"), []);
        let session = world.run("return await oauth.session()", &[]).await;
        assert_eq!(session["renewable"], true, "{code}: {session}");
        assert_eq!(session["state"], "active");
        assert_eq!(me(&world).await["value"]["status"], 200, "{code}");
        assert_eq!(world.token_requests("refresh_token"), 2);
    }
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn a_hundred_calls_to_a_server_that_is_down_ask_it_a_few_times_and_lose_nothing() {
    let world = World::start().await;
    expired_session(&world).await;
    let down = Fault::new("/oauth/token", FaultKind::DropBefore).times(1000);
    world
        .sandbox
        .change(|settings| settings.faults = vec![down]);
    let script = "const codes = []
        for (let i = 0; i < 100; i++) {
            const { error } = await outcome(oauth.fetchPrivate(args[0]))
            codes.push(error.code + error.retryable)
        }
        return { codes: [...new Set(codes)], session: await oauth.session() }";
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    let seen = world.run(script, &[url]).await;
    assert_eq!(seen["codes"], json!(["network_errortrue"]));
    assert_eq!(seen["session"]["state"], "active");
    assert_eq!(seen["session"]["renewable"], true);
    // It was sent the refresh token, and from then on only asked whether it is there. Firefox asks twice where a connection
    // breaks.
    let asked = world.calls("/oauth/token").len();
    assert!((2..50).contains(&asked), "{asked}");
    let sent = world.token_requests("refresh_token");
    assert!((1..=2).contains(&sent), "{sent}");

    world.sandbox.change(|settings| settings.faults = vec![]);
    let back = "const end = performance.now() + 20000
        while (performance.now() < end) {
            const { value } = await outcome(oauth.fetchPrivate(args[0]))
            if (value) return value.status
            await new Promise(resolve => setTimeout(resolve, 50))
        }";
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    assert_eq!(world.run(back, &[url]).await, 200);
    assert_eq!(world.token_requests("refresh_token"), sent + 1);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_old_token_for_as_long_as_it_lives() {
    let world = World::start().await;
    // Due at once, and good for a while.
    world.sandbox.change(|settings| settings.expires_in = 20);
    world.log_in(json!({})).await;
    world.sandbox.forget_requests();
    assert_eq!(me(&world).await["value"]["status"], 200, "nothing is due");
    world.sandbox.expire_tokens();
    fail_renewal(&world, FaultKind::DropAfterProcessing);
    let answer = me(&world).await;
    assert_eq!(answer["error"]["code"], "session_indeterminate", "{answer}");
    assert_eq!(world.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_refresh_token_whose_answer_was_lost_is_sent_once_more_and_saves_the_session() {
    let world = World::start().await;
    expired_session(&world).await;
    fail_renewal(&world, FaultKind::DropBefore);
    let answer = me(&world).await;
    assert_eq!(answer["error"]["code"], "session_indeterminate", "{answer}");
    world.sandbox.change(|settings| settings.faults = vec![]);
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);

    // Where the first was spent, the provider says so: the session has ended, as it had without the second.
    world.brief_tokens(true);
    world.log_in(json!({})).await;
    world.brief_tokens(false);
    fail_renewal(&world, FaultKind::DropAfterProcessing);
    let answer = me(&world).await;
    assert_eq!(answer["error"]["code"], "session_indeterminate", "{answer}");
    world.sandbox.change(|settings| settings.faults = vec![]);
    let answer = me(&world).await;
    assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
}

/// What servers answer to a dead refresh token that is no `invalid_grant`.
#[tokio::test]
async fn a_renewal_that_is_refused_without_invalid_grant_ends_the_session_once() {
    let world = World::start().await;
    let listen = "window.told = []
        oauth.onSessionChange(change => told.push(change.reason ?? change.type))";
    for status in [400, 401, 403] {
        expired_session(&world).await;
        world.run(listen, &[]).await;
        fail_renewal(&world, FaultKind::Empty(status));
        let answer = me(&world).await;
        assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
        assert_eq!(answer["error"]["remedy"], "Call startLogin", "{answer}");
        world.sandbox.change(|settings| settings.faults = vec![]);
        assert_eq!(me(&world).await["error"]["code"], "login_required");
        assert_eq!(world.token_requests("refresh_token"), 1);
        assert_eq!(
            world.run("return told", &[]).await,
            json!(["session_ended"])
        );
    }
}

#[tokio::test]
async fn an_aborted_call_rejects_with_the_very_reason() {
    let world = World::start().await;
    fresh_session(&world).await;
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    // The reasons are made in the page, to be compared there.
    world
        .run(
            "window.reasons = ['stop', 5, { a: 1 }, null, new Error('stop'), undefined]",
            &[],
        )
        .await;
    let before = "const same = []
        for (const reason of reasons) {
            const controller = new AbortController()
            controller.abort(reason)
            const { signal } = controller
            for (const call of [() => oauth.fetchPrivate(args[0], { signal }),
                () => oauth.fetchPrivate(new Request(args[0], { signal }))])
                same.push(await call().then(() => 'answered', e => e === signal.reason))
        }
        return same";
    let same = world.run(before, std::slice::from_ref(&url)).await;
    assert_eq!(same, json!(vec![true; 12]));
    assert_eq!(world.sandbox.requests(), []);

    world.sandbox.hold("/users/me");
    // Chromium sends one request after the other to the same address, in case the answer may be cached.
    let start = "window.calls = reasons.map((reason, n) => {
            const controller = new AbortController()
            const { signal } = controller
            const call = oauth.fetchPrivate(args[0] + '?' + n, { signal }).then(() => 'answered', e => e === signal.reason)
            return { call, abort: () => controller.abort(reason) }
        })
        return null";
    let abort = "calls.forEach(({ abort }) => abort())
        const late = new Promise(resolve => setTimeout(resolve, 2000, 'still waiting'))
        return await Promise.all(calls.map(({ call }) => Promise.race([call, late])))";
    world.run(start, std::slice::from_ref(&url)).await;
    // Firefox opens six connections to one host at once.
    world.until_held(6).await;
    assert_eq!(world.run(abort, &[]).await, json!(vec![true; 6]));
    world.sandbox.release();

    // While the token is being renewed; who does not abort is served.
    expired_session(&world).await;
    world
        .run(
            "window.reasons = ['stop', 5, { a: 1 }, null, new Error('stop'), undefined]",
            &[],
        )
        .await;
    world.sandbox.hold("/oauth/token");
    world.run(start, std::slice::from_ref(&url)).await;
    world
        .run(
            "window.other = answered(oauth.fetchPrivate(args[0]))",
            std::slice::from_ref(&url),
        )
        .await;
    world.until_held(1).await;
    let at_once = world.run(abort, &[]).await;
    world.sandbox.release();
    let other = world.run("return await other", &[]).await;
    assert_eq!(other["value"]["status"], 200, "{other}");
    let reasons = "return await Promise.all(calls.map(({ call }) => call))";
    assert_eq!(world.run(reasons, &[]).await, json!(vec![true; 6]));
    assert_eq!(world.calls("/users").len(), 1, "the others never went out");
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(at_once, json!(vec![true; 6]), "an abort does not wait");

    // While the answer's body comes in.
    let script = "const controller = new AbortController()
        const { signal } = controller
        const response = await oauth.fetchPrivate(args[0], { signal })
        const reader = response.body.getReader()
        await reader.read()
        controller.abort('stop')
        for (;;) {
            try {
                if ((await reader.read()).done) return 'the whole body'
            } catch (e) {
                return e
            }
        }";
    let big = json!(format!("{}/big?bytes=60000000", world.sandbox_origin));
    let reason = world.run(script, &[big]).await;
    if !world.lacks(Lack::AbortReason) {
        assert_eq!(reason, "stop");
    }
    assert_ne!(reason, "the whole body");
    world.is_quiet().await;
}

#[tokio::test]
async fn of_two_sessions_the_url_decides() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        let mut second = settings.applications[0].clone();
        second.client_id = "2222".into();
        settings.applications.push(second);
    });
    world.open_app(APP).await;
    let at = |path: &str| format!("{}{path}", world.sandbox_origin);
    for more in [
        json!({ "resourceServers": [at("/users")], "appState": "users" }),
        json!({ "clientId": "2222", "resourceServers": [at("/items"), at("/users/me")], "appState": "items" }),
    ] {
        let redirect = world.redirect(&world.begin(more).await);
        let outcome = world
            .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
            .await;
        assert!(outcome["value"].is_object(), "{outcome}");
    }
    world.sandbox.forget_requests();
    let newest = world
        .run("return (await oauth.session()).appState", &[])
        .await;
    assert_eq!(newest, "items");
    for (path, client) in [
        ("/users/226384143", "1620218256833906"),
        ("/items/count", "2222"),
        ("/users/me", "2222"),
        ("/users/me/x", "2222"),
        ("/users/me2", "1620218256833906"),
        ("/items", "2222"),
    ] {
        world.sandbox.forget_requests();
        world.fetch_private(path, Value::Null).await;
        let calls = world.calls(path);
        let token = calls[0].token.clone().expect("a token");
        assert!(
            token.starts_with(&format!("APP_USR-{client}-")),
            "{path}: {token}"
        );
    }
    world.sandbox.forget_requests();
    let answer = world.fetch_private("/sites", Value::Null).await;
    assert_eq!(answer["error"]["code"], "undeclared_resource_server");
    assert_eq!(world.sandbox.requests(), []);

    // A renewal renews the session it is for.
    world.sandbox.expire_tokens();
    world.fetch_private("/items/1", Value::Null).await;
    world.fetch_private("/users/226384143", Value::Null).await;
    let requests = world.sandbox.requests();
    let renewed = requests
        .iter()
        .filter(|request| request.path == "/oauth/token" && request.method == "POST");
    let renewed: Vec<_> = renewed.map(|request| request.form("client_id")).collect();
    assert_eq!(
        renewed,
        [Some("1620218256833906".into())],
        "items/1 is a 404"
    );
}

#[tokio::test]
async fn after_a_logout_no_token_is_used() {
    let world = World::start().await;
    fresh_session(&world).await;
    assert_eq!(me(&world).await["value"]["status"], 200);
    world.sandbox.forget_requests();
    world.run("await oauth.logout()", &[]).await;
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(world.sandbox.requests(), []);

    // While a renewal is under way.
    expired_session(&world).await;
    world.sandbox.hold("/oauth/token");
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    let start = "window.call = answered(oauth.fetchPrivate(args[0]))
        return null";
    world.run(start, std::slice::from_ref(&url)).await;
    world.until_held(1).await;
    world.run("await oauth.logout()", &[]).await;
    world.sandbox.release();
    let answer = world.run("return await call", &[]).await;
    assert_eq!(answer["error"]["code"], "login_required", "{answer}");
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    assert_eq!(world.calls("/users"), []);

    // Between a 401 and the retry.
    fresh_session(&world).await;
    world.sandbox.expire_tokens();
    world.sandbox.hold("/oauth/token");
    world.run(start, std::slice::from_ref(&url)).await;
    world.until_held(1).await;
    world.run("await oauth.logout()", &[]).await;
    world.sandbox.release();
    let answer = world.run("return await call", &[]).await;
    assert_eq!(answer["error"]["code"], "login_required", "{answer}");
    assert_eq!(statuses(&world.calls("/users")), [401]);
}

#[tokio::test]
async fn a_logout_while_a_code_is_exchanged_leaves_nobody_logged_in() {
    let world = World::start().await;
    world.open_app(APP).await;
    let redirect = world.redirect(&world.begin(json!({})).await);
    world.sandbox.hold("/oauth/token");
    world.page.open(&redirect).await;
    world.until_held(1).await;
    world.run("await oauth.logout()", &[]).await;
    world.sandbox.release();
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_null(), "{outcome}");
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );
    assert_eq!(me(&world).await["error"]["code"], "login_required");
    assert_eq!(world.calls("/users"), []);
}
