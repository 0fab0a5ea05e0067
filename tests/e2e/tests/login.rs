//! Logins with the built package: the way there, back, and what comes of it.

use e2e::{APP, PENDING, USER, World, parameter};
use serde_json::{Value, json};

/// A document that is thrown away forgets this mark.
const MARK: &str = "window.mark = 'here'";

#[tokio::test]
async fn a_user_logs_in_on_the_providers_own_pages_and_the_page_sees_private_data() {
    let world = World::start().await;
    let page = &world.page;
    world
        .start_login(json!({ "returnTo": "/cart?x=1", "appState": { "step": [1, "ü"] } }))
        .await;
    page.wait_for("#login").await;
    world.consent().await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(
        session["scope"],
        json!(["offline_access", "read", "write"]),
        "{outcome}"
    );
    assert_eq!(session["extra"], json!({ "user_id": USER }));
    assert_eq!(session["returnTo"], "/cart?x=1");
    assert_eq!(session["appState"], json!({ "step": [1, "ü"] }));
    assert_eq!(session["renewable"], true);
    let script = "const url = args[0] + '/users/226384143';
        const open = await (await fetch(url)).json();
        const own = await (await window.oauth.fetchPrivate(url)).json();
        return [open.email ?? null, own.email, location.search]";
    let seen = page.js(script, &[json!(world.sandbox_origin)]).await;
    assert_eq!(
        seen,
        Ok(json!([null, "test_user_38730994@testuser.com", ""]))
    );
}

#[tokio::test]
async fn the_implicit_grant_leaves_no_token_in_the_address_bar_and_cannot_be_renewed() {
    let world = World::start().await;
    world
        .start_login(json!({ "responseType": "token", "returnTo": "/cart" }))
        .await;
    world.consent().await;
    let outcome = world.redirected().await;
    let session = &outcome["session"];
    assert_eq!(session["scope"], json!(["read", "write"]), "{outcome}");
    assert_eq!(session["renewable"], false);
    assert_eq!(session["extra"]["user_id"], USER.to_string());
    assert_eq!(session["returnTo"], "/cart");
    let clean = format!("{}{APP}", world.app.origin);
    let seen = world
        .run(
            "return [addressAfterCall, location.href, (args[0] - Date.now()) / 1000]",
            &[session["expiresAt"].clone()],
        )
        .await;
    assert_eq!((&seen[0], &seen[1]), (&json!(clean), &json!(clean)));
    assert!((21_000.0..=21_600.0).contains(&seen[2].as_f64().expect("seconds")));
    assert_eq!(world.page.url().await, clean);
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(world.token_requests("authorization_code"), 0);
    let asked = world.calls("/authorization");
    assert!(!asked.is_empty());
    for request in world.sandbox.requests() {
        assert!(!request.query.contains("code_challenge"), "{request:?}");
    }
}

#[tokio::test]
async fn a_user_who_says_no_is_told_apart_and_nothing_is_exchanged_or_left_behind() {
    let world = World::start().await;
    for (grant, logged_in) in [("code", false), ("token", true)] {
        world.start_login(json!({ "responseType": grant })).await;
        if !logged_in {
            world.page.fill("#nickname", "TETE9928972").await;
            world.page.fill("#password", "sandbox").await;
            world.page.click("#login").await;
        }
        world.page.click("#deny").await;
        let outcome = world.redirected().await;
        let error = &outcome["error"];
        assert_eq!(error["name"], "OAuthError", "{outcome}");
        assert_eq!(error["code"], "access_denied");
        assert_eq!(error["error"], "access_denied");
        assert_eq!(
            error["errorDescription"],
            "The user denied access to the application"
        );
        assert_eq!(error["retryable"], false);
        assert!(
            error["remedy"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let left = world
            .run(
                "return [sessionStorage.length, localStorage.length, location.href, await oauth.session()]",
                &[],
            )
            .await;
        let clean = format!("{}{APP}", world.app.origin);
        assert_eq!(left, json!([0, 0, clean, null]), "{grant}");
        let refused = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(refused["error"]["code"], "login_required");
    }
    assert_eq!(world.token_requests("authorization_code"), 0);
    assert_eq!(world.calls("/users"), []);
}

#[tokio::test]
async fn navigate_gets_the_url_instead_of_the_page_leaving() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [config] = args
        window.mark = 'here'
        const seen = []
        const navigate = async (...given) => {
            seen.push(given)
            await new Promise(resolve => setTimeout(resolve))
            seen.push('waited for')
        }
        // redirectUri may be a URL object.
        await oauth.startLogin({ ...config, redirectUri: new URL(config.redirectUri), navigate })
        const refusal = new Error('no way')
        const thrown = await oauth.startLogin({ ...config, navigate() { throw refusal } }).catch(e => e === refusal)
        const rejected = await oauth.startLogin({ ...config, navigate: () => Promise.reject('no') }).catch(e => e)
        return { seen, thrown, rejected, mark: window.mark, href: location.href }";
    let seen = world.run(script, &[world.config(json!({}))]).await;
    assert_eq!(seen["mark"], "here");
    assert_eq!(seen["href"], format!("{}{APP}", world.app.origin));
    assert_eq!(seen["thrown"], true);
    assert_eq!(seen["rejected"], "no");
    assert_eq!(seen["seen"][1], "waited for");
    assert_eq!(world.sandbox.requests(), [], "nobody was asked");

    let given = seen["seen"][0].as_array().expect("arguments");
    assert_eq!(given.len(), 1);
    let url = given[0].as_str().expect("a URL");
    let endpoint = format!("{}/authorization?", world.sandbox_origin);
    assert!(url.starts_with(&endpoint), "{url}");
    let said = |name| parameter(url, name).unwrap_or_default();
    assert_eq!(said("response_type"), "code");
    assert_eq!(said("client_id"), "1620218256833906");
    assert_eq!(said("redirect_uri"), format!("{}{APP}", world.app.origin));
    assert_eq!(said("scope"), "offline_access read write");
    assert_eq!(said("code_challenge_method"), "S256");
    assert_eq!(said("code_challenge").len(), 43);
    assert!(said("state").len() >= 22, "at least 128 bits");

    let outcome = world.come_back(&world.redirect(url)).await;
    assert!(outcome["session"].is_object(), "{outcome}");
}

#[tokio::test]
async fn logins_that_wait_at_once_are_kept_under_their_states_and_each_answered_by_its_own() {
    let world = World::start().await;
    world.open_app(APP).await;
    world
        .run("localStorage.clear(); sessionStorage.own = 'x'", &[])
        .await;
    let mut logins = Vec::new();
    for name in ["first", "second", "third"] {
        let url = world.begin(json!({ "appState": name })).await;
        let state = parameter(&url, "state").expect("a state");
        let challenge = parameter(&url, "code_challenge").expect("a challenge");
        logins.push((name, url, state, challenge));
    }
    let mut waiting = world.pending().await;
    let mut states: Vec<_> = logins.iter().map(|login| login.2.clone()).collect();
    waiting.sort();
    states.sort();
    assert_eq!(waiting, states, "one key for each state");
    states.dedup();
    assert_eq!(states.len(), 3, "a fresh state each time");
    let mut challenges: Vec<_> = logins.iter().map(|login| &login.3).collect();
    challenges.sort();
    challenges.dedup();
    assert_eq!(challenges.len(), 3, "a fresh verifier each time");
    let storage = "return [sessionStorage.length, localStorage.length, document.cookie]";
    assert_eq!(world.run(storage, &[]).await, json!([4, 0, ""]));

    for (left, at) in [(2, 1), (1, 2), (0, 0)] {
        let (name, url, state, _) = &logins[at];
        let outcome = world.come_back(&world.redirect(url)).await;
        assert_eq!(outcome["session"]["appState"], *name, "{outcome}");
        let waiting = world.pending().await;
        assert_eq!(waiting.len(), left);
        assert!(!waiting.contains(state), "an answered login waits no more");
    }
    assert_eq!(world.token_requests("authorization_code"), 3);
    assert_eq!(world.run(storage, &[]).await, json!([1, 0, ""]));
    let own = world.run("return sessionStorage.own", &[]).await;
    assert_eq!(own, "x", "what the application keeps stays");
}

#[tokio::test]
async fn abandoned_logins_are_swept_and_never_fill_the_storage() {
    let world = World::start().await;
    world.open_app(APP).await;
    let old = world.begin(json!({})).await;
    let old = parameter(&old, "state").expect("a state");
    let age = "const key = args[0] + args[1]
        sessionStorage[key] = sessionStorage[key].replace(/^(1[sf])(\\d+)/, (_, start, at) => start + (at - 11 * 60))";
    world.run(age, &[json!(PENDING), json!(old)]).await;
    world
        .run(
            "sessionStorage[args[0] + 'ow1xbroken'] = '{'",
            &[json!(PENDING)],
        )
        .await;
    let new = world.begin(json!({})).await;
    let new = parameter(&new, "state").expect("a state");
    assert_eq!(world.pending().await, [new], "too old, and not readable");
    for _ in 0..20 {
        world.begin(json!({})).await;
    }
    let last = world.begin(json!({})).await;
    assert_eq!(world.pending().await.len(), 16);
    let outcome = world.come_back(&world.redirect(&last)).await;
    assert!(outcome["session"].is_object(), "{outcome}");
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_by_name_stores_nothing_and_asks_nobody() {
    let world = World::start().await;
    world.open_app(APP).await;
    world.run(MARK, &[]).await;
    let script = r"const [base, foreign] = args
        const { site, clientId, authorizationEndpoint, ...rest } = base
        const cycle = {}
        cycle.cycle = cycle
        const rows = [
            ['invalid_config', 'clientID', { ...base, clientID: 'x' }],
            ['invalid_config', 'clientId', { ...rest, site, authorizationEndpoint }],
            ['invalid_config', 'clientId', { ...base, clientId: '' }],
            ['invalid_config', 'clientId', { ...base, clientId: 5 }],
            ['client_secret_refused', 'clientSecret', { ...base, clientSecret: 'hush-hush' }],
            ['client_secret_refused', 'client_secret', { ...base, client_secret: 'hush-hush' }],
            ['unknown_provider', 'nobody', { ...base, provider: 'nobody' }],
            ['unknown_provider', '__proto__', { ...base, provider: '__proto__' }],
            ['unknown_site', 'MLX', { ...base, site: 'MLX' }],
            ['unknown_site', 'site is missing', { ...rest, clientId }],
            ['invalid_config', 'returnTo', { ...base, returnTo: '//evil.example' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: '\\\\evil.example' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: '/\\evil.example' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: '/\t/evil.example' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: 'javascript:alert(1)' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: 'data:text/html,x' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: foreign + '/x' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: location.origin + '.evil.example/' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: location.origin + '@evil.example/' }],
            ['invalid_config', 'returnTo', { ...base, returnTo: location.origin + '//evil.example/' }],
            ['invalid_config', 'resourceServers', { ...base, resourceServers: ['http://api.example'] }],
            ['invalid_config', 'resourceServers', { ...base, resourceServers: ['*'] }],
            ['invalid_config', 'resourceServers', { ...base, resourceServers: 'https://api.example' }],
            ['invalid_config', 'tokenEndpoint', { ...base, tokenEndpoint: 'http://as.example/token' }],
            ['invalid_config', 'authorizationEndpoint', { ...base, authorizationEndpoint: 'javascript:alert(1)' }],
            ['invalid_config', 'authorizationEndpoint', { ...base, authorizationEndpoint: 'https://as.example/?state=x' }],
            ['invalid_config', 'redirectUri', { ...base, redirectUri: 'http://app.example/cb' }],
            ['invalid_config', 'redirectUri', { ...base, redirectUri: base.redirectUri + '#x' }],
            ['invalid_config', 'redirectUri', { ...base, redirectUri: 'javascript:alert(1)' }],
            ['invalid_config', 'redirectUri', { ...base, redirectUri: '/e2e/app.html' }],
            ['invalid_config', 'responseType', { ...base, responseType: 'id_token' }],
            ['invalid_config', 'codeChallengeMethod', { ...base, codeChallengeMethod: 'none' }],
            ['invalid_config', 'scope', { ...base, scope: 5 }],
            ['invalid_config', 'pendingMaxAge', { ...base, pendingMaxAge: -1 }],
            ['invalid_config', 'allowHttp', { ...base, allowHttp: 'yes' }],
            ['invalid_config', 'authorizationParameters.state', { ...base, authorizationParameters: { state: 'x' } }],
            ['invalid_config', 'authorizationParameters.code_challenge', { ...base, authorizationParameters: { code_challenge: 'x' } }],
            ['invalid_config', 'authorizationParameters', { ...base, authorizationParameters: ['x'] }],
            ['invalid_config', 'plain data', { ...base, appState: cycle }],
            ['invalid_config', 'plain data', { ...base, appState: 1n }],
            ['invalid_config', 'plain data', { ...base, get scope() { throw new Error('no') } }],
            ['invalid_config', 'there is none', undefined],
            ['invalid_config', 'object', () => {}],
            ['invalid_config', 'object', null],
            ['invalid_config', 'object', 'mercadolibre'],
            ['invalid_config', 'object', [base]],
        ]
        const wrong = []
        for (const [code, named, config] of rows) {
            const { value, error } = await outcome(oauth.startLogin(config))
            const good = error?.name === 'OAuthError' && error.code === code && error.message.includes(named)
                && error.retryable === false && error.remedy && !JSON.stringify(error).includes('hush')
            if (!good) wrong.push([code, named, error ?? value])
        }
        return { tried: rows.length, wrong, stored: [sessionStorage.length, localStorage.length],
            mark: window.mark, href: location.href }";
    let args = [world.config(json!({})), json!(world.foreign.origin)];
    let seen = world.run(script, &args).await;
    assert_eq!(seen["wrong"], json!([]));
    world.is_quiet().await;
    assert_eq!(seen["tried"], 46);
    assert_eq!(seen["stored"], json!([0, 0]));
    assert_eq!(seen["mark"], "here");
    assert_eq!(seen["href"], format!("{}{APP}", world.app.origin));
    assert_eq!(world.sandbox.requests(), []);
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn s256_works_on_a_plain_http_origin_that_has_no_crypto_subtle() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.auto_consent = true;
        settings.require_pkce = true;
    });
    let app = format!("{}{APP}", world.app.at("app.test"));
    world.open_app(&app).await;
    let secure = world
        .run("return [isSecureContext, typeof crypto.subtle]", &[])
        .await;
    assert_eq!(secure, json!([false, "undefined"]));
    let refused = world
        .outcome(
            "oauth.startLogin(args[0])",
            &[world.config(json!({ "redirectUri": app }))],
        )
        .await;
    assert_eq!(refused["error"]["code"], "invalid_config", "{refused}");
    assert_eq!(world.sandbox.requests(), []);

    world
        .leave(json!({ "redirectUri": app, "allowHttp": true }))
        .await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    assert_eq!(world.page.url().await, app);
    let requests = world.sandbox.requests();
    let asked = requests.first().expect("an authorization request");
    assert!(
        asked.query.contains("&code_challenge_method=S256"),
        "{}",
        asked.query
    );
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
}
