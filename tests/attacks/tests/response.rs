//! What comes back in the address: forged, replayed, mixed up, malformed. One answer to one login, and to no other.

use attacks::{answer, home};
use e2e::{APP, FORGED, PENDING, World, parameter};
use serde_json::{Value, json};

/// Calls `handleRedirect` three times before anything is awaited, as React's StrictMode does.
const STRICT: &str =
    "<!doctype html><title>strict</title><link rel=icon href='data:,'><script type=module>
    import * as oauth from '/pkg/oauth-wasm.js'
    import { use } from '/e2e/use.js'
    use(oauth)
    window.others = [oauth.handleRedirect(), oauth.handleRedirect()].map(outcome)
    </script>";

#[tokio::test]
async fn a_response_to_another_login_is_refused_and_the_login_that_waits_can_still_be_answered() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    for (rest, code) in [
        (format!("?code=x&state={FORGED}"), "state_mismatch"),
        ("?code=x&state=another".into(), "state_mismatch"),
        (
            format!("?error=access_denied&state={FORGED}"),
            "state_mismatch",
        ),
        (
            format!("#access_token=x&token_type=bearer&state={FORGED}"),
            "state_mismatch",
        ),
        (format!("?code=x&state={state}x"), "state_mismatch"),
        (
            format!("?code=x&state={}", state.to_lowercase()),
            "state_mismatch",
        ),
        ("?code=x".into(), ""),
        ("?error=access_denied".into(), ""),
        (format!("?state={state}"), ""),
    ] {
        let outcome = world.come_back(&format!("{}{rest}", home(&world))).await;
        let want = match code {
            "" => outcome["session"].is_null() && outcome.get("error").is_none(),
            code => outcome["error"]["code"] == code,
        };
        assert!(want, "{rest}: {outcome}");
        let text = outcome.to_string();
        assert!(!text.contains(&state) && !text.contains(FORGED), "{text}");
        assert_eq!(
            world.pending().await,
            std::slice::from_ref(&state),
            "{rest}"
        );
        assert_eq!(world.sandbox.requests(), [], "{rest}");
    }
    let redirect = world.redirect(&url);
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(world.token_requests("authorization_code"), 1);

    // Nobody waits any more.
    let forged = format!("{}?code=x&state={FORGED}", home(&world));
    let outcome = world.come_back(&forged).await;
    assert_eq!(outcome["error"]["code"], "unknown_state");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_response_that_breaks_the_protocol_is_refused_before_anybody_is_asked() {
    let world = World::start().await;
    world.open_app(APP).await;
    let code = json!({});
    let token = json!({ "responseType": "token" });
    let tenant = json!({ "redirectUri": format!("{}?tenant=7", home(&world)) });
    let mut wrong = Vec::new();
    for (more, rest, want) in [
        (&code, "?code=c&code=d&state=S", "duplicate_parameter"),
        (&code, "?code=c&state=S&state=S", "duplicate_parameter"),
        (&code, "?state=S&code=c&state=other", "duplicate_parameter"),
        (&code, "?code=c&state=S#state=S", "duplicate_parameter"),
        (&code, "?code=c&state=S#code=d", "duplicate_parameter"),
        (&code, "?error=a&error=b&state=S", "duplicate_parameter"),
        (
            &code,
            "?error=access_denied&code=c&state=S",
            "invalid_authorization_response",
        ),
        (
            &code,
            "?code=c&state=S#error=access_denied",
            "invalid_authorization_response",
        ),
        (
            &code,
            "?error=x&state=S#access_token=t",
            "invalid_authorization_response",
        ),
        (&code, "?code=&state=S", "invalid_authorization_response"),
        (
            &code,
            "?code=c&state=S#access_token=t&token_type=bearer",
            "invalid_authorization_response",
        ),
        (
            &code,
            "#access_token=t&token_type=bearer&state=S",
            "invalid_authorization_response",
        ),
        (&token, "?code=c&state=S", "invalid_authorization_response"),
        (
            &token,
            "?access_token=t&token_type=bearer&state=S",
            "invalid_authorization_response",
        ),
        (
            &token,
            "#access_token=t&token_type=bearer&error=x&state=S",
            "invalid_authorization_response",
        ),
        (
            &token,
            "#access_token=t&access_token=u&token_type=bearer&state=S",
            "duplicate_parameter",
        ),
        (
            &token,
            "?access_token=t&state=S#access_token=u&token_type=bearer",
            "duplicate_parameter",
        ),
        (
            &token,
            "#access_token=t&token_type=mac&state=S",
            "unsupported_token_type",
        ),
        (
            &token,
            "#access_token=&token_type=bearer&state=S",
            "invalid_token_response",
        ),
        (
            &token,
            "#access_token=t&token_type=bearer&expires_in=-1&state=S",
            "invalid_token_response",
        ),
        (&code, "?error=server_error&state=S", "authorization_error"),
        (&code, "?error=made+up&state=S", "authorization_error"),
        (&code, "/?code=c&state=S", "redirect_uri_mismatch"),
        (&tenant, "?tenant=8&code=c&state=S", "redirect_uri_mismatch"),
        (&tenant, "?code=c&state=S", "redirect_uri_mismatch"),
    ] {
        let url = world.begin(more.clone()).await;
        let state = parameter(&url, "state").expect("a state");
        let redirect = format!("{}{}", home(&world), rest.replace('S', &state));
        let outcome = answer(&world, &redirect).await;
        if outcome["error"]["code"] != want || outcome.to_string().contains(&state) {
            wrong.push((rest, want, outcome));
        }
    }
    assert_eq!(wrong, []);
    assert_eq!(world.sandbox.requests(), []);
    assert_eq!(
        world.outcome("oauth.session()", &[]).await,
        json!({ "value": null })
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_even_when_it_is_an_error() {
    let world = World::start().await;
    let issuer = json!({ "issuer": world.sandbox_origin });
    let evil = "https://evil.example";
    let slash = format!("{}/", world.sandbox_origin);
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    let lie = async |iss: Option<&str>, deny: bool, more: &Value| {
        world.sandbox.change(|settings| {
            settings.send_iss = true;
            settings.lie_about_iss = iss.map(String::from);
            settings.auto_deny = deny;
        });
        world.start_login(more.clone()).await;
        let outcome = world.redirected().await;
        assert_eq!(world.page.url().await, home(&world), "clean");
        outcome["error"]["code"].as_str().map(String::from)
    };
    let mismatch = Some("issuer_mismatch".to_owned());
    assert_eq!(lie(Some(evil), false, &issuer).await, mismatch);
    assert_eq!(lie(Some(&slash), false, &issuer).await, mismatch);
    assert_eq!(lie(Some(evil), true, &issuer).await, mismatch);
    let mut implicit = issuer.clone();
    implicit["responseType"] = "token".into();
    assert_eq!(lie(Some(evil), false, &implicit).await, mismatch);
    assert_eq!(world.token_requests("authorization_code"), 0);
    assert_eq!(lie(None, false, &issuer).await, None, "the right one");
    assert_eq!(lie(Some(evil), false, &json!({})).await, None, "none named");
    assert_eq!(world.token_requests("authorization_code"), 2);
}

#[tokio::test]
async fn the_code_is_exchanged_once_however_often_the_page_asks() {
    let world = World::start().await;
    world.app.serve("/strict.html", "text/html", STRICT);
    let strict = format!("{}/strict.html", world.app.origin);
    world.open_app(APP).await;
    let url = world
        .begin(json!({ "redirectUri": strict, "appState": 7 }))
        .await;
    let redirect = world.redirect(&url);
    world.sandbox.hold("/oauth/token");
    world.page.open(&redirect).await;
    world.until_held(1).await;
    // All three wait for the one exchange; a fourth joins them.
    world
        .page
        .js(
            "window.others.push(window.outcome(window.oauth.handleRedirect(args[0])))",
            &[json!(redirect)],
        )
        .await
        .expect("a call");
    world.sandbox.release();
    let first = world.redirected().await;
    assert_eq!(first["session"]["appState"], 7, "{first}");
    let later = "const all = [...await Promise.all(others), await outcome(oauth.handleRedirect()),
            await outcome(oauth.handleRedirect(args[0])), await outcome(oauth.handleRedirect(new URL(args[0]))),
            await outcome(oauth.session())]
        const text = value => JSON.stringify({ ...value, expiresAt: 0 })
        const { session } = await redirected
        return all.map(({ value }) => text(value) === text(session))";
    let same = world.run(later, &[json!(redirect)]).await;
    assert_eq!(same, json!(vec![true; 7]));
    assert_eq!(world.token_requests("authorization_code"), 1);

    // A refusal is the same refusal for all, too.
    let url = world.begin(json!({ "redirectUri": strict })).await;
    let state = parameter(&url, "state").expect("a state");
    let denied = format!("{strict}?error=access_denied&state={state}");
    world.page.open(&denied).await;
    let first = world.redirected().await;
    assert_eq!(first["error"]["code"], "access_denied");
    let others = world
        .run(
            "return (await Promise.all(others)).map(({ error }) => error?.code)",
            &[],
        )
        .await;
    assert_eq!(others, json!(["access_denied", "access_denied"]));
}

#[tokio::test]
async fn reload_back_forward_and_a_bookmark_of_the_redirect_exchange_nothing() {
    let world = World::start().await;
    world.open_app(APP).await;
    let bookmark = world.redirect(&world.begin(json!({})).await);
    world.page.open(&bookmark).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");

    world.page.reload().await;
    assert_eq!(world.redirected().await, json!({ "session": null }));
    assert_eq!(world.page.url().await, home(&world));
    world.page.open("/e2e/blank.html").await;
    world.page.back().await;
    assert_eq!(world.page.url().await, home(&world));
    world.page.open(&bookmark).await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "unknown_state", "{outcome}");
    assert_eq!(world.page.url().await, home(&world), "clean all the same");
    assert_eq!(world.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_login_that_waited_too_long_is_refused() {
    let world = World::start().await;
    world.open_app(APP).await;
    let age = "const key = args[0] + args[1]
        const record = JSON.parse(sessionStorage[key])
        sessionStorage[key] = JSON.stringify({ ...record, created: record.created - args[2] })";
    for (more, seconds, want) in [
        (json!({}), 11 * 60, "login_expired"),
        (json!({}), 9 * 60, ""),
        (json!({ "pendingMaxAge": 1200 }), 11 * 60, ""),
        (json!({ "pendingMaxAge": 60 }), 90, "login_expired"),
    ] {
        let url = world.begin(more).await;
        let state = parameter(&url, "state").expect("a state");
        let args = [json!(PENDING), json!(state), json!(seconds)];
        world.run(age, &args).await;
        let before = world.token_requests("authorization_code");
        let outcome = answer(&world, &world.redirect(&url)).await;
        let asked = world.token_requests("authorization_code") - before;
        match want {
            "" => assert!(outcome["value"].is_object() && asked == 1, "{outcome}"),
            code => {
                assert_eq!(outcome["error"]["code"], code);
                assert_eq!(asked, 0);
            }
        }
        assert_eq!(world.pending().await.len(), 0);
    }
}
