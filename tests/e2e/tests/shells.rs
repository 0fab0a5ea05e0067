//! The recipes for Capacitor, Tauri and Electron with the library itself: a stand-in for the system opens the provider's page
//! and hands the application the URL that comes back.

use e2e::World;
use serde_json::json;

/// What the real modules do as far as the recipes go; their types are checked by the suite `testing`.
const STAND_INS: &[(&str, &str)] = &[
    (
        "@capacitor/app",
        "export const App = {
            addListener: async (name, listener) => {
                const hear = url => listener({ url })
                device.listeners.add(hear)
                return { remove: async () => { device.listeners.delete(hear) } }
            },
            getLaunchUrl: async () => device.launched && { url: device.launched },
        }",
    ),
    (
        "@capacitor/browser",
        "export const Browser = {
            open: async ({ url }) => { device.opened = url },
            close: async () => { throw new Error('not on Android') },
        }",
    ),
    (
        "@tauri-apps/plugin-deep-link",
        "export const onOpenUrl = async listener => {
            const hear = url => listener([url])
            device.listeners.add(hear)
            return () => device.listeners.delete(hear)
        }
        export const getCurrent = async () => device.launched ? [device.launched] : null",
    ),
    (
        "@tauri-apps/plugin-opener",
        "export const openUrl = async url => { device.opened = url }",
    ),
];

/// `system` is what Electron's preload script puts into the page.
const DEVICE: &str = "
    window.device = { listeners: new Set(), launched: new URLSearchParams(location.search).get('launched') }
    window.system = {
        open: async url => { device.opened = url },
        startedBy: async () => device.launched ?? undefined,
        onUrl: listener => {
            const hear = url => listener(url)
            device.listeners.add(hear)
            return () => { device.listeners.delete(hear) }
        },
    }";

const REDIRECT_URI: &str = "com.example.app:/callback";

fn serve(world: &World, shell: &str) {
    let mut imports = json!({ "oauth-wasm": "/pkg/oauth-wasm.js" });
    for (name, script) in STAND_INS {
        let path = format!("/stand-ins/{name}.js");
        world.app.serve(&path, "text/javascript", *script);
        imports[*name] = json!(path);
    }
    for name in ["native.js", shell] {
        let file = e2e::workspace().join("examples/recipes").join(name);
        let script = std::fs::read(file).expect("a recipe");
        world
            .app
            .serve(&format!("/{name}"), "text/javascript", script);
    }
    let imports = json!({ "imports": imports });
    let html = format!(
        "<!doctype html><title>app</title><script>{DEVICE}</script><script type=\"importmap\">{imports}</script>
        <script type=\"module\">
            window.oauth = await import('oauth-wasm')
            window.shell = await import('/{shell}')
        </script>"
    );
    world.app.serve("/app", "text/html", html);
}

async fn a_user_of(shell: &str) {
    let world = World::start().await;
    serve(&world, shell);
    let page = &world.page;
    let config = world.config(json!({ "redirectUri": REDIRECT_URI, "appState": shell }));
    let begin = "device.opened = window.session = window.failed = null
        shell.logIn(args[0]).then(session => { window.session = session }, error => { window.failed = error.code })";
    let begun = async || {
        page.wait_until("!!window.shell").await;
        page.js(begin, std::slice::from_ref(&config))
            .await
            .expect("a login begins");
        page.wait_until("!!device.opened && device.listeners.size === 1")
            .await;
        let opened = page.js("return device.opened", &[]).await;
        let opened = opened.expect("an address");
        opened.as_str().expect("an address").to_owned()
    };

    let call = "return oauth.fetchPrivate(args[0]).then(response => response.json()).then(user => user.nickname)";
    let user = [json!(format!("{}/users/me", world.sandbox_origin))];

    page.open("/app").await;
    let redirect = world.redirect(&begun().await);
    assert!(redirect.starts_with(REDIRECT_URI), "{redirect}");
    let hear = "for (const hear of [...device.listeners]) for (const url of args[0]) hear(url)";
    // Of other parts of the application, and of another's.
    let urls = [
        "com.example.app:/share?x=1".to_owned(),
        redirect.replacen("/callback", "/elsewhere", 1),
        redirect,
    ];
    page.js(hear, &[json!(urls)]).await.expect("heard");
    page.wait_until("!!(window.session || window.failed)").await;
    let outcome = "return [window.session?.appState, window.failed]";
    assert_eq!(page.js(outcome, &[]).await, Ok(json!([shell, null])));
    page.wait_until("device.listeners.size === 0").await;
    assert_eq!(page.js(call, &user).await, Ok(json!("TETE9928972")));
    page.js("return oauth.logout()", &[]).await.expect("out");

    // The system ends the application while its user is in the browser, and starts it by the URL.
    let redirect = world.redirect(&begun().await);
    let address = format!("/app?launched={}", encoded(&redirect));
    page.open(&address).await;
    page.wait_until("!!window.shell").await;
    let started = "return shell.startedBy().then(url => oauth.handleRedirect(url)).then(session => session.appState)";
    assert_eq!(page.js(started, &[]).await, Ok(json!(shell)));
    assert_eq!(page.js(call, &user).await, Ok(json!("TETE9928972")));

    // The user says no.
    let url = begun().await;
    let state = e2e::parameter(&url, "state").expect("a state");
    let denied = format!("{REDIRECT_URI}?error=access_denied&state={state}");
    page.js(hear, &[json!([denied])]).await.expect("heard");
    page.wait_until("window.failed === 'access_denied' && device.listeners.size === 0")
        .await;
    assert_eq!(world.token_requests("authorization_code"), 2);
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| format!("%{byte:02X}");
    text.bytes().map(encode).collect()
}

#[tokio::test]
async fn a_user_of_an_application_in_capacitor() {
    a_user_of("capacitor.js").await;
}

#[tokio::test]
async fn a_user_of_an_application_in_tauri() {
    a_user_of("tauri.js").await;
}

#[tokio::test]
async fn a_user_of_an_application_in_electron() {
    a_user_of("electron.js").await;
}
