//! The console page, used as a visitor uses it.

use e2e::World;
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

#[tokio::test]
async fn a_visitor_logs_in_and_sees_public_beside_private_data() {
    let world = open().await;
    log_in(&world).await;
    let page = &world.page;
    assert_eq!(page.text("#user-id").await, "226384143");
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
    let stored = value(&world, "return localStorage.length + sessionStorage.length").await;
    assert_eq!(stored, 0);
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
