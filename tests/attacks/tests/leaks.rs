//! What could give a code or a token away by itself: the address bar, history, Referer, logs, errors.

use attacks::{home, plant_canaries};
use e2e::{APP, World, parameter};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

#[tokio::test]
async fn the_redirect_leaves_no_trace_in_what_the_page_loads_next() {
    let world = World::start().await;
    plant_canaries(&world);
    let page = format!(
        "<!doctype html><title>referrer</title><meta name=referrer content=unsafe-url><link rel=icon href='data:,'>
        <script type=module src=/e2e/app.js></script>
        <script type=module>document.body.append(Object.assign(new Image(), {{ src: '{}/pixel' }}))</script><body>",
        world.foreign.origin
    );
    world.app.serve("/referrer.html", "text/html", page);
    let home = format!("{}/referrer.html", world.app.origin);
    world.open_app(APP).await;
    let url = world.begin(json!({ "redirectUri": home })).await;
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let answer = world.fetch_private("/sites", json!({ "referrerPolicy": "unsafe-url" }));
    assert_eq!(answer.await["value"]["status"], 200);

    let code = parameter(&redirect, "code").expect("a code");
    let state = parameter(&redirect, "state").expect("a state");
    let foreign = world.foreign.requests();
    let pixel = foreign.iter().find(|request| request.path == "/pixel");
    let pixel = pixel.expect("the page asked for a picture");
    assert_eq!(pixel.headers.get("referer"), Some(&home));
    for request in &foreign {
        let text = format!("{request:?}");
        assert!(!text.contains(&code) && !text.contains(&state), "{text}");
    }
    for request in world.sandbox.requests() {
        let referer = request.header("referer").unwrap_or_default();
        assert!(!referer.contains(&code) && !referer.contains(&state));
    }
    // The page's own scripts are asked for by a document that still has its address; whatever comes later is not.
    for request in world.app.requests() {
        let early = request.path.ends_with(".js") || request.path == "/referrer.html";
        let referer = request.headers.get("referer").cloned();
        let clean = !referer.unwrap_or_default().contains(&code);
        assert!(clean || early, "{request:?}");
    }
}

#[tokio::test]
async fn history_never_shows_a_code_or_a_token() {
    let world = World::start().await;
    for (grant, logged_in) in [("code", false), ("token", true)] {
        world.page.open("/e2e/blank.html").await;
        world.start_login(json!({ "responseType": grant })).await;
        match logged_in {
            false => world.consent().await,
            true => world.page.click("#allow").await,
        }
        let outcome = world.redirected().await;
        assert!(outcome["session"].is_object(), "{outcome}");
        let mut ours = 0;
        loop {
            let url = world.page.url().await;
            if url.starts_with(&world.app.origin) {
                ours += 1;
                assert!(!url.contains("code=") && !url.contains("token="), "{url}");
                assert!(!url.contains("state="), "{url}");
            }
            if url.ends_with("/e2e/blank.html") {
                break;
            }
            world.page.back().await;
        }
        // A page that nobody has touched makes way for the provider's, so that Back does not end in it.
        assert!(ours >= 2, "back to where it began: {ours}");
    }
    let requests = world.app.requests();
    let with_code = requests
        .iter()
        .filter(|request| request.query.contains("code="));
    assert_eq!(with_code.count(), 1, "asked for by the provider alone");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn the_address_bar_is_clean_when_the_call_returns_although_the_server_never_answers() {
    let world = World::start().await;
    world.open_app(APP).await;
    let redirect = world.redirect(&world.begin(json!({})).await);
    world.sandbox.hold("/oauth/token");
    world.page.open(&redirect).await;
    world.until_held(1).await;
    let shown = world
        .run(
            "return [addressAfterCall, location.href, await oauth.session()]",
            &[],
        )
        .await;
    assert_eq!(shown, json!([home(&world), home(&world), null]));
    assert_eq!(world.page.url().await, home(&world));
    world.sandbox.release();
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
}

#[tokio::test]
async fn a_server_that_echoes_the_code_does_not_get_it_into_the_error() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let redirect = world.redirect(&url);
    let code = parameter(&redirect, "code").expect("a code");
    let words = json!({ "error": "invalid_grant", "error_description": format!("the code {code} is spent") });
    let kind = FaultKind::json(400, words, &[]);
    let fault = Fault::new("/oauth/token", kind);
    world.sandbox.change(|settings| settings.faults.push(fault));
    let script = "const e = await oauth.handleRedirect(args[0]).then(() => 'no error', e => e)
        return [e.code, e.error, e.errorDescription, e.status, String(e), e.stack, JSON.stringify(e), String(e.cause)]";
    let said = world.run(script, &[json!(redirect)]).await;
    assert_eq!(said[0], "token_request_refused", "{said}");
    assert_eq!(said[1], "invalid_grant");
    assert_eq!(said[2], "the code (..) is spent");
    assert_eq!(said[3], 400);
    let text = said.to_string();
    let state = parameter(&redirect, "state").expect("a state");
    assert!(!text.contains(&code) && !text.contains(&state), "{text}");
}

/// An application that writes down every step it is told of, over all its documents.
const WATCHED: &str = "<!doctype html><title>watched</title><link rel=icon href='data:,'>
    <script type=module>
        import * as oauth from '/pkg/oauth-wasm.js'
        import { use } from '/e2e/use.js'
        window.entries = () => JSON.parse(sessionStorage.entries || '[]')
        oauth.debug(entry => { sessionStorage.entries = JSON.stringify([...entries(), entry]) })
        use(oauth)
    </script>";

#[tokio::test]
async fn the_steps_that_debug_tells_of_carry_no_secret_of_a_whole_journey() {
    let world = World::start().await;
    world
        .app
        .serve("/watched.html", "text/html", WATCHED.to_owned());
    let home = format!("{}/watched.html", world.app.origin);
    let more = json!({ "redirectUri": home, "appState": "canary-app-state" });
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.open_app("/watched.html").await;
    world.leave(more.clone()).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let path = "/users/me?secret=canary-query";
    let answer = world.fetch_private(path, Value::Null).await;
    assert_eq!(answer["value"]["status"], 200);
    world.sandbox.expire_tokens();
    let answer = world.fetch_private(path, Value::Null).await;
    assert_eq!(answer["value"]["status"], 200);
    world.sandbox.revoke_grants();
    let answer = world.fetch_private(path, Value::Null).await;
    assert_eq!(answer["error"]["code"], "session_ended");
    // A server that echoes what it refuses, and a callback that throws what it got.
    let url = world.begin(more.clone()).await;
    let redirect = world.redirect(&url);
    let code = parameter(&redirect, "code").expect("a code");
    let words = json!({ "error": code, "error_description": code, "error_uri": redirect });
    let kind = FaultKind::json(400, words, &[]);
    let fault = Fault::new("/oauth/token", kind);
    world.sandbox.change(|settings| settings.faults.push(fault));
    let answer = world
        .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
        .await;
    assert_eq!(answer["error"]["code"], "token_request_refused");
    let script = "return outcome(oauth.startLogin({ ...args[0], navigate: url => { throw Object.assign(new Error(url), { name: url, code: url }) } }))";
    world.run(script, &[world.config(more)]).await;
    world.run("await oauth.logout()", &[]).await;

    let entries = world.run("return (await 0, entries())", &[]).await;
    let list = entries.as_array().expect("a list");
    let mut secrets = vec![
        "canary".to_owned(),
        code,
        parameter(&redirect, "state").expect("a state"),
    ];
    for request in world.sandbox.requests() {
        for name in ["code", "code_verifier", "refresh_token"] {
            secrets.extend(request.form(name));
        }
        for name in ["state", "code_challenge"] {
            secrets.extend(parameter(
                &format!("http://sandbox/?{}", request.query),
                name,
            ));
        }
    }
    secrets.extend(world.calls("/").into_iter().filter_map(|call| call.token));
    assert!(secrets.len() > 12, "{}", secrets.len());
    let text = entries.to_string();
    for secret in &secrets {
        assert!(
            !secret.is_empty() && !text.contains(secret.as_str()),
            "{secret}: {text}"
        );
    }
    for mark in ["?", "#", "/users", "/oauth", "/watched", "ow1x"] {
        assert!(!text.contains(mark), "{mark}: {text}");
    }
    let known = ["step", "name", "at", "ms", "origin", "status", "code"];
    for entry in list {
        let members = entry.as_object().expect("an entry");
        assert!(
            members.keys().all(|name| known.contains(&name.as_str())),
            "{entry}"
        );
        assert!(
            entry["at"].is_number() && entry["ms"].is_number(),
            "{entry}"
        );
    }
    let told: Vec<_> = list
        .iter()
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let status = entry["status"]
                .as_u64()
                .map_or(word("code"), |status| status.to_string());
            format!("{} {} {status}", word("step"), word("name"))
        })
        .collect();
    for step in [
        "load start ",
        "call startLogin ",
        "leave  ",
        "load session ",
        "request POST 200",
        "call handleRedirect ",
        "fetch GET 200",
        "call fetchPrivate 200",
        "fetch GET 401",
        "request POST 400",
        "call fetchPrivate session_ended",
        "call handleRedirect token_request_refused",
        "leave  failed",
        "call startLogin failed",
        "call logout ",
    ] {
        assert!(told.iter().any(|known| known == step), "{step}: {told:#?}");
    }
    let origins: Vec<_> = list
        .iter()
        .filter_map(|entry| entry["origin"].as_str())
        .collect();
    assert!(
        origins.iter().all(|origin| *origin == world.sandbox_origin),
        "{origins:?}"
    );
}
