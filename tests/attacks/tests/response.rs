//! What comes back in the address: forged, replayed, mixed up, malformed. One answer to one login, and to no other.

use attacks::{answer, home};
use e2e::{APP, FORGED, PENDING, World, parameter};
use serde_json::{Value, json};
use url::Url;

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

/// Whatever is read of an address as a response does not stay there, however it is written (RFC 9700 section 4.3), and
/// whatever is the application's own does.
#[tokio::test]
async fn an_answered_response_leaves_the_address_bar_however_it_was_written() {
    let world = World::start().await;
    world.open_app(APP).await;
    let app = format!("{}{APP}", world.app.origin);
    let encoded = |url: &str| {
        let url = url.replace("code=", "co%64e=");
        url.replace("state=ow1x", "st%61te=o%771x")
    };
    let own = format!("{app}?page=1&user_id=7&prompt=x");
    let strangers = "&authuser=0&hd=a.example&client_info=e30&session_state=1&id_token=x.y.z&refresh_token=r#_=_";
    for (redirect_uri, change, home) in [
        (
            &app,
            (|url: &str| url.replace("code=", "co%64e=")) as fn(&str) -> String,
            &app,
        ),
        (
            &app,
            |url| url.replace("state=ow1x", "st%61te=o%771x"),
            &app,
        ),
        (&app, |url| url.replacen('?', "#", 1), &app),
        (
            &app,
            |url| {
                let (home, query) = url.split_once('?').expect("a query");
                let (one, other): (Vec<_>, Vec<_>) = query
                    .split('&')
                    .partition(|pair| pair.starts_with("state="));
                format!("{home}?{}#{}", one.join("&"), other.join("&"))
            },
            &app,
        ),
        (&own, |url| String::from(url), &own),
    ] {
        let more = json!({ "redirectUri": redirect_uri });
        let url = world.begin(more).await;
        let redirect = change(&world.redirect(&url));
        let outcome = world.come_back(&redirect).await;
        assert!(outcome["session"].is_object(), "{redirect}: {outcome}");
        assert_eq!(&world.page.url().await, home, "{redirect}");
    }
    let url = world.begin(json!({ "redirectUri": own })).await;
    let redirect = format!("{}{strangers}", encoded(&world.redirect(&url)));
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(world.page.url().await, own, "it is its own address again");
    let later = world
        .come_back(&format!("{app}#/state=ow1xabc&access_token=a"))
        .await;
    assert_eq!(later["error"]["code"], "unknown_state", "{later}");
    assert_eq!(world.page.url().await, app);
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
        sessionStorage[key] = sessionStorage[key].replace(/^(1[sf])(\\d+)/, (_, start, at) => start + (at - args[2]))";
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

#[tokio::test]
async fn a_code_goes_to_the_token_endpoint_of_its_own_login_and_the_address_has_no_say() {
    let world = World::start().await;
    let foreign = &world.foreign.origin;
    let says = format!(
        "token_endpoint={foreign}/token&tokenEndpoint={foreign}/token&issuer={foreign}&client_id=evil"
    );
    world.open_app(&format!("{APP}?{says}")).await;
    let honest = world.begin(json!({})).await;
    // The other server is one that the user has chosen too: mix-up.
    let other = json!({
        "provider": null, "site": null, "authorizationEndpoint": format!("{foreign}/authorization"),
        "tokenEndpoint": format!("{foreign}/token"), "redirectUri": format!("{}/other", world.app.origin),
    });
    let mut config = world.config(json!({}));
    for (name, value) in other.as_object().expect("members") {
        match value.is_null() {
            true => config.as_object_mut().expect("an object").remove(name),
            false => config
                .as_object_mut()
                .expect("an object")
                .insert(name.clone(), value.clone()),
        };
    }
    let evil = world.begin_as(config).await;
    assert!(evil.starts_with(foreign), "{evil}");
    let code = parameter(&world.redirect(&honest), "code").expect("a code");
    let state = parameter(&evil, "state").expect("a state");

    // The honest server's code in the answer to the other's login: at the honest one's address it is refused.
    let mixed = format!("{}?code={code}&state={state}", home(&world));
    let outcome = answer(&world, &mixed).await;
    assert_eq!(
        outcome["error"]["code"], "redirect_uri_mismatch",
        "{outcome}"
    );
    assert_eq!(world.foreign.requests(), []);
    assert_eq!(world.pending().await.len(), 2, "both wait on");

    let redirect = format!("{}&{says}", world.redirect(&honest));
    let outcome = answer(&world, &redirect).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    assert_eq!(outcome["value"]["clientId"], "1620218256833906");
    assert_eq!(world.token_requests("authorization_code"), 1);
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn an_applications_own_scheme_is_compared_as_exactly_as_any_address() {
    let world = World::start().await;
    world.open_app(APP).await;
    let mine = "com.example.app:/callback";
    let config = json!({ "redirectUri": mine });
    for address in [
        "com.example.other:/callback",
        "com.example.app:/callback/x",
        "com.example.app:/Callback",
        "com.example.app://callback",
        "https://com.example.app/callback",
    ] {
        let url = world.begin(config.clone()).await;
        let state = parameter(&url, "state").expect("a state");
        let outcome = answer(&world, &format!("{address}?code=x&state={state}")).await;
        assert_eq!(
            outcome["error"]["code"], "redirect_uri_mismatch",
            "{address}: {outcome}"
        );
    }
    assert_eq!(world.token_requests("authorization_code"), 0);
    let redirect = world.redirect(&world.begin(config).await);
    assert!(redirect.starts_with(mine), "{redirect}");
    let outcome = answer(&world, &redirect).await;
    assert!(outcome["value"].is_object(), "{outcome}");
}

#[tokio::test]
async fn what_the_server_says_is_text_and_runs_nowhere() {
    let world = World::start().await;
    world.open_app(APP).await;
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    let markup = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    let redirect = Url::parse_with_params(
        &home(&world),
        [
            ("error", "made_up"),
            ("error_description", markup),
            ("error_uri", "javascript:window.hacked=1"),
            ("state", &state),
        ],
    );
    let outcome = world.come_back(redirect.expect("a URL").as_str()).await;
    let error = &outcome["error"];
    assert_eq!(error["code"], "authorization_error", "{outcome}");
    assert_eq!(error["error"], "made_up");
    assert_eq!(error["errorDescription"], markup);
    assert!(
        !error["message"].as_str().unwrap_or_default().contains('<'),
        "{outcome}"
    );
    let hacked = world.run("return window.hacked ?? null", &[]).await;
    assert_eq!(hacked, Value::Null);
}

#[tokio::test]
async fn an_address_without_end_is_judged_in_no_time() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [home, config, row] = args
        let went
        await oauth.startLogin({ ...config, navigate: url => { went = url } })
        const state = new URL(went).searchParams.get('state')
        const long = 'x'.repeat(1 << 20)
        const many = part => Array.from({ length: 20000 }, (_, n) => part + n).join('&')
        const address = home + [
            '?code=x&state=' + state + '&state=' + long,
            '?error=access_denied&error_description=' + long + '&state=' + state,
            '?code=x&' + many('state=ow1x') + '&state=' + state,
            '?' + many('a=') + '&error=access_denied&state=' + state,
            '?error=access_denied&state=' + state + '#' + '%'.repeat(1 << 20),
            '?error=access_denied&error=' + '%F0%9F%92%A9'.repeat(1 << 16) + '&state=' + state,
            '?code=x&state=' + state + long,
            '?code=x&state=ow1x' + long,
        ][row]
        const start = performance.now()
        const { error, value } = await outcome(oauth.handleRedirect(address))
        return [error?.code ?? value, performance.now() - start]";
    let mut seen = Vec::new();
    for row in 0..8 {
        let args = [json!(home(&world)), world.config(json!({})), json!(row)];
        let told = world.run(script, &args).await;
        let took = told[1].as_f64().expect("milliseconds");
        assert!(took < 10_000.0, "{row}: {took} ms");
        seen.push(told[0].clone());
    }
    let want = [
        "duplicate_parameter",
        "access_denied",
        "state_mismatch",
        "access_denied",
        "access_denied",
        "duplicate_parameter",
        "state_mismatch",
        "state_mismatch",
    ];
    assert_eq!(seen, want);
    assert_eq!(world.sandbox.requests(), []);
}
