//! The applications of examples/ as their tools build them, used as their users would.

use e2e::World;
use serde_json::json;
use std::path::Path;

/// Serves a built site at the app's root, with the address of this test's sandbox in it.
fn serve(world: &World, name: &str) {
    let site = e2e::target().join("stacks").join(name);
    assert!(site.exists(), "run `cargo xtask examples` first");
    // Angular's CLI puts it one deeper.
    let browser = site.join("browser");
    let site = if browser.exists() { browser } else { site };
    serve_below(world, &site, &site);
}

fn serve_below(world: &World, site: &Path, directory: &Path) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            serve_below(world, site, &path);
            continue;
        }
        let name = path.strip_prefix(site).expect("below the site");
        let name = format!("/{}", name.to_str().expect("UTF-8"));
        let body = std::fs::read(&path).expect("a readable file");
        let told = |body: Vec<u8>| {
            let text = String::from_utf8(body).expect("UTF-8");
            text.replace("https://sandbox.invalid", &world.sandbox_origin)
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => {
                let html = told(body);
                for address in ["/", "/me", "/index.html"] {
                    world.app.serve(address, "text/html", html.clone());
                }
            }
            Some("js") => world.app.serve(&name, "text/javascript", told(body)),
            Some("css") => world.app.serve(&name, "text/css", body),
            Some("json") => world.app.serve(&name, "application/json", body),
            _ => world.app.serve(&name, "application/wasm", body),
        }
    }
}

/// Without the provider's pages: a page for users only, login and back to it, a call, a reload, a logout, a login.
async fn a_user_of(name: &str) {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    serve(&world, name);
    let page = &world.page;
    let at = |path: &str| format!("{}{path}", world.app.origin);
    let nickname = "document.querySelector('#user')?.textContent === 'TETE9928972'";
    let button = |text: &str| {
        format!(
            "[...document.querySelectorAll('button')].find(one => one.textContent === '{text}' && !one.disabled)"
        )
    };

    page.open("/me").await;
    page.wait_until(nickname).await;
    assert_eq!(page.url().await, at("/me"), "back where the user was going");
    assert_eq!(world.token_requests("authorization_code"), 1);

    page.open("/me").await;
    page.wait_until(nickname).await;
    assert_eq!(
        world.token_requests("authorization_code"),
        1,
        "a reload restores"
    );

    let click = |text: &str| format!("{}.click()", button(text));
    page.wait_until(&format!("!!{}", button("Log out"))).await;
    page.js(&click("Log out"), &[]).await.expect("a click");
    page.wait_until(&format!("!!{}", button("Log in"))).await;
    let shown = "return document.querySelector('#user')?.textContent ?? null";
    assert_eq!(page.js(shown, &[]).await, Ok(json!(null)));
    assert_eq!(page.url().await, at("/me"), "a logout sends nobody away");
    assert_eq!(world.token_requests("authorization_code"), 1);

    page.open("/").await;
    page.wait_until(&format!("!!{}", button("Log in"))).await;
    page.start(&click("Log in"), &[]).await;
    page.wait_until(&format!("!!{}", button("Log out"))).await;
    assert_eq!(page.url().await, at("/"));
    assert_eq!(world.token_requests("authorization_code"), 2);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);

    world
        .sandbox
        .change(|settings| settings.auto_consent = false);
    page.js(&click("Log out"), &[]).await.expect("a click");
    page.wait_until(&format!("!!{}", button("Log in"))).await;
    page.start(&click("Log in"), &[]).await;
    page.fill("#nickname", "TETE9928972").await;
    page.fill("#password", "sandbox").await;
    page.click("#login").await;
    page.click("#deny").await;
    page.wait_until("document.querySelector('[role=alert]')?.textContent.includes('refused')")
        .await;
    assert_eq!(page.url().await, at("/"));
}

/// The README's example, as it is written there, but for the addresses of the provider.
#[tokio::test]
async fn a_user_of_the_page_without_a_bundler() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    let sandbox = &world.sandbox_origin;
    let read = |name: &str| {
        let path = e2e::workspace().join("examples/plain").join(name);
        std::fs::read_to_string(path).expect("a file of the example")
    };
    let written = read("main.js");
    let endpoints = format!(
        "site: 'MLB', authorizationEndpoint: '{sandbox}/authorization', tokenEndpoint: '{sandbox}/oauth/token',
         resourceServers: ['{sandbox}'],"
    );
    let told = written
        .replace("site: 'MLB',", &endpoints)
        .replace("https://api.mercadolibre.com", sandbox);
    assert_eq!(told.matches(sandbox.as_str()).count(), 4);
    world.app.serve("/main.js", "text/javascript", told);
    world.app.serve("/", "text/html", read("index.html"));

    let page = &world.page;
    page.open("/").await;
    page.wait_until("document.querySelector('#log-in').hidden === false")
        .await;
    page.click("#log-in").await;
    let greeted = "document.querySelector('#user')?.textContent === 'TETE9928972'";
    page.wait_until(greeted).await;
    assert_eq!(page.url().await, format!("{}/", world.app.origin));
    page.open("/").await;
    page.wait_until(greeted).await;
    page.click("#log-out").await;
    page.wait_until("document.querySelector('#log-in')?.hidden === false")
        .await;
    assert_eq!(world.token_requests("authorization_code"), 1);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}

#[tokio::test]
async fn a_user_of_the_react_application() {
    a_user_of("react").await;
}

#[tokio::test]
async fn a_user_of_the_vue_application() {
    a_user_of("vue").await;
}

#[tokio::test]
async fn a_user_of_the_svelte_application() {
    a_user_of("svelte").await;
}

#[tokio::test]
async fn a_user_of_the_solid_application() {
    a_user_of("solid").await;
}

#[tokio::test]
async fn a_user_of_the_angular_application() {
    a_user_of("angular").await;
}

/// docs/compare.md counts its lines, and says what it does otherwise.
#[tokio::test]
async fn a_user_of_the_application_that_the_react_one_is_compared_with() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    serve(&world, "react-oidc-context");
    let page = &world.page;
    let nickname = "document.querySelector('#user')?.textContent === 'TETE9928972'";
    let shows = |text: &str| {
        format!("document.querySelector('button:not(:disabled)')?.textContent === '{text}'")
    };
    page.open("/me").await;
    page.wait_until(nickname).await;
    assert_eq!(page.url().await, format!("{}/me", world.app.origin));
    page.open("/me").await;
    page.wait_until(nickname).await;
    assert_eq!(world.token_requests("authorization_code"), 1);
    page.js("window.isTheFirst = true", &[])
        .await
        .expect("a mark");
    page.click("button").await;
    page.wait_until(&format!("!window.isTheFirst && {nickname}"))
        .await;
    assert_eq!(world.token_requests("authorization_code"), 2, "sent away");

    page.open("/").await;
    page.wait_until(&shows("Log out")).await;
    page.click("button").await;
    page.wait_until(&shows("Log in")).await;
    page.click("button").await;
    page.wait_until(&shows("Log out")).await;
    assert_eq!(page.url().await, format!("{}/", world.app.origin));
    assert_eq!(world.token_requests("authorization_code"), 3);

    world.sandbox.change(|settings| {
        settings.auto_consent = false;
        settings.auto_deny = true;
    });
    page.click("button").await;
    page.wait_until(&shows("Log in")).await;
    page.click("button").await;
    page.wait_until("document.querySelector('[role=alert]') !== null")
        .await;
    let url = page.url().await;
    assert_eq!(
        e2e::parameter(&url, "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn the_react_application_is_tested_in_a_browser_without_a_provider() {
    let world = World::start().await;
    serve(&world, "faked");
    let page = &world.page;
    // What Playwright's addInitScript does: said before the page's own scripts run.
    let html = std::fs::read_to_string(e2e::target().join("stacks/faked/index.html"));
    let html = html.expect("a built page").replace(
        "<script",
        "<script>oauthWasmTesting = {
            session: { scope: ['read'] },
            answers: { [location.hash.slice(1) + '/users/me']: { nickname: 'FAKE' } },
        }</script><script",
    );
    world.app.serve("/me", "text/html", html);
    page.open(&format!("/me#{}", world.sandbox_origin)).await;
    page.wait_until("document.querySelector('#user')?.textContent === 'FAKE'")
        .await;
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_vault_is_the_client_of_a_frameworks_package() {
    let world = World::start().await;
    world.set_up_vault(&world.vault_config(json!({})));
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    let vue = "examples/node_modules/vue/dist/vue.runtime.esm-browser.prod.js";
    let vue = std::fs::read(e2e::workspace().join(vue)).expect("run `cargo xtask examples` first");
    world.app.serve("/vue.js", "text/javascript", vue);
    let vault = json!(world.vault_address());
    let me = json!(format!("{}/users/me", world.sandbox_origin));
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>vue</title><link rel=icon href='data:,'>
        <script type=importmap>{{ \"imports\": {{ \"vue\": \"/vue.js\", \"oauth-wasm\": \"/pkg/oauth-wasm.js\" }} }}</script>
        <main></main>
        <script type=module>
            import {{ createApp, h, ref }} from 'vue'
            import {{ createOAuth, useLogin, useSession }} from '/pkg/vue.js'
            import {{ vault }} from '/pkg/vault.js'
            const client = vault({vault})
            const View = {{
                setup() {{
                    const {{ session, loading, error }} = useSession()
                    const {{ login, logout }} = useLogin()
                    const user = ref('')
                    const show = async () => {{ user.value = (await (await client.fetchPrivate({me})).json()).nickname }}
                    return () => loading.value ? 'wait' : [
                        h('p', error.value?.message ?? ''),
                        session.value
                            ? [h('button', {{ id: 'out', onClick: logout }}), h('button', {{ id: 'who', onClick: show }}), h('b', user.value)]
                            : h('button', {{ id: 'in', onClick: login }}),
                    ]
                }},
            }}
            createApp(View).use(createOAuth({{ client }})).mount('main')
        </script>"
    );
    world.app.serve("/vue.html", "text/html", page);
    let page = &world.page;
    page.open("/vue.html").await;
    page.click("#in").await;
    page.click("#who").await;
    let who = "document.querySelector('b')?.textContent === 'TETE9928972'";
    page.wait_until(who).await;
    assert!(page.url().await.ends_with("/vue.html"));
    assert_eq!(page.text("p").await, "");
    page.reload().await;
    page.click("#who").await;
    page.wait_until(who).await;
    assert_eq!(world.token_requests("authorization_code"), 1);
    page.click("#out").await;
    page.wait_for("#in").await;
    assert_eq!(page.text("p").await, "");
}
