//! What goes out with a token, and what does not: redirects, the caller's own headers, cookies, referrers.

use attacks::fresh_session;
use e2e::{APP, World};
use serde_json::{Value, json};

#[tokio::test]
async fn an_authorization_header_of_the_callers_own_is_refused_in_every_form() {
    let world = World::start().await;
    fresh_session(&world).await;
    let script = "const [url] = args
        class Sly extends Headers { has() { return false } get() { return null } }
        const authorization = 'Basic eDp5'
        const calls = [
            [url, { headers: { Authorization: authorization } }],
            [url, { headers: { authorization } }],
            [url, { headers: { AUTHORIZATION: authorization } }],
            [url, { headers: { aUtHoRiZaTiOn: '' } }],
            [url, { headers: new Headers({ authorization }) }],
            [url, { headers: new Sly({ authorization }) }],
            [url, { headers: [['Authorization', authorization]] }],
            [url, { headers: [['accept', '*/*'], ['authorization', authorization]] }],
            [url, { headers: new Map([['Authorization', authorization]]) }],
            [new Request(url, { headers: { authorization } })],
            [new Request(url, { headers: { authorization } }), { method: 'GET' }],
            [new Request(url), { headers: { authorization } }],
            [url, { mode: 'no-cors' }],
        ]
        const codes = []
        for (const call of calls) codes.push((await outcome(oauth.fetchPrivate(...call))).error?.code)
        return codes";
    let url = format!("{}/users/me", world.sandbox_origin);
    let codes = world.run(script, &[json!(url)]).await;
    assert_eq!(codes, json!(vec!["invalid_request"; 13]));
    assert_eq!(world.sandbox.requests(), [], "not even a preflight");
}

#[tokio::test]
async fn a_redirect_of_the_api_takes_the_token_nowhere() {
    let world = World::start().await;
    fresh_session(&world).await;
    let foreign = format!("{}/x", world.foreign.origin);
    for status in [301, 302, 303, 307, 308] {
        let path = format!("/redirect?to={foreign}&status={status}");
        for init in [
            Value::Null,
            json!({ "redirect": "error" }),
            json!({ "method": "POST", "body": "x" }),
        ] {
            let answer = world.fetch_private(&path, init).await;
            assert_eq!(answer["error"]["name"], "TypeError", "{answer}");
        }
    }
    assert_eq!(world.calls("/redirect").len(), 15);
    assert_eq!(world.foreign.requests(), []);

    // The caller's own choice is honoured, and the browser takes the header off on the way to another origin.
    let here = format!("/redirect?to={}/users/me", world.sandbox_origin);
    let there = format!("/redirect?to={foreign}");
    let follow = json!({ "redirect": "follow" });
    let answer = world.fetch_private(&here, follow.clone()).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    world.fetch_private(&there, follow).await;
    for request in world.foreign.requests() {
        assert!(
            !request.headers.contains_key("authorization"),
            "{request:?}"
        );
    }
    let script = "const response = await oauth.fetchPrivate(args[0], { redirect: 'manual' }); return response.type";
    let url = format!("{}{there}", world.sandbox_origin);
    assert_eq!(world.run(script, &[json!(url)]).await, "opaqueredirect");
}

#[tokio::test]
async fn neither_cookies_nor_a_referrer_go_along_unless_the_caller_says_so() {
    let world = World::start().await;
    // A resource server of the page's own origin may get cookies without asking first (there is no preflight).
    world.app.serve("/api", "application/json", "{}");
    let own = format!("{}/api", world.app.origin);
    let servers = json!([world.sandbox_origin, own]);
    world.log_in(json!({ "resourceServers": servers })).await;
    // Cookies know no ports.
    world.run("document.cookie = 'mark=1; path=/'", &[]).await;
    let page = format!("{}{APP}", world.app.origin);
    let origin = format!("{}/", world.app.origin);
    let shop = format!("{}/shop", world.app.origin);
    let script = "const [urls, init, wrapped] = args
        for (const url of urls) {
            const call = wrapped ? oauth.fetchPrivate(new Request(url, init)) : oauth.fetchPrivate(url, init ?? undefined)
            await call.catch(() => {})
        }";
    let urls = json!([format!("{}/users/me", world.sandbox_origin), own]);
    for (init, cookie, referer) in [
        (Value::Null, false, None),
        (json!({}), false, None),
        (json!({ "cache": "no-store" }), false, None),
        (json!({ "credentials": "omit" }), false, None),
        (json!({ "credentials": "same-origin" }), true, None),
        (json!({ "credentials": "include" }), true, None),
        (
            json!({ "referrerPolicy": "unsafe-url" }),
            false,
            Some(&page),
        ),
        (json!({ "referrerPolicy": "origin" }), false, Some(&origin)),
        (
            json!({ "referrerPolicy": "unsafe-url", "referrer": "/shop" }),
            false,
            Some(&shop),
        ),
        (json!({ "referrerPolicy": "no-referrer" }), false, None),
    ] {
        for wrapped in [false, true] {
            if wrapped && init.is_null() {
                continue;
            }
            let row = format!("{init} {wrapped}");
            world.sandbox.forget_requests();
            let before = world.app.requests().len();
            let args = [urls.clone(), init.clone(), json!(wrapped)];
            world.run(script, &args).await;

            // A Request does not say whether `same-origin` was chosen.
            let chosen = cookie && !(wrapped && init["credentials"] == "same-origin");
            let requests = world.app.requests();
            let [request] = &requests[before..] else {
                panic!("{row}: {:?}", &requests[before..]);
            };
            let has_mark = request
                .headers
                .get("cookie")
                .is_some_and(|cookies| cookies.contains("mark=1"));
            assert_eq!(has_mark, chosen, "{row}");
            assert_eq!(request.headers.get("referer"), referer, "{row}");
            let token = request.headers.get("authorization");
            assert!(token.is_some_and(|token| token.starts_with("Bearer APP_USR-")));

            // The sandbox allows no cookies, so the browser does not send the request after such a preflight.
            let sent = world.calls("/users/me").len();
            let wanted = usize::from(init["credentials"] != "include");
            assert_eq!(sent, wanted, "{row}");
            for request in world.sandbox.requests() {
                assert_eq!(request.header("cookie"), None, "{row}");
                let from = request.header("referer").map(str::to_owned);
                assert_eq!(from.as_ref(), referer, "{row}");
            }
        }
    }
}
