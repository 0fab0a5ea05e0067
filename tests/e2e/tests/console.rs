//! The console page, used as a visitor uses it.

use e2e::{Tab, World};
use serde_json::{Value, json};

const CSP: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:* http://localhost:*; img-src 'self' data:; style-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'";

async fn open() -> World {
    let world = World::start().await;
    world.app.header("/", "Content-Security-Policy", CSP);
    world.page.open("/").await;
    state(&world, "logged-out").await;
    world
}

async fn state(world: &World, want: &str) {
    let expression = format!("document.documentElement.dataset.state === {want:?}");
    world.page.wait_until(&expression).await;
}

/// Through the provider's own pages.
async fn log_in(world: &World) {
    let page = &world.page;
    page.click("#log-in").await;
    page.wait_for("#login").await;
    page.fill("#nickname", "TETE9928972").await;
    page.fill("#password", "sandbox").await;
    page.click("#login").await;
    page.wait_for("#allow").await;
    page.click("#allow").await;
    state(world, "logged-in").await;
    page.wait_until("document.querySelector('#private').textContent.includes('email')")
        .await;
}

async fn value(world: &World, script: &str) -> Value {
    world.page.js(script, &[]).await.expect(script)
}

async fn until(world: &World, css: &str, contains: &str) {
    let expression = format!("document.querySelector({css:?})?.textContent.includes({contains:?})");
    world.page.wait_until(&expression).await;
}

/// One of the console's pages.
async fn view(world: &World, name: &str) {
    world.page.click(&format!("#views [href='#{name}']")).await;
    let shown = format!("document.documentElement.dataset.view === {name:?}");
    world.page.wait_until(&shown).await;
}

/// The card that says what went wrong.
async fn problem(world: &World, code: &str) {
    world
        .page
        .wait_until("!document.querySelector('#problem').hidden")
        .await;
    until(world, "#problem-code", code).await;
}

async fn choose(world: &World, provider: &str) {
    world.page.select("#provider", provider).await;
    let want = match provider {
        "mercadolibre" => "auth.mercadolibre.com.ar",
        "mercadopago" => "auth.mercadopago.com",
        _ => "api.appfigures.com",
    };
    until(world, "#opens", want).await;
}

async fn allow(world: &World) {
    let page = &world.page;
    page.wait_for("#login").await;
    page.fill("#nickname", "TETE9928972").await;
    page.fill("#password", "sandbox").await;
    page.click("#login").await;
    page.wait_for("#allow").await;
    page.click("#allow").await;
    state(world, "logged-in").await;
    // Until the page has shown what it came back with.
    until(world, "#private-status", "200").await;
}

async fn tick(world: &World, scope: &str) {
    let box_of = format!("[name=scope][value='{scope}']");
    world.page.click(&box_of).await;
}

#[tokio::test]
async fn a_visitor_logs_in_and_sees_public_beside_private_data() {
    let world = open().await;
    log_in(&world).await;
    let page = &world.page;
    assert_eq!(page.text("#user-id").await, "TETE9928972 · 226384143");
    assert_eq!(page.url().await, format!("{}/", world.app.origin));
    let script = "const open = JSON.parse(document.querySelector('#public').textContent)
        const own = JSON.parse(document.querySelector('#private').textContent)
        return [open.email ?? null, own.email, own.identification.type]";
    let emails = value(&world, script).await;
    assert_eq!(
        emails,
        json!([null, "test_user_38730994@testuser.com", "DNI"])
    );

    page.click("#burst").await;
    page.wait_until("document.querySelector('#refreshes')?.textContent === '1'")
        .await;
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);

    page.click("#log-out").await;
    state(&world, "logged-out").await;
    let stored = value(
        &world,
        "return [...Object.keys(localStorage), ...Object.keys(sessionStorage)]",
    );
    assert_eq!(
        stored.await,
        json!(["oauth-wasm.left"]),
        "when, and no more"
    );
}

#[tokio::test]
async fn a_visitor_tries_the_implicit_grant_and_sees_that_it_cannot_be_renewed() {
    let world = open().await;
    world.page.click("#grant-token").await;
    log_in(&world).await;
    assert!(world.page.text("#renewable").await.starts_with("no"));
    assert_eq!(world.page.url().await, format!("{}/", world.app.origin));
    assert_eq!(world.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn a_visitor_breaks_something_and_is_told_what_it_was() {
    let world = open().await;
    let page = &world.page;
    view(&world, "mistakes").await;
    for (button, code) in [
        ("client-secret", "client_secret_refused"),
        ("unknown-field", "invalid_config"),
        ("unknown-site", "unknown_site"),
        ("html", "invalid_token_response"),
        ("dropped", "network_error"),
    ] {
        page.click(&format!("#errors [data-error={button}]")).await;
        let shown = format!(
            "!document.querySelector('#problem').hidden && document.querySelector('#problem-code').textContent.includes({code:?})"
        );
        page.wait_until(&shown).await;
        assert_ne!(page.text("#problem-remedy").await, "", "{button}");
    }
}

#[tokio::test]
async fn a_country_in_doubt_says_why_and_each_has_its_own_host() {
    let world = open().await;
    let page = &world.page;
    let script = "return [...document.querySelectorAll('#site option')].map(option => option.text)";
    let countries = value(&world, script).await;
    let countries = countries.as_array().expect("a list");
    assert_eq!(countries.len(), 19);
    assert_eq!(countries[0], "Argentina · MLA");
    assert!(countries.contains(&json!("Honduras · MHN (address not confirmed)")));
    assert_eq!(page.text("#site-hint").await, "");
    page.select("#site", "MHN").await;
    until(&world, "#site-hint", "one says .hn").await;
    until(
        &world,
        "#opens",
        "https://auth.mercadolibre.com.hn/authorization",
    )
    .await;

    page.select("#site", "MLB").await;
    until(
        &world,
        "#opens",
        "https://auth.mercadolivre.com.br/authorization",
    )
    .await;
    page.click("#log-in").await;
    page.wait_for("#login").await;
    let url = page.url().await;
    let host = "http://auth.mercadolivre.com.br.localhost:";
    assert!(url.starts_with(host), "{url}");
    assert_eq!(page.text("#site").await, "Brazil");
    allow(&world).await;
    assert_eq!(page.text("#session-site").await, "mercadolibre · MLB");
}

#[tokio::test]
async fn each_scope_is_explained_and_what_another_implies_is_not_asked_for() {
    let world = open().await;
    let page = &world.page;
    assert_eq!(page.text("#requested").await, "offline_access read");
    // A name that stands for many is written out.
    page.fill("[name=scopes]", "urn:ml:orders:/read").await;
    until(&world, "#requested", "urn:ml:orders:/read").await;
    choose(&world, "appfigures").await;
    assert_eq!(
        page.text("#requested").await,
        "account:read public:read private:read products:read"
    );
    tick(&world, "account:write").await;
    until(&world, "#requested", "account:write").await;
    assert_eq!(
        page.text("#requested").await,
        "account:write public:read private:read products:read"
    );
    until(
        &world,
        "#requested-header",
        "X-OAuth-Scope: account:write,public:read,private:read,products:read",
    )
    .await;
    until(&world, "#scopes", "See the products of your account.").await;
    page.click("[name=language][value=pt]").await;
    until(&world, "#scopes", "Ver os produtos da sua conta.").await;
    // What was asked of the library to show this waits for nothing.
    page.wait_until("localStorage.length + sessionStorage.length === 0")
        .await;
}

#[tokio::test]
async fn a_provider_that_the_sandbox_does_not_speak_is_shown_but_not_logged_in_to() {
    let world = open().await;
    choose(&world, "mercadopago").await;
    until(&world, "#provider-hint", "no login").await;
    let disabled = value(&world, "return document.querySelector('#log-in').disabled").await;
    assert_eq!(disabled, true);
    until(&world, "#opens", "platform_id").await;
    until(&world, "#needs", "none that is known").await;
    until(&world, "#errors-count", "9 errors").await;
    choose(&world, "mercadolibre").await;
    until(&world, "#errors-count", "22 errors").await;
    assert_eq!(world.page.text("#provider-hint").await, "");
}

#[tokio::test]
async fn a_call_says_what_it_needs_and_another_login_gets_it() {
    let world = open().await;
    let page = &world.page;
    choose(&world, "appfigures").await;
    view(&world, "calls").await;
    page.select("#method", "PUT").await;
    page.fill("#path", "products/280598515284").await;
    until(&world, "#needs", "products:write").await;
    until(&world, "#held", "nobody is logged in").await;
    page.fill("#path", "/reports/sales").await;
    until(&world, "#needs", "none that is known").await;
    page.click("#all-routes summary").await;
    page.click("[aria-label^='GET /ext_accounts/{id}/products']")
        .await;
    until(&world, "#needs", "products:read").await;

    view(&world, "home").await;
    page.click("#log-in").await;
    allow(&world).await;
    until(&world, "#rate-limit", "of 1000").await;
    until(&world, "#private", "Angry Birds").await;
    view(&world, "calls").await;
    page.select("#method", "PUT").await;
    page.fill("#path", "/products/280598515284").await;
    until(&world, "#held", "products:read").await;
    page.click("#call").await;
    problem(&world, "insufficient_scope").await;
    until(&world, "#problem-ask", "products:write").await;
    assert_eq!(world.calls("/v2/products/280598515284"), []);

    page.click("#ask-again").await;
    page.wait_for("#allow").await;
    page.click("#allow").await;
    state(&world, "logged-in").await;
    until(&world, "#scope", "products:write").await;
    let url = format!("{}/#calls", world.app.origin);
    assert_eq!(page.url().await, url, "where the user was");
    until(&world, "#private-status", "200").await;
    page.select("#method", "PUT").await;
    page.fill("#path", "/products/280598515284").await;
    until(&world, "#held", "products:write").await;
    page.click("#call").await;
    until(&world, "#answer-status", "→ 200").await;
    let calls = world.calls("/v2/products/280598515284");
    assert_eq!((calls.len(), calls[0].status), (1, 200));

    page.select("#narrow", "private:read").await;
    page.click("#call").await;
    problem(&world, "insufficient_scope").await;
    page.select("#narrow", "products:write").await;
    page.click("#call").await;
    page.wait_until(
        "document.querySelector('#problem').hidden && !document.querySelector('#answer').hidden",
    )
    .await;
    until(&world, "#answer-status", "→ 200").await;
    let narrowed = world.sandbox.requests();
    let narrowed = narrowed
        .iter()
        .rev()
        .find(|request| request.method == "PUT");
    let header = narrowed.and_then(|request| request.header("x-oauth-scope"));
    assert_eq!(header, Some("products:write"));

    page.resize(360, 740).await;
    let wide = value(&world, "return document.documentElement.scrollWidth").await;
    assert!(wide.as_u64() <= Some(360), "{wide} pixels");
}

#[tokio::test]
async fn a_refusal_is_explained_in_the_language_of_the_login() {
    let world = open().await;
    let page = &world.page;
    page.click("[name=language][value=es]").await;
    until(&world, "#scopes", "Ver los datos").await;
    page.click("#log-in").await;
    allow(&world).await;
    let chosen = "return document.querySelector('[name=language]:checked').value";
    assert_eq!(value(&world, chosen).await, "es");
    view(&world, "calls").await;
    // Another user's data.
    page.fill("#path", "/users/314029626").await;
    until(&world, "#held", "read").await;
    page.click("#call").await;
    problem(&world, "request_refused").await;
    until(
        &world,
        "#problem-message",
        "el acceso a este recurso no está permitido",
    )
    .await;
    until(&world, "#problem-remedy", "Usar el token del dueño").await;
    until(&world, "#problem-server", "HTTP 403 · forbidden").await;
}

#[tokio::test]
async fn every_error_is_listed_with_its_remedy_and_most_can_be_tried() {
    let world = open().await;
    let page = &world.page;
    until(&world, "#errors-count", "22 errors").await;
    view(&world, "reference").await;
    page.click("[name=language][value=pt]").await;
    until(&world, "#errors-rows", "A aplicação está bloqueada.").await;
    page.fill("#errors-filter", "invalid_grant SESSÃO").await;
    until(&world, "#errors-count", "1 of 22 errors").await;
    page.fill("#errors-filter", "KYC bloqueado").await;
    until(&world, "#errors-count", "1 of 22 errors").await;
    until(&world, "#errors-rows tr:not([hidden])", "KYC").await;
    page.fill("#errors-filter", "nothing says this").await;
    until(&world, "#errors-count", "0 of 22 errors").await;
    page.fill("#errors-filter", " ").await;

    view(&world, "mistakes").await;
    page.click("#errors [data-error=no_active_session]").await;
    problem(&world, "token_request_refused").await;
    until(
        &world,
        "#problem-message",
        "o usuário não tem uma sessão ativa",
    )
    .await;
    let spoken = "return [...document.querySelectorAll('#problem-message, #problem-remedy')].map(e => e.lang)";
    assert_eq!(value(&world, spoken).await, json!(["pt", "pt"]));

    view(&world, "home").await;
    choose(&world, "appfigures").await;
    page.wait_until("document.querySelector('#errors-count').textContent === '6 errors'")
        .await;
    view(&world, "mistakes").await;
    page.click("#errors [data-error=unknown_client]").await;
    problem(&world, "token_request_refused").await;
    until(
        &world,
        "#problem-message",
        "a client key ou o client secret",
    )
    .await;
    let shown = "return [...document.querySelectorAll('#errors [data-error=chill_out]')].filter(e => e.offsetParent).length";
    assert_eq!(value(&world, shown).await, 0, "it needs a session");
    view(&world, "home").await;
    page.click("#log-in").await;
    allow(&world).await;
    view(&world, "mistakes").await;
    for (button, code, words) in [
        ("chill_out", "rate_limited", "esgotou suas solicitações"),
        (
            "unauthorized",
            "request_refused",
            "o access token está ausente",
        ),
        ("no_api_access", "request_refused", "saldo pendente"),
        (
            "api_access_disabled",
            "request_refused",
            "não pode mais usar a API",
        ),
        ("appfigures_forbidden", "request_refused", "não tem o scope"),
    ] {
        page.click(&format!("#errors [data-error={button}]")).await;
        until(&world, "#problem-message", words).await;
        problem(&world, code).await;
    }
}

/// The application has the functional permission for sales only, and the library knows before it asks.
#[tokio::test]
async fn a_seller_sees_orders_and_learns_which_permission_questions_need() {
    let world = open().await;
    let page = &world.page;
    page.fill("#client-id", "7164926001833742").await;
    log_in(&world).await;
    view(&world, "calls").await;
    page.click("#quick button:nth-of-type(1)").await;
    until(&world, "#answer-body", "Mate de calabaza").await;
    page.click("#quick button:nth-of-type(2)").await;
    problem(&world, "insufficient_scope").await;
    until(
        &world,
        "#problem-message",
        "urn:ml:mktp:comunication:/read-only",
    )
    .await;
    until(&world, "#problem-remedy", "DevCenter").await;
    assert_eq!(world.calls("/my/received_questions/search"), []);
}

#[tokio::test]
async fn a_reload_says_that_it_has_logged_the_user_out() {
    let world = open().await;
    log_in(&world).await;
    world.page.reload().await;
    state(&world, "logged-out").await;
    until(&world, "#reloaded:not([hidden])", "logged you out").await;
    world.page.reload().await;
    state(&world, "logged-out").await;
    let hidden = "return document.querySelector('#reloaded').hidden";
    assert_eq!(value(&world, hidden).await, true, "once");
}

#[tokio::test]
async fn the_code_that_is_shown_is_for_the_provider_that_is_chosen() {
    let world = open().await;
    until(&world, "#code", "provider: 'mercadolibre'").await;
    choose(&world, "appfigures").await;
    until(&world, "#code", "provider: 'appfigures'").await;
}

#[tokio::test]
async fn a_token_of_the_users_own_is_used_and_kept_nowhere() {
    let world = open().await;
    let page = &world.page;
    choose(&world, "appfigures").await;
    page.click("#adopt").await;
    until(&world, "#token-error", "Paste a token").await;
    page.fill("#token", "pat_sandbox").await;
    page.click("#adopt").await;
    state(&world, "logged-in").await;
    until(&world, "#private", "Angry Birds").await;
    until(&world, "#scope", "nobody said").await;
    until(&world, "#held", "the API decides").await;
    let kept = "return [document.querySelector('#token').value, document.documentElement.outerHTML.split('pat_sandbox').length - 1,
        localStorage.length + sessionStorage.length]";
    // Once as the example in the empty field.
    assert_eq!(value(&world, kept).await, json!(["", 1, 0]));
    view(&world, "calls").await;
    page.select("#method", "DELETE").await;
    page.fill("#path", "/events/7").await;
    page.click("#call").await;
    until(&world, "#answer-status", "→ 204").await;
    view(&world, "home").await;
    page.click("#log-out").await;
    state(&world, "logged-out").await;
    page.click("#token-scope").await;
    page.fill("#token", "pat_sandbox").await;
    page.click("#adopt").await;
    state(&world, "logged-in").await;
    until(&world, "#scope", "account:read public:read").await;
    until(&world, "#held", "account:read public:read").await;
}

#[tokio::test]
async fn logging_out_can_take_the_permission_back() {
    let world = open().await;
    let page = &world.page;
    log_in(&world).await;
    page.click("#revoke").await;
    page.click("#log-out").await;
    state(&world, "logged-out").await;
    until(&world, "#log", "the provider has forgotten them").await;
    let calls = world.calls("/users/226384143/applications/1620218256833906");
    let made: Vec<_> = calls
        .iter()
        .map(|call| (&*call.method, call.status))
        .collect();
    assert_eq!(made, [("DELETE", 200)]);
}

#[tokio::test]
async fn the_page_says_nothing_on_the_console() {
    let world = World::start().await;
    world.app.header("/", "Content-Security-Policy", CSP);
    world.app.record_console();
    world.page.open("/").await;
    state(&world, "logged-out").await;
    for provider in ["appfigures", "mercadopago", "mercadolibre"] {
        choose(&world, provider).await;
    }
    view(&world, "mistakes").await;
    world.page.click("#errors [data-error=denied]").await;
    problem(&world, "access_denied").await;
    world.is_quiet().await;
    view(&world, "home").await;
    log_in(&world).await;
    world.is_quiet().await;
}

#[tokio::test]
async fn the_page_fits_narrow_screens_and_the_keyboard_in_light_and_in_dark() {
    let world = open().await;
    let page = &world.page;
    for dark in [false, true] {
        page.color_scheme(dark).await;
        page.resize(360, 740).await;
        let wide = value(&world, "return document.documentElement.scrollWidth").await;
        assert!(wide.as_u64() <= Some(360), "{wide} pixels, dark: {dark}");
        let colours = "const style = getComputedStyle(document.documentElement)
            return [style.backgroundColor, style.color]";
        let colours = value(&world, colours).await;
        let background = colours[0].as_str().expect("a colour").to_owned();
        let first = background.split(['(', ',', ' ']).nth(1).expect("a channel");
        let bright = first.parse::<f64>().expect("a number") > 128.0;
        assert_eq!(bright, !dark, "{background}");
    }
    page.click("#notes summary").await;
    choose(&world, "appfigures").await;
    for name in ["calls", "reference", "mistakes"] {
        view(&world, name).await;
        if name == "calls" {
            page.click("#all-routes summary").await;
        }
        let wide = value(&world, "return document.documentElement.scrollWidth").await;
        assert!(wide.as_u64() <= Some(360), "{wide} pixels, {name}");
    }
    view(&world, "home").await;
    let script = "document.querySelector('#client-id').focus()
        const focusable = [...document.querySelectorAll('input, select, button, a[href]')].filter(e => e.offsetParent)
        return focusable.filter(e => !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label'))).map(e => e.id)";
    assert_eq!(
        value(&world, script).await,
        json!([]),
        "everything has a name"
    );
    page.fill("#client-id", "").await;
    page.keys("\u{E007}").await;
    page.wait_until("document.querySelector('#client-id-error').textContent !== ''")
        .await;
    state(&world, "logged-out").await;
}

/// The session page, in a window that has logged in by a popup.
async fn open_session() -> (World, Tab) {
    let world = World::start().await;
    world.app.header("/", "Content-Security-Policy", CSP);
    world.app.record_console();
    world.page.open("/session.html").await;
    state(&world, "logged-out").await;
    let window = world.page.tab().await;
    world.page.click("#log-in").await;
    let popup = world.page.other_than(&window).await;
    world.page.switch_to(&popup).await;
    world.page.wait_for("#login").await;
    world.page.fill("#nickname", "TETE9928972").await;
    world.page.fill("#password", "sandbox").await;
    world.page.click("#login").await;
    world.page.click("#allow").await;
    world.until_windows(1).await;
    world.page.switch_to(&window).await;
    state(&world, "logged-in").await;
    (world, window)
}

/// Until the timeline has so many lines of a window that say this.
async fn line(world: &World, window: &str, says: &str, count: usize) {
    let expression = format!(
        "[...document.querySelectorAll('#timeline li')].filter(({{ textContent }}) =>
            textContent.includes('Window {window} ') && textContent.includes({says:?})).length === {count}"
    );
    world.page.wait_until(&expression).await;
}

#[tokio::test]
async fn two_windows_show_the_life_of_the_session_that_they_share() {
    let (world, first) = open_session().await;
    let page = &world.page;
    assert_eq!(page.text("#user-id").await, "226384143");
    assert_eq!(page.text("#window").await, "A");
    page.click("#another").await;
    let second = page.other_than(&first).await;
    page.switch_to(&second).await;
    state(&world, "logged-in").await;
    assert_eq!(page.text("#window").await, "B");
    // What was before this window, and what it has to tell.
    line(&world, "A", "started here", 1).await;
    line(&world, "B", "restored elsewhere", 1).await;

    page.click("#burst").await;
    for window in [&second, &first] {
        page.switch_to(window).await;
        for letter in ["A", "B"] {
            line(&world, letter, "fetchPrivate() GET /users/me → 200", 1).await;
            let renewed = format!("Window {letter} renewed ");
            until(&world, "#timeline", &renewed).await;
        }
        until(&world, "#timeline", "renewed here").await;
        until(&world, "#timeline", "renewed elsewhere").await;
        until(&world, "#refreshes", "1").await;
        until(&world, "#spent-twice", "0").await;
    }
    assert_eq!(world.token_requests("refresh_token"), 1);

    // A third one is told by two, and shows each line once. What they do next they tell after that.
    page.switch_to(&second).await;
    let third = page.new_tab().await;
    page.switch_to(&third).await;
    page.open("/session.html").await;
    state(&world, "logged-in").await;
    page.click("#burst").await;
    for letter in ["A", "B"] {
        line(&world, letter, "fetchPrivate() GET /users/me → 200", 2).await;
    }
    line(&world, "A", "started here", 1).await;
    assert_eq!(world.token_requests("refresh_token"), 2);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);

    page.switch_to(&first).await;
    page.click("#log-out").await;
    state(&world, "logged-out").await;
    page.switch_to(&second).await;
    state(&world, "logged-out").await;
    line(&world, "A", "ended here, logout", 1).await;
    line(&world, "B", "ended elsewhere, logout", 1).await;
    // Whoever has the page read aloud hears the newest line.
    until(&world, "#newest", "ended").await;

    page.resize(360, 740).await;
    let wide = value(&world, "return document.documentElement.scrollWidth").await;
    assert!(wide.as_u64() <= Some(360), "{wide} pixels");
    let nameless = "return [...document.querySelectorAll('input, select, button, a[href]')]
        .filter(e => !(e.labels?.length || e.textContent.trim())).map(e => e.id)";
    assert_eq!(value(&world, nameless).await, json!([]));
    world.is_quiet().await;
}

#[tokio::test]
async fn a_window_tells_of_a_server_that_is_down_of_an_answer_that_is_lost_and_of_a_reload() {
    let (world, _) = open_session().await;
    let page = &world.page;
    page.click("#down").await;
    line(&world, "A", "fetchPrivate() server_error", 1).await;
    until(&world, "#wrong", "server_error").await;
    until(&world, "#state", "active").await;
    page.click("#call").await;
    line(&world, "A", "fetchPrivate() GET /users/me → 200", 1).await;

    page.click("#lost").await;
    line(&world, "A", "fetchPrivate() session_indeterminate", 1).await;
    line(&world, "A", "indeterminate here", 1).await;
    until(&world, "#state", "Log in again").await;
    assert_eq!(world.token_requests("refresh_token"), 3, "none sent again");

    // The one safe next step, this time in the window itself, and kept.
    page.click("[name=keep][value=tab]").await;
    page.click("[name=display][value=page]").await;
    page.click("#log-in").await;
    page.click("#allow").await;
    state(&world, "logged-in").await;
    until(&world, "#kept", "kept for this tab").await;
    let url = format!("{}/session.html", world.app.origin);
    assert_eq!(page.url().await, url);
    page.reload().await;
    state(&world, "logged-in").await;
    until(&world, "#timeline", "restored here").await;
    until(&world, "#spent-twice", "0").await;
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}
