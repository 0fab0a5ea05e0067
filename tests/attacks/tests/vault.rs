//! The vault against script that owns the application: it was there first, and speaks in the application's name.

use attacks::{ACCESS, REFRESH, plant_canaries};
use e2e::World;
use serde_json::{Value, json};

/// pages/owned.html: the application of the vault, in which everything was replaced before anything else ran.
const OWNED: &str = "/attacks/owned.html";

async fn started(more: Value) -> World {
    let world = World::start().await;
    world.set_up_vault(&world.vault_config(more));
    world
}

fn owned(world: &World) -> String {
    format!(
        "{}{OWNED}?vault={}",
        world.app.origin,
        world.vault_address()
    )
}

/// Logs in on the page that the script owns.
async fn log_in(world: &World) {
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.open_app(&owned(world)).await;
    world.leave_for_vault(json!({ "appState": "mine" })).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "a session: {outcome}");
}

#[tokio::test]
async fn script_that_was_there_first_sees_every_call_of_the_application_and_no_token() {
    let world = started(json!({})).await;
    plant_canaries(&world);
    log_in(&world).await;
    let answer = world.fetch_private("/sites", json!({})).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let calls = world.calls("/sites");
    assert_eq!(calls[0].token.as_deref(), Some(ACCESS), "the vault has it");
    let script = "const everything = [sightings(), JSON.stringify([{ ...localStorage }, { ...sessionStorage }]), document.cookie,
            document.documentElement.outerHTML, JSON.stringify(history.state), JSON.stringify(performance.getEntries())].join('\\n')
        return [args.map(([a, b]) => everything.includes(a + b)), everything.length]";
    let halves = |needle: &str| json!(needle.split_at(needle.len() / 2));
    let code = world
        .sandbox
        .requests()
        .iter()
        .find_map(|request| request.form("code"))
        .expect("a code");
    let verifier = world
        .sandbox
        .requests()
        .iter()
        .find_map(|request| request.form("code_verifier"))
        .expect("a verifier");
    let needles = [ACCESS, REFRESH, &code, &verifier].map(halves);
    let seen = world.run(script, &needles).await;
    assert_eq!(seen[0], json!([false, false, false, false]));
    // It looks in the right places: what the application gets, it sees.
    let seen = world
        .run(script, &[halves("mercadolibre"), halves("\"appState\"")])
        .await;
    assert_eq!(seen[0], json!([true, true]), "{seen}");
}

#[tokio::test]
async fn script_that_runs_a_login_of_its_own_gets_nothing_in_frame_popup_or_tab() {
    let world = started(json!({})).await;
    log_in(&world).await;
    world.sandbox.forget_requests();
    let config = world.config(json!({}));
    let own = |state: &str| {
        let mut url = url::Url::parse(config["authorizationEndpoint"].as_str().expect("a URL"))
            .expect("a URL");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", config["clientId"].as_str().expect("an id"))
            .append_pair("redirect_uri", &world.vault_address())
            .append_pair(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            )
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "none")
            .append_pair("state", state);
        url.to_string()
    };
    for state in ["theirs", e2e::FORGED] {
        let script = "const [address] = args
            const heard = []
            addEventListener('message', ({ origin, data }) => heard.push([origin, data]))
            const frame = document.createElement('iframe')
            const loaded = new Promise(resolve => { frame.onload = resolve })
            frame.src = address
            document.body.append(frame)
            await loaded
            let href
            try { href = frame.contentWindow.location.href } catch (e) { href = e.name }
            const again = await window.port(args[1])
            return [href, heard, typeof again.greeting]";
        let args = [json!(own(state)), json!(world.vault_address())];
        let seen = world.run(script, &args).await;
        assert_eq!(seen, json!(["SecurityError", [], "object"]), "{state}");
    }
    // In a window: the page that answers says that it began no such login, and keeps the address to itself.
    let here = world.page.tab().await;
    let begin = "const button = document.createElement('button')
        button.onclick = () => { window.opened = open(args[0]) }
        button.textContent = 'go'
        document.body.prepend(button)";
    world.run(begin, &[json!(own(e2e::FORGED))]).await;
    world.page.click("button").await;
    let there = world.page.other_than(&here).await;
    world.page.switch_to(&there).await;
    world.page.wait_for("p").await;
    assert_eq!(world.page.url().await, world.vault_address());
    let seen = world
        .page
        .js("return [document.cookie, { ...sessionStorage }]", &[])
        .await;
    assert!(!seen.expect("a value").to_string().contains("back-"));
    world.page.switch_to(&here).await;
    let script =
        "try { return opened.closed || String(opened.location.href) } catch (e) { return e.name }";
    let seen = world.run(script, &[]).await;
    assert!(
        [json!(true), json!("SecurityError")].contains(&seen),
        "{seen}"
    );
    // A login is answered to the application that it is of, and by what the vault has begun. (On one host of a developer's
    // machine everybody writes the cookies that are the vault's alone elsewhere.)
    let script = "const { ask } = await window.port(args[0])
        const name = 'oauth-wasm-back-AAAAAAAAAAAAAAAAAAAAAA'
        const named = async app => {
            const href = `${args[0]}?code=theirs&state=${args[1]}`
            const value = encodeURIComponent(JSON.stringify({ app, href }))
            document.cookie = `${name}=${value}; Path=/; SameSite=Strict; Max-Age=60`
            // Chromium writes it in the background.
            while (!document.cookie.includes(`${name}=${value}`)) await new Promise(resolve => setTimeout(resolve))
            const answer = await ask({ do: 'handleRedirect', login: name.slice(16) })
            return [answer.error?.code ?? answer.value, document.cookie.includes(name)]
        }
        return [await named('https://other.example'), await named(location.origin), await ask({ do: 'handleRedirect', login: 'x=y; ' })]";
    let args = [json!(world.vault_address()), json!(e2e::FORGED)];
    let seen = world.run(script, &args).await;
    assert_eq!(seen[0], json!([null, true]), "another's is left to it");
    assert_eq!(seen[1], json!(["unknown_state", false]));
    assert_eq!(
        seen[2]["error"]["code"], "unknown_state",
        "nothing new: {seen}"
    );
    assert_eq!(
        world.token_requests("authorization_code"),
        0,
        "no code was spent"
    );
    // What the user had is still there.
    let answer = world.fetch_private("/users/me", json!({})).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
}

#[tokio::test]
async fn a_message_with_anything_else_in_it_closes_the_port_and_asks_nobody() {
    let world = started(json!({})).await;
    log_in(&world).await;
    world.sandbox.forget_requests();
    let foreign = &world.foreign.origin;
    let url = format!("{}/users/me", world.sandbox_origin);
    let call = json!({ "do": "fetch", "url": url, "method": "GET", "headers": [], "body": null, "cache": "default", "options": {} });
    let with = |more: Value| {
        let mut message = call.clone();
        for (name, value) in more.as_object().expect("an object") {
            message[name] = value.clone();
        }
        message
    };
    let login = json!({ "do": "login", "returnTo": owned(&world), "appState": null, "prompt": null, "ask": null, "popup": false });
    let mut login_elsewhere = login.clone();
    login_elsewhere["config"] = json!({ "tokenEndpoint": format!("{foreign}/token") });
    let mut login_asked = login.clone();
    login_asked["ask"] = json!({ "redirectUri": "https://evil.example/" });
    let mut login_forged = login.clone();
    login_forged["ask"] = json!({ "scope": ["write", "admin"] });
    let mut login_scope = login;
    login_scope["scope"] = json!("write");
    let messages = json!([
        // auth0-spa-js#1566: the worker fetched whatever address a message named, and answered with what it got.
        with(json!({ "tokenEndpoint": format!("{foreign}/token") })),
        with(json!({ "fetchUrl": format!("{foreign}/token"), "fetchOptions": { "method": "POST" } })),
        with(json!({ "timeout": 10000, "auth": { "audience": "default", "scope": "openid" } })),
        with(json!({ "resourceServers": [foreign] })),
        with(json!({ "options": { "redirect": "follow" } })),
        with(json!({ "options": { "credentials": "include" } })),
        with(json!({ "headers": { "accept": "x" } })),
        with(json!({ "headers": [["accept"]] })),
        with(json!({ "method": ["GET"] })),
        with(json!({ "url": { "href": url } })),
        with(json!({ "body": "text" })),
        { "do": "fetch", "url": url },
        { "do": "adoptToken", "token": "x" },
        { "do": "constructor" },
        { "do": "__proto__" },
        { "do": "toString" },
        { "do": ["session"] },
        { "do": "session", "__proto__x": 1 },
        { "do": "refresh", "refresh_token": "x" },
        { "do": "abort", "call": "1" },
        login_elsewhere,
        login_scope,
        login_asked,
        login_forged,
        { "do": "handleRedirect" },
        { "do": "handleRedirect", "login": ["x"] },
        { "do": "explain", "refusal": "1" },
        { "do": "scopesFor", "calls": [["GET"]] },
        { "do": "logout", "revoke": 1, "endSession": false, "returnTo": url },
        {},
    ]);
    let script = "const [address, messages] = args
        const wrong = []
        for (const message of messages) {
            const { greeting, ask, frame } = await window.port(address)
            if (!greeting.version) wrong.push(['no port', message])
            const first = await ask(message)
            if (first?.error?.code !== 'vault_refused') wrong.push([message, first])
            frame.remove()
        }
        const { ask } = await window.port(address)
        await ask(messages[0])
        const after = await ask({ do: 'session' })
        return [wrong, after]";
    // Each message has a frame of its own, and a script has half a minute.
    for messages in messages.as_array().expect("a list").chunks(6) {
        let args = [json!(world.vault_address()), json!(messages)];
        let seen = world.run(script, &args).await;
        assert_eq!(seen, json!([[], null]));
    }
    assert_eq!(world.calls("/"), []);
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn a_port_of_the_scripts_own_calls_nothing_that_the_policy_does_not_name() {
    let world = started(json!({})).await;
    log_in(&world).await;
    world.sandbox.forget_requests();
    let api = &world.sandbox_origin;
    let host = api.strip_prefix("http://").expect("http");
    let call = |method: &str, url: String, headers: Value| json!({ "do": "fetch", "url": url, "method": method, "headers": headers, "body": null, "cache": "default", "options": {} });
    let none = json!([]);
    let messages = json!([
        call("get", format!("{api}/users/me"), none.clone()),
        call("GET ", format!("{api}/users/me"), none.clone()),
        call("GET\r\nX: y", format!("{api}/users/me"), none.clone()),
        call("CONNECT", format!("{api}/users/me"), none.clone()),
        call("GET,POST,PUT", format!("{api}/users/me"), none.clone()),
        call(
            "GET",
            format!("http://user:pw@{host}/users/me"),
            none.clone()
        ),
        call(
            "GET",
            "http://127.0.0.1.evil.example/users/me".to_owned(),
            none.clone()
        ),
        call("GET", format!("https://{host}/users/me"), none.clone()),
        call("GET", format!("{api}/users/me/../you"), none.clone()),
        call("GET", format!("{api}\\users\\you"), none.clone()),
        call("GET", format!("{api}/users/m\te/you"), none.clone()),
        call(
            "GET",
            format!("{api}/items/x/..%2f..%2fusers/you"),
            none.clone()
        ),
        call("GET", "//evil.example/users/me".to_owned(), none.clone()),
        call("GET", format!("{}/", world.vault.origin), none.clone()),
        call(
            "GET",
            format!("{}/users/me", world.foreign.origin),
            none.clone()
        ),
        call(
            "GET",
            format!("{api}/users/me"),
            json!([["Authorization", "Bearer x"]])
        ),
        call("GET", format!("{api}/users/me"), json!([["DPoP", "x"]])),
        call(
            "GET",
            format!("{api}/users/me"),
            json!([["X-HTTP-Method-Override", "DELETE"]])
        ),
        call("GET", format!("{api}/users/me"), json!([["cookie", "x=y"]])),
    ]);
    let script = "const { ask } = await window.port(args[0])
        const wrong = []
        for (const message of args[1]) {
            const answer = await ask(message)
            if (!['vault_refused', 'invalid_request'].includes(answer?.error?.code)) wrong.push([message.method, message.url, answer])
        }
        const right = await ask(args[2])
        return [wrong, right.value.status]";
    let good = call("GET", format!("{api}/users/me"), none);
    let args = [json!(world.vault_address()), messages, good];
    let seen = world.run(script, &args).await;
    assert_eq!(seen, json!([[], 200]));
    let calls = world.calls("/");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(world.foreign.requests(), []);
}

#[tokio::test]
async fn a_flood_of_calls_meets_the_limits_and_not_the_provider() {
    let limits = json!({ "limits": { "concurrent": 4, "perMinute": 20 } });
    let world = started(limits).await;
    log_in(&world).await;
    world.sandbox.forget_requests();
    let url = format!("{}/users/me?n=", world.sandbox_origin);
    let script = "const [address, url] = args
        const ports = await Promise.all([1, 2, 3].map(() => window.port(address)))
        const call = n => ({ do: 'fetch', url: url + n, method: 'GET', headers: [], body: null, cache: 'no-store', options: {} })
        const codes = {}
        for (const { flood, greeting } of ports) {
            if (!greeting.version) throw new Error('no port')
            for (const answer of await flood(Array.from({ length: 100 }, (_, n) => call(n)))) {
                const code = answer?.error?.code ?? 'answered'
                codes[code] = (codes[code] ?? 0) + 1
            }
        }
        return codes";
    let args = [json!(world.vault_address()), json!(url)];
    let codes = world.run(script, &args).await;
    let calls = world.calls("/users/me").len();
    // A minute may end meanwhile.
    assert!((1..=40).contains(&calls), "{calls} {codes}");
    assert!(codes["vault_limited"].as_u64() > Some(250), "{codes}");
}

#[tokio::test]
async fn a_return_address_is_a_page_of_the_application_that_asks() {
    let other = "https://other.example";
    let world = World::start().await;
    let applications = json!([world.app.origin, other]);
    world.set_up_vault(&world.vault_config(json!({ "applications": applications })));
    world.open_app(&owned(&world)).await;
    let script = "const { ask } = await window.port(args[0])
        const codes = []
        for (const returnTo of args[1]) {
            const answer = await ask({ do: 'login', returnTo, appState: null, prompt: null, ask: null, popup: false })
            codes.push(answer?.error?.code)
        }
        return codes";
    let app = &world.app.origin;
    let host = app.strip_prefix("http://").expect("http");
    let addresses = [
        "https://evil.example/".to_owned(),
        format!("{app}.evil.example/"),
        format!("http://{host}@evil.example/"),
        format!("https://{host}/"),
        format!("{other}/"),
        "//evil.example".to_owned(),
        "/path".to_owned(),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        format!("blob:{app}x/1"),
        String::new(),
        world.vault_address(),
        world.foreign.origin.clone(),
    ];
    let args = [json!(world.vault_address()), json!(addresses)];
    let codes = world.run(script, &args).await;
    assert_eq!(codes, json!(vec!["invalid_config"; addresses.len()]));
    // A way that nobody has opened leads nowhere.
    let guess = format!(
        "{}#oauth-wasm-login=AAAAAAAAAAAAAAAAAAAAAA",
        world.vault_address()
    );
    world.page.open(&guess).await;
    world.page.wait_for("p").await;
    assert!(world.page.url().await.starts_with(&world.vault_address()));
    assert_eq!(world.sandbox.requests().len(), 0);
}

/// A page that frames the vault, or stands in a frame itself, and says what it hears.
const STRANGER: &str = "<!doctype html><title>stranger</title><link rel=icon href='data:,'><script src=/attacks/owned.js></script><body>";

#[tokio::test]
async fn a_stranger_that_frames_the_vault_is_refused_by_the_header_and_by_the_page() {
    let world = World::start().await;
    let config = world.vault_config(json!({}));
    world.serve_vault(&config);
    world.app.serve("/stranger.html", "text/html", STRANGER);
    let stranger = format!("{}/stranger.html", world.app.at("localhost"));
    world.page.open(&stranger).await;
    let script =
        "const { greeting } = await window.port(args[0]); return greeting?.error?.code ?? greeting";
    let address = [json!(world.vault_address())];
    let seen = world.page.js(script, &address).await;
    assert_eq!(seen, Ok(json!("vault_refused")), "by the page itself");
    world.set_up_vault(&config);
    world.page.open(&stranger).await;
    let seen = world.page.js(script, &address).await;
    assert_eq!(
        seen,
        Ok(Value::Null),
        "by frame-ancestors it is not even there"
    );
}

#[tokio::test]
async fn a_vault_of_another_site_or_another_version_says_so() {
    let world = World::start().await;
    let elsewhere = world.app.at("localhost");
    let config = world.vault_config(json!({ "applications": [elsewhere, world.app.origin] }));
    world.serve_vault(&config);
    let page = format!(
        "{elsewhere}{}?vault={}",
        e2e::VAULT_APP,
        world.vault_address()
    );
    world.open_app(&page).await;
    let outcome = world.outcome("oauth.session()", &[]).await;
    assert_eq!(outcome["error"]["code"], "vault_partitioned", "{outcome}");
    world.open_app(&owned(&world)).await;
    let script = "const codes = []
        for (const version of [0, 2, '1', null, undefined, {}, 'x'.repeat(99)]) {
            const { greeting } = await window.port(args[0], { 'oauth-wasm': 'vault', version })
            codes.push(greeting?.error?.code)
        }
        return codes";
    let codes = world.run(script, &[json!(world.vault_address())]).await;
    assert_eq!(codes, json!(vec!["vault_version"; 7]));
}

#[tokio::test]
async fn a_third_origin_beside_the_vault_and_one_in_its_place_hear_and_get_nothing() {
    let world = started(json!({})).await;
    log_in(&world).await;
    world.sandbox.forget_requests();
    // Beside: it reaches the vault's frame through the application, and is not the page around it.
    world.app.serve(
        "/beside.html",
        "text/html",
        "<!doctype html><title>beside</title><script>
            const answers = []
            for (let n = 0; n < parent.frames.length; n++) {
                for (const version of [1, 2]) {
                    const { port1, port2 } = new MessageChannel()
                    port1.onmessage = ({ data }) => answers.push(data)
                    parent.frames[n].postMessage({ 'oauth-wasm': 'vault', version }, '*', [port2])
                }
            }
            setTimeout(() => parent.postMessage({ answers }, '*'), 1000)
        </script>",
    );
    // In its place: it tells whatever is said to it.
    world.app.serve(
        "/instead.html",
        "text/html",
        "<!doctype html><title>instead</title><script>
            addEventListener('message', ({ data }) => parent.postMessage({ heard: data }, '*'))
        </script>",
    );
    let strangers = world.app.at("localhost");
    let script = "const told = new Promise(resolve => addEventListener('message', ({ data }) => data.answers && resolve(data.answers)))
        const frame = Object.assign(document.createElement('iframe'), { src: args[0] + '/beside.html' })
        document.body.append(frame)
        const answers = await told
        frame.remove()
        const heard = []
        addEventListener('message', ({ data }) => data.heard && heard.push(data.heard))
        const vault = document.querySelector('iframe')
        // Not by a message of the stranger's: its frame is taken away as it has loaded, and may not get to send any.
        const gone = new Promise(resolve => {
            const look = () => !vault.isConnected && resolve()
            new MutationObserver(look).observe(document, { childList: true, subtree: true })
        })
        vault.src = args[0] + '/instead.html'
        // What is asked as the frame goes is answered, if by an error; what comes next opens another, of the vault.
        const asked = outcome(oauth.session())
        await gone
        await asked
        const call = await outcome(oauth.fetchPrivate(args[1] + '/users/me').then(({ status }) => status))
        return [answers, heard, call.error?.code ?? call.value]";
    let args = [json!(strangers), json!(world.sandbox_origin)];
    let seen = world.run(script, &args).await;
    assert_eq!(seen[0], json!([]), "beside");
    assert_eq!(seen[1], json!([]), "in its place");
    assert_eq!(seen[2], 200);
}

#[tokio::test]
async fn after_a_logout_no_port_of_any_script_gets_an_answer_from_the_api() {
    let world = started(json!({})).await;
    log_in(&world).await;
    let url = format!("{}/users/me", world.sandbox_origin);
    let script = "const call = { do: 'fetch', url: args[1], method: 'GET', headers: [], body: null, cache: 'no-store', options: {} }
        const { ask } = await window.port(args[0])
        const used = await ask(call)
        await oauth.logout()
        // Other frames hear of it as other tabs do.
        while ((await ask({ do: 'session' })).value);
        const after = await ask(call)
        const restored = await ask({ do: 'restore' })
        const fresh = await window.port(args[0])
        const late = [await fresh.ask(call), await fresh.ask({ do: 'restore' })]
        return [used.value?.status, after?.error?.code ?? after, restored.value, late[0].error?.code, late[1].value]";
    let args = [json!(world.vault_address()), json!(url)];
    let seen = world.run(script, &args).await;
    assert_eq!(
        seen,
        json!([200, "login_required", null, "login_required", null])
    );
}

#[tokio::test]
async fn script_in_the_application_can_ask_the_vault_within_its_policy_while_the_page_is_open() {
    let world = started(json!({})).await;
    log_in(&world).await;
    let url = format!("{}/users/me", world.sandbox_origin);
    let script = "const { ask } = await window.port(args[0])
        const { value } = await ask({ do: 'fetch', url: args[1], method: 'GET', headers: [], body: null, cache: 'default', options: {} })
        const text = await new Promise(resolve => {
            let text = ''
            value.body.onmessage = ({ data }) => data ? (text += new TextDecoder().decode(data)) : resolve(text)
        })
        return JSON.parse(text).email";
    let args = [json!(world.vault_address()), json!(url)];
    let seen = world.run(script, &args).await;
    assert_eq!(seen, "test_user_38730994@testuser.com");
}
