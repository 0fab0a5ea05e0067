//! What is the same at every authorization server.

use e2e::{APP, AuthorizationServer, World};
use serde_json::{Value, json};

/// `fetchPrivate` to userinfo from the page that is open: `{value: {native, status, body}}`, `{error}` or `{reason}`.
pub async fn userinfo(world: &World, server: &AuthorizationServer) -> Value {
    let script = "return await answered(oauth.fetchPrivate(args[0]))";
    world.run(script, &[json!(server.userinfo())]).await
}

/// The claims of a userinfo answer.
pub fn claims(answer: &Value) -> Value {
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    assert_eq!(answer["value"]["native"], true, "{answer}");
    let body = answer["value"]["body"].as_str().expect("text");
    serde_json::from_str(body).expect("JSON")
}

/// A session on a fresh page, by the server's own pages.
pub async fn log_in(world: &World, server: &AuthorizationServer, more: Value) -> Value {
    world.open_app(APP).await;
    world.leave_as(server.config(world, more)).await;
    server.consent(world).await;
    session(world).await
}

/// What the redirect led to.
pub async fn session(world: &World) -> Value {
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "a session: {outcome}");
    outcome["session"].clone()
}

/// A login that the user is not to see: what came of it.
pub async fn silently(world: &World, server: &AuthorizationServer) -> Value {
    world.open_app(APP).await;
    let silent = json!({ "authorizationParameters": { "prompt": "none" } });
    world.leave_as(server.config(world, silent)).await;
    world.redirected().await
}

/// What the token endpoint says of a refresh token that somebody else presents: its status and `error`.
pub async fn present(world: &World, server: &AuthorizationServer, refresh_token: &str) -> Value {
    let script = "const body = new URLSearchParams({
            grant_type: 'refresh_token', client_id: 'page', refresh_token: args[1] })
        const response = await fetch(args[0], { method: 'POST', body })
        return [response.status, (await response.json()).error ?? null]";
    let args = [json!(server.token_endpoint()), json!(refresh_token)];
    world.run(script, &args).await
}

/// The refresh token of the newest answer that has one.
pub fn newest_refresh_token(server: &AuthorizationServer) -> String {
    let requests = server.requests();
    let mut newest = requests.iter().rev();
    let token = newest.find_map(|request| request.answer["body"]["refresh_token"].as_str());
    token.expect("a refresh token was issued").to_owned()
}

/// `count` calls at once: their statuses, in any order each once.
async fn at_once(world: &World, server: &AuthorizationServer, count: usize) -> Value {
    let script = "const calls = Array.from({ length: args[1] }, () => oauth.fetchPrivate(args[0]))
        const statuses = (await Promise.all(calls)).map(response => response.status)
        return [...new Set(statuses)]";
    world
        .run(script, &[json!(server.userinfo()), json!(count)])
        .await
}

/// From the issuer to userinfo, through every kind of renewal, to the revocation.
pub async fn a_whole_life(world: &World, server: &AuthorizationServer, more: Value) {
    server.access_tokens_live(1);
    let session = log_in(world, server, more).await;
    let requests = server.requests();
    let metadata: Vec<_> = requests
        .iter()
        .filter(|request| request.path.contains("/.well-known/"))
        .map(|request| request.status)
        .collect();
    assert_eq!(
        metadata,
        [200],
        "asked once, and not by the page that answers"
    );
    server.proved(world, "discovery");

    let codes: Vec<_> = requests
        .iter()
        .filter(|request| request.form["grant_type"] == "authorization_code")
        .collect();
    assert_eq!(codes.len(), 1);
    assert_eq!(codes[0].status, 200);
    assert!(codes[0].form["code_verifier"].is_string());
    assert!(codes[0].form.get("client_secret").is_none());
    let asked = requests
        .iter()
        .find(|request| request.query.contains("response_type=code"))
        .expect("an authorization request");
    assert!(asked.query.contains("code_challenge_method=S256"));
    assert_eq!(session["renewable"], true, "{session}");
    assert_eq!(world.page.url().await, format!("{}{APP}", world.app.origin));
    server.proved(world, "login");

    // The token lived for one second, and clocks of whole seconds may call that two. Others are good for an hour.
    server.access_tokens_live(3600);
    let over = "(await oauth.session()).expiresAt + 1000 < Date.now()";
    world.page.wait_until(over).await;
    server.forget_requests();
    assert_eq!(at_once(world, server, 20).await, json!([200]));
    assert_eq!(server.token_requests("refresh_token"), [200]);
    let refused = |server: &AuthorizationServer| {
        let requests = server.requests();
        requests.iter().filter(|one| one.status == 401).count()
    };
    assert_eq!(refused(server), 0, "the page knew that it was over");
    let first = newest_refresh_token(server);

    // The page believes its token to be good, and the server does not.
    server.forget_requests();
    server.expire("AccessToken");
    assert_eq!(at_once(world, server, 20).await, json!([200]));
    assert_eq!(server.token_requests("refresh_token"), [200]);
    assert_ne!(refused(server), 0);
    server.proved(world, "20 calls at once, one renewal");

    let sent = server.requests();
    let sent = sent
        .iter()
        .find(|request| request.form["grant_type"] == "refresh_token")
        .expect("a renewal");
    assert_eq!(
        sent.form["refresh_token"],
        json!(first),
        "the new one is used"
    );
    let second = newest_refresh_token(server);
    assert_ne!(first, second, "the server rotates");
    server.proved(world, "renewal with rotation");

    let who = claims(&userinfo(world, server).await);
    assert_eq!(who["email"], "ana@example.org", "{who}");
    server.proved(world, "fetchPrivate to userinfo");

    server.forget_requests();
    world.run("await oauth.logout({ revoke: true })", &[]).await;
    let requests = server.requests();
    let revoked: Vec<_> = requests
        .iter()
        .map(|request| (server.origin() + &request.path, request.status))
        .collect();
    assert_eq!(revoked, [(server.revocation_endpoint(), 200)]);
    let answer = present(world, server, &second).await;
    assert_eq!(answer, json!([400, "invalid_grant"]));
    let gone = userinfo(world, server).await;
    assert!(gone["error"]["code"].is_string(), "{gone}");
    server.proved(world, "revocation");
    assert_eq!(world.foreign.requests(), []);
}

/// Somebody else presents a refresh token that was used: the server ends the family, and the page is told.
pub async fn a_stolen_refresh_token_ends_the_session(world: &World, server: &AuthorizationServer) {
    log_in(world, server, json!({})).await;
    let stolen = newest_refresh_token(server);
    server.expire("AccessToken");
    claims(&userinfo(world, server).await);
    let answer = present(world, server, &stolen).await;
    assert_eq!(answer, json!([400, "invalid_grant"]));
    let answer = userinfo(world, server).await;
    let error = &answer["error"];
    assert_eq!(error["code"], "session_ended", "{answer}");
    assert_eq!(error["error"], "invalid_grant", "{answer}");
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session, Value::Null);
    server.proved(world, "a stolen refresh token ends the session");
}

/// A tab each, a session each, at a server that knows the user already the second time.
pub async fn two_tabs_have_a_session_each(world: &World, server: &AuthorizationServer) {
    log_in(world, server, json!({})).await;
    let page = &world.page;
    let first = page.tab().await;
    let second = page.new_tab().await;
    page.switch_to(&second).await;
    world.open_app(APP).await;
    world.leave_as(server.config(world, json!({}))).await;
    session(world).await;
    server.expire("AccessToken");
    server.forget_requests();
    for tab in [&first, &second] {
        page.switch_to(tab).await;
        claims(&userinfo(world, server).await);
    }
    assert_eq!(server.token_requests("refresh_token"), [200, 200]);
    let requests = server.requests();
    let mut used: Vec<_> = requests
        .iter()
        .filter_map(|request| request.form["refresh_token"].as_str())
        .collect();
    used.dedup();
    assert_eq!(used.len(), 2, "each its own");
    server.proved(world, "two tabs, a session each");
}

/// No, silently not, yes, silently yes, out, and silently not again.
pub async fn the_user_is_asked_once(world: &World, server: &AuthorizationServer) {
    let outcome = silently(world, server).await;
    assert_eq!(outcome["error"]["error"], "login_required", "{outcome}");
    log_in(world, server, json!({})).await;
    let outcome = silently(world, server).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    claims(&userinfo(world, server).await);

    let back = format!("{}/e2e/blank.html", world.app.origin);
    let leave = "window.oauth.logout({ endSession: { postLogoutRedirectUri: arguments[0] } })";
    world.page.start(leave, &[json!(back)]).await;
    server.confirm_logout(world).await;
    world
        .page
        .wait_until("location.pathname === '/e2e/blank.html'")
        .await;
    assert_eq!(world.page.url().await, back);
    let outcome = silently(world, server).await;
    assert_eq!(outcome["error"]["error"], "login_required", "{outcome}");
    server.proved(world, "end-session");
    server.proved(world, "silent login by redirect");
}

/// By a popup with the server's own pages, and then by a frame that nobody sees. The page stays throughout.
pub async fn beside_the_page(world: &World, server: &AuthorizationServer) {
    let page = &world.page;
    world.open_app(APP).await;
    let redirect_uri = format!("{}{APP}", world.app.origin);
    let config = |more: Value| {
        let mut config = server.config(world, more);
        config["redirectUri"] = json!(redirect_uri);
        config
    };
    // A frame first: the server knows nobody, and says so.
    let silent = config(json!({ "display": "iframe", "prompt": "none" }));
    let begun = "oauth.startLogin(args[0])";
    let outcome = world.outcome(begun, std::slice::from_ref(&silent)).await;
    assert_eq!(outcome["error"]["error"], "login_required", "{outcome}");

    let button = "const button = document.createElement('button')
        button.id = 'beside'
        button.onclick = () => { window.beside = outcome(oauth.startLogin(args[0])) }
        document.body.append(button)
        button.textContent = 'log in'
        window.mark = 'here'";
    world
        .run(button, &[config(json!({ "display": "popup" }))])
        .await;
    let opener = page.tab().await;
    page.click("#beside").await;
    let popup = page.other_than(&opener).await;
    page.switch_to(&popup).await;
    server.consent(world).await;
    page.switch_to(&opener).await;
    let outcome = world.run("return await beside", &[]).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    assert_eq!(world.run("return mark", &[]).await, "here");
    claims(&userinfo(world, server).await);
    server.proved(world, "login in a popup");

    // Now it knows the user, and the frame gets a session too.
    world.run("await oauth.logout()", &[]).await;
    let outcome = world.outcome(begun, &[silent]).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    claims(&userinfo(world, server).await);
    server.proved(world, "silent login in a frame");
}

/// Says no, and what the page is told.
pub async fn denied(world: &World, server: &AuthorizationServer) -> Value {
    world.open_app(APP).await;
    world.leave_as(server.config(world, json!({}))).await;
    server.log_in(world).await;
    server.deny(world).await;
    let outcome = world.redirected().await;
    assert_eq!(
        server.token_requests("authorization_code"),
        Vec::<u64>::new()
    );
    outcome["error"].clone()
}

/// An answer of this server to a login that was meant for another (RFC 9207).
pub async fn another_servers_answer_is_refused(
    world: &World,
    server: &AuthorizationServer,
    prompt: &str,
) {
    world.open_app(APP).await;
    let meant = json!({
        "issuer": "https://as.example",
        "authorizationEndpoint": server.authorization_endpoint(),
        "tokenEndpoint": server.token_endpoint(),
        "authorizationParameters": { "prompt": prompt },
    });
    world.leave_as(server.config(world, meant)).await;
    if prompt != "none" {
        server.consent(world).await;
    }
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "issuer_mismatch", "{outcome}");
    assert_eq!(
        server.token_requests("authorization_code"),
        Vec::<u64>::new()
    );
}
