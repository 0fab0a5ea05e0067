//! Providers are data: what their files say of sites, languages, errors and revocation is what happens.

use e2e::{APP, USER, World, parameter, provider_file, said};
use sandbox::{Fault, FaultKind, FragmentShape, Shape, documented_errors};
use serde_json::{Value, json};

const LANGUAGES: [&str; 3] = ["en", "es", "pt"];

/// The documented errors that reach a program, each with the provider and the row of its file that must fit: all of
/// the row but its texts and other spellings.
fn rows() -> Vec<(&'static str, &'static str, Value)> {
    let grant = |says| json!({ "error": "invalid_grant", "says": says });
    let error = |name| json!({ "error": name });
    let mercadolibre = [
        ("invalid_client", error("invalid_client")),
        ("no_active_session", grant("must have an active session")),
        ("spent_or_expired", grant("Error validating grant")),
        ("spent_or_expired_english", grant("Error validating grant")),
        ("client_mismatch", grant("client_id does not match")),
        (
            "redirect_uri_mismatch",
            grant("redirect_uri does not match"),
        ),
        ("invalid_scope", error("invalid_scope")),
        (
            "duplicate_parameters",
            json!({ "error": "invalid_request", "says": "duplicate values" }),
        ),
        ("malformed_request", error("invalid_request")),
        ("unsupported_grant_type", error("unsupported_grant_type")),
        ("forbidden", error("forbidden")),
        (
            "policy_agent",
            error("PA_UNAUTHORIZED_RESULT_FROM_POLICIES"),
        ),
        ("invalid_scopes", error("Invalid scopes")),
        (
            "ip_not_allowed",
            json!({ "error": "access_denied", "status": 403 }),
        ),
        (
            "invalid_operator_user_id",
            error("invalid_operator_user_id"),
        ),
        (
            "code_verifier_required",
            json!({ "error": "invalid_request", "says": "code_verifier" }),
        ),
        ("local_rate_limited", error("local_rate_limited")),
        ("local_rate_limited_json", error("local_rate_limited")),
        ("unauthorized_client", error("unauthorized_client")),
        (
            "unauthorized_application",
            error("unauthorized_application"),
        ),
    ];
    let appfigures = [
        ("appfigures_forbidden", json!({ "status": 403 })),
        ("chill_out", json!({ "status": 420 })),
    ];
    let mercadolibre = mercadolibre.map(|(id, row)| (id, "mercadolibre", row));
    let appfigures = appfigures.map(|(id, row)| (id, "appfigures", row));
    mercadolibre.into_iter().chain(appfigures).collect()
}

/// The one row of a provider's file that says this.
fn row(provider: &str, wanted: &Value) -> Value {
    let file = provider_file(provider);
    let rows = file["errors"].as_array().expect("a list of errors");
    let is_it = |row: &&Value| {
        let mut key = row.as_object().expect("an object").clone();
        for text in ["message", "remedy", "also"] {
            key.remove(text);
        }
        Value::Object(key) == *wanted
    };
    let mut found = rows.iter().filter(is_it);
    let row = found.next().expect("such a row").clone();
    assert!(found.next().is_none(), "{wanted} stands twice");
    row
}

/// The error has the words of this row of the provider's file, in this language.
fn has_words_of(error: &Value, provider: &str, wanted: &Value, language: &str) {
    let row = row(provider, wanted);
    let about = format!("{wanted} in {language}: {error}");
    assert_eq!(error["name"], "OAuthError", "{about}");
    assert_eq!(said(error), row["message"][language], "{about}");
    assert_eq!(error["remedy"], row["remedy"][language], "{about}");
    assert!(row["message"][language].is_string(), "{about}");
    if row["error"].is_string() {
        assert_eq!(error["error"], row["error"], "{about}");
    }
}

/// Logins whose code asks the sandbox for a documented error, all on the page that is open: `[{id, language, error}]`.
const MAGIC: &str = "const [config, ids, languages] = args
    const seen = []
    for (const language of languages) for (const id of ids) {
        let state
        const navigate = url => { state = new URL(url).searchParams.get('state') }
        await oauth.startLogin({ ...config, language, navigate })
        const redirect = config.redirectUri + '?code=sandbox:' + id + '&state=' + state
        seen.push({ id, language, ...await outcome(oauth.handleRedirect(redirect)) })
    }
    return seen";

/// Calls of the API that the sandbox answers with a documented error: `[{id, language, code, error, untouched}]`.
const FORCED: &str = "const [url, config, ids, languages, origin] = args
    const force = id => fetch(origin + '/_sandbox/settings', {
        method: 'POST', body: JSON.stringify({ forceApiError: id }) })
    const seen = []
    for (const id of ids) {
        await force(id)
        for (const language of languages) {
            await oauth.adoptToken('any-token', { ...config, language })
            const response = await oauth.fetchPrivate(url)
            const error = await oauth.explain(response)
            const told = { ...error, name: error.name, message: error.message, own: error instanceof Error }
            seen.push({ id, language, error: told, untouched: !response.bodyUsed && (await response.text()).length > 0 })
        }
    }
    await force(null)
    return seen";

#[tokio::test]
async fn every_documented_error_is_explained_by_its_row_of_the_file_in_three_languages() {
    let rows = rows();
    let documented = documented_errors()
        .iter()
        .filter(|one| one.shape != Shape::Page);
    for error in documented {
        assert!(rows.iter().any(|(id, ..)| *id == error.id), "{}", error.id);
    }
    let wanted = |id: &Value| {
        let found = rows.iter().find(|(known, ..)| id == known);
        found.expect("a row for the id")
    };
    let documented = |id: &Value| {
        let found = documented_errors().iter().find(|one| id == one.id);
        found.expect("a documented error")
    };
    let world = World::start().await;
    world.open_app(APP).await;

    // At the token endpoint.
    let ids: Vec<_> = rows
        .iter()
        .filter(|(_, provider, _)| *provider == "mercadolibre")
        .map(|(id, ..)| *id)
        .collect();
    let args = [world.config(json!({})), json!(ids), json!(LANGUAGES)];
    let seen = world.run(MAGIC, &args).await;
    let seen = seen.as_array().expect("a list");
    assert_eq!(seen.len(), 60);
    for one in seen {
        let (_, provider, wanted) = wanted(&one["id"]);
        let (error, documented) = (&one["error"], documented(&one["id"]));
        has_words_of(
            error,
            provider,
            wanted,
            one["language"].as_str().expect("text"),
        );
        assert_eq!(error["status"], documented.status, "{one}");
        let code = match documented.status {
            429 => "rate_limited",
            _ => "token_request_refused",
        };
        assert_eq!(error["code"], code, "{one}");
        assert_eq!(error["retryable"], code == "rate_limited");
        let says_more = documented.error != documented.description;
        if documented.shape != Shape::Text && (documented.shape != Shape::Forbidden || says_more) {
            assert_eq!(error["errorDescription"], documented.description, "{one}");
        }
    }
    assert_eq!(world.pending().await, [""; 0]);

    // From the API, Mercado Libre's and Appfigures'.
    let mut count = 0;
    for provider in ["mercadolibre", "appfigures"] {
        let (path, config) = match provider {
            "appfigures" => (
                "/v2/account",
                world.appfigures(json!({ "scope": "account:read" })),
            ),
            _ => ("/users/me", world.config(json!({}))),
        };
        let ids = rows.iter().filter(|(_, of, _)| *of == provider);
        let ids: Vec<_> = ids.map(|(id, ..)| *id).collect();
        let url = format!("{}{path}", world.sandbox_origin);
        let args = json!([url, config, ids, LANGUAGES, world.sandbox_origin]);
        let seen = world.run(FORCED, args.as_array().expect("a list")).await;
        for one in seen.as_array().expect("a list") {
            count += 1;
            let (_, provider, wanted) = wanted(&one["id"]);
            let (error, documented) = (&one["error"], documented(&one["id"]));
            has_words_of(
                error,
                provider,
                wanted,
                one["language"].as_str().expect("text"),
            );
            assert_eq!(error["status"], documented.status, "{one}");
            let code = match documented.status {
                420 | 429 => "rate_limited",
                _ => "request_refused",
            };
            assert_eq!(error["code"], code, "{one}");
            assert_eq!(error["own"], true, "an Error to throw");
            assert_eq!(one["untouched"], true, "the response stays unread: {one}");
            assert!(!one.to_string().contains("any-token"));
        }
    }
    assert_eq!(count, 66);
    world.is_quiet().await;
}

/// The rows of the files themselves, whether the sandbox has such an error or not: Mercado Pago's as well.
#[tokio::test]
async fn every_row_of_every_file_is_what_a_refusal_that_fits_it_means() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [url, files, languages, config] = args
        const control = settings => fetch(new URL(url).origin + '/_sandbox/settings', {
            method: 'POST', body: JSON.stringify(settings) })
        const seen = []
        for (const file of files) for (const [at, row] of file.errors.entries()) {
            const status = row.status ?? 400
            const body = JSON.stringify({ status, code: row.also?.[0] ?? row.error, message: row.says && `so: ${row.says}.` })
            const kind = { body: { status, contentType: 'application/json', headers: {}, body } }
            await control({ faults: [{ pathPrefix: new URL(url).pathname, times: languages.length, kind }] })
            for (const language of languages) {
                const { name: provider } = file
                await oauth.adoptToken('any-token', { provider, language, resourceServers: config.resourceServers })
                const error = await oauth.explain(await oauth.fetchPrivate(url, { method: 'POST' }))
                const said = error && [error.message.slice(error.code.length + 2), error.remedy]
                const want = [row.message[language], row.remedy[language]]
                if (JSON.stringify(said) !== JSON.stringify(want)) seen.push([provider, at, language, said])
            }
        }
        return seen";
    let url = format!("{}/v2/thing", world.sandbox_origin);
    let files = ["mercadolibre", "mercadopago", "appfigures"].map(provider_file);
    let count: usize = files
        .iter()
        .map(|file| file["errors"].as_array().expect("errors").len())
        .sum();
    assert_eq!(count, 22 + 9 + 6);
    let config = world.appfigures(json!({}));
    let args = [json!(url), json!(files), json!(LANGUAGES), config];
    assert_eq!(world.run(script, &args).await, json!([]));
    assert_eq!(world.calls("/v2/thing").len(), 3 * count);
    world.is_quiet().await;
}

#[tokio::test]
async fn errors_that_come_about_by_themselves_are_explained_too() {
    let world = World::start().await;
    world.open_app(APP).await;
    let grant = |says: &str| json!({ "error": "invalid_grant", "says": says });
    let refused = async |language: &str, wanted: Value| {
        let config = world.config(json!({ "language": language, "scope": "read" }));
        let outcome = world.log_in_here(config).await;
        let first = language.split('-').next().expect("a language");
        has_words_of(&outcome["error"], "mercadolibre", &wanted, first);
        outcome["error"].clone()
    };
    world
        .sandbox
        .change(|settings| settings.active_session = false);
    let error = refused("pt-BR", grant("must have an active session")).await;
    let said = error["errorDescription"]
        .as_str()
        .expect("the server's words");
    assert!(said.contains(&USER.to_string()), "{said}");
    world.sandbox.change(|settings| {
        settings.active_session = true;
        settings.require_client_secret = true;
    });
    refused("es-MX", json!({ "error": "invalid_client" })).await;
    world.sandbox.change(|settings| {
        settings.require_client_secret = false;
        settings.applications[0].blocked = true;
    });
    refused("en", json!({ "error": "unauthorized_application" })).await;
    world.sandbox.change(|settings| {
        settings.applications[0].blocked = false;
        settings.code_expires_in = 0;
    });
    refused("es", grant("Error validating grant")).await;
    world
        .sandbox
        .change(|settings| settings.code_expires_in = 600);

    // The gateway counts requests, and answers in plain text or in JSON.
    for (json, language) in [(false, "pt"), (true, "es")] {
        world.sandbox.change(|settings| {
            settings.rate_limit = Some(0);
            settings.rate_limit_json = json;
            settings.retry_after = Some("7".into());
        });
        let error = refused(language, json!({ "error": "local_rate_limited" })).await;
        assert_eq!(error["code"], "rate_limited");
        assert_eq!(error["retryAfter"], 7, "{error}");
        world.sandbox.change(|settings| settings.rate_limit = None);
    }

    // The API, and a session that the user ends elsewhere.
    let config = world.config(json!({ "language": "pt" }));
    let outcome = world.log_in_here(config).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    let explain = "const response = await oauth.fetchPrivate(args[0])
        const error = await oauth.explain(response)
        return error && { ...error, name: error.name, message: error.message }";
    let other = json!(format!("{}/users/314029626", world.sandbox_origin));
    let error = world.run(explain, &[other]).await;
    has_words_of(
        &error,
        "mercadolibre",
        &json!({ "error": "forbidden" }),
        "pt",
    );
    let own = json!(format!("{}/users/me", world.sandbox_origin));
    assert_eq!(world.run(explain, &[own]).await, Value::Null, "no refusal");
    world.sandbox.expire_tokens();
    world.sandbox.revoke_grants();
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
    let wanted = grant("Error validating grant");
    has_words_of(&answer["error"], "mercadolibre", &wanted, "pt");
}

#[tokio::test]
async fn errors_of_the_authorization_endpoint_come_back_in_the_redirect_and_are_explained() {
    let world = World::start().await;
    world.open_app(APP).await;
    let endpoint = format!("{}/authorization", world.sandbox_origin);

    // By way of the provider, over two documents: the language is remembered.
    world
        .sandbox
        .change(|settings| settings.applications[0].scope = vec!["read".into()]);
    let url = world
        .begin(json!({ "language": "pt", "scope": "write" }))
        .await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    assert_eq!(outcome["error"]["code"], "authorization_error");
    let wanted = json!({ "error": "invalid_scope" });
    has_words_of(&outcome["error"], "mercadolibre", &wanted, "pt");

    let more = json!({
        "language": "es", "scope": "read",
        "authorizationEndpoint": format!("{endpoint}?site=MLB&site=MLA"),
    });
    let outcome = world.log_in_here(world.config(more)).await;
    let wanted = json!({ "error": "invalid_request", "says": "duplicate values" });
    has_words_of(&outcome["error"], "mercadolibre", &wanted, "es");

    world
        .sandbox
        .change(|settings| settings.require_pkce = true);
    let url = world.begin(json!({ "scope": "read" })).await;
    let bare: Vec<_> = url
        .split('&')
        .filter(|part| !part.starts_with("code_challenge"))
        .collect();
    let outcome = world
        .outcome(
            "oauth.handleRedirect(args[0])",
            &[json!(world.redirect(&bare.join("&")))],
        )
        .await;
    let wanted = json!({ "error": "invalid_request" });
    has_words_of(&outcome["error"], "mercadolibre", &wanted, "en");

    // What the file does not know keeps our words and the server's.
    world.sandbox.change(|settings| settings.auto_deny = true);
    let config = world.config(json!({ "language": "es", "scope": "read" }));
    let outcome = world.log_in_here(config).await;
    assert_eq!(outcome["error"]["code"], "access_denied");
    assert_eq!(outcome["error"]["error"], "access_denied");
    assert!(
        !outcome["error"]["remedy"]
            .as_str()
            .expect("text")
            .is_empty()
    );
    assert_eq!(world.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn each_site_sends_its_user_to_its_own_host() {
    let world = World::start().await;
    world.open_app(APP).await;
    let file = provider_file("mercadolibre");
    let sites = file["sites"].as_object().expect("sites");
    assert_eq!(sites.len(), sandbox::sites().len());
    let script = "const [config, sites] = args
        const hosts = {}
        for (const site of sites)
            await oauth.startLogin({ ...config, site, navigate: url => { hosts[site] = url.split('?')[0] } })
        return hosts";
    let mut config = world.config(json!({}));
    let fields = config.as_object_mut().expect("an object");
    fields.remove("authorizationEndpoint");
    let names: Vec<_> = sites.keys().collect();
    let hosts = world.run(script, &[config, json!(names)]).await;
    for site in sandbox::sites() {
        let endpoint = &sites[site.id]["authorizationEndpoint"];
        assert_eq!(hosts[site.id], *endpoint, "{}", site.id);
        let host = format!("https://{}/authorization", site.authorization_host);
        assert_eq!(*endpoint, host);
    }
    assert_eq!(world.sandbox.requests(), [], "navigate went nowhere");

    // Where nobody is sent anywhere no site is needed.
    let script = "const provider = 'mercadolibre'
        const items = { method: 'POST', url: 'https://api.mercadolibre.com/items' }
        const { site } = await oauth.adoptToken('adopted', { provider })
        await oauth.logout()
        return [site, await oauth.scopesFor([items], { provider }), await oauth.scopesFor([items], { provider, site: 'MLB' })]";
    assert_eq!(
        world.run(script, &[]).await,
        json!([null, ["write"], ["write"]])
    );

    // On this machine the same hosts have another ending. One login with the pages, which say the country.
    let (_, port) = world.sandbox_origin.rsplit_once(':').expect("a port");
    let at = |site: &str| {
        let found = sandbox::sites().iter().find(|one| one.id == site);
        let host = found.expect("a site").authorization_host;
        format!("http://{host}.localhost:{port}/authorization")
    };
    let more = json!({ "site": "MLB", "authorizationEndpoint": at("MLB") });
    world.leave(more).await;
    world.page.wait_for("#login").await;
    let seen = "return [location.host, document.body.innerText.includes('Brazil')]";
    let seen = world.page.js(seen, &[]).await.expect("a page");
    assert_eq!(
        seen,
        json!([format!("auth.mercadolivre.com.br.localhost:{port}"), true])
    );
    world.consent().await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["session"]["site"], "MLB", "{outcome}");
    assert_eq!(outcome["session"]["provider"], "mercadolibre");

    for site in ["MLA", "CBT"] {
        world.sandbox.forget_requests();
        let more = json!({ "site": site, "authorizationEndpoint": at(site) });
        let session = world.log_in(more).await;
        assert_eq!(session["site"], site);
        let requests = world.sandbox.requests();
        let asked = requests.iter().find(|one| one.path == "/authorization");
        let host = &asked.expect("an authorization request").host;
        assert_eq!(
            *host,
            at(site)["http://".len()..].replace("/authorization", "")
        );
        let answer = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_the_nearest_that_does_and_nothing_leaves_the_page() {
    let world = World::start().await;
    world.open_app(APP).await;
    let script = "const [mercadolibre, appfigures] = args
        const own = { name: 'own', resourceServers: appfigures.resourceServers, scopes: { 'do:it': {} } }
        const { site, authorizationEndpoint, ...nowhere } = mercadolibre
        const { scope, ...plain } = appfigures
        const rows = [
            ['unknown_provider', ['mercadolivre', 'mercadolibre'], { ...mercadolibre, provider: 'mercadolivre' }],
            ['unknown_provider', ['appfigure', 'appfigures'], { ...plain, provider: 'appfigure' }],
            ['unknown_provider', ['toString'], { ...plain, provider: 'toString' }],
            ['unknown_site', ['MLR', 'ML'], { ...nowhere, site: 'MLR' }],
            ['unknown_site', ['mcr', 'MCR'], { ...nowhere, site: 'mcr' }],
            ['unknown_site', ['site', 'MLA', 'CBT'], nowhere],
            ['unknown_scope', ['offline_acces', 'offline_access'], { ...mercadolibre, scope: ['read', 'offline_acces'] }],
            ['unknown_scope', ['product:read', 'products:read'], { ...plain, scope: 'public:read product:read' }],
            ['unknown_scope', ['products:raed', 'products:read'], { ...plain, scope: ['products:raed'] }],
            ['unknown_scope', ['do:it!', 'do:it'], { ...plain, provider: own, scope: ['do:it!'] }],
            ['invalid_config', ['redirectURI', 'redirectUri'], { ...plain, redirectURI: 'x' }],
            ['invalid_config', ['scops', 'scope'], { ...plain, scops: 'x' }],
            ['invalid_config', ['provider.tokenEndpiont', 'tokenEndpoint'],
                { ...plain, provider: { ...own, tokenEndpiont: 'https://as.example' } }],
            ['invalid_config', ['provider.routes', 'reads', 'read'],
                { ...plain, provider: { ...own, routes: [{ path: '/', reads: '' }] } }],
            ['invalid_config', ['provider.errors', 'remedies', 'remedy'],
                { ...plain, provider: { ...own, errors: [{ message: 'x', remedies: 'y' }] } }],
            ['invalid_config', ['errors'], { ...plain, errors: { message: 'x' } }],
            ['invalid_config', ['site'], { ...plain, site: 'MLA' }],
            ['invalid_config', ['language'], { ...plain, language: 5 }],
            ['invalid_config', ['provider'], { ...plain, provider: 5 }],
            ['invalid_config', ['provider'], { ...plain, provider: [own] }],
            ['unknown_provider', ['__proto__'], { ...plain, provider: '__proto__' }],
            ['unknown_provider', ['constructor'], { ...plain, provider: 'constructor' }],
            ['unknown_provider', ['\"\"', 'appfigures'], { ...plain, provider: '' }],
            ['unknown_site', ['__proto__'], { ...nowhere, site: '__proto__' }],
            ['unknown_site', ['\"\"', 'MLA'], { ...nowhere, site: '' }],
            ['unknown_scope', ['__proto__'], { ...plain, scope: '__proto__' }],
            ['unknown_scope', ['constructor'], { ...plain, scope: ['constructor'] }],
            ['unknown_scope', ['do:iit', 'do:it'], { ...plain, provider: { ...own, routes: [{ path: '/', read: 'do:iit' }] } }],
            ['unknown_scope', ['do:iit', 'do:it'],
                { ...plain, provider: { ...own, scopes: { 'do:it': {}, more: { implies: ['do:iit'] } } } }],
            ['invalid_config', ['scope'], { ...plain, scope: [''] }],
            ['invalid_config', ['__proto__'], { ...plain, ['__proto__']: 5 }],
            ['invalid_config', ['constructor'], { ...plain, constructor: 5 }],
            ['invalid_config', ['\"\"'], { ...plain, '': 5 }],
            ['invalid_config', ['navigate: must be a function'], { ...plain, navigate: '/' }],
            ['invalid_config', ['navigat', 'navigate'], { ...plain, navigat: () => {} }],
            ['invalid_config', ['f0'], Object.fromEntries(Array.from({ length: 300 }, (_, n) => ['f' + n, n]))],
            ['invalid_config', ['provider.sites'], { ...plain, provider: { ...own, sites: 'MLA' }, site: 'MLA' }],
            ['invalid_config', ['provider.sites.A'], { ...plain, provider: { ...own, sites: { A: 'https://as.example' } }, site: 'A' }],
            ['invalid_config', ['provider.sites.B.tokenEndpont', 'tokenEndpoint'],
                { ...plain, provider: { ...own, sites: { A: {}, B: { tokenEndpont: '' } } }, site: 'A' }],
            ['invalid_config', ['routes.path'], { ...plain, provider: { ...own, routes: [{}] } }],
            ['invalid_config', ['routes.path'], { ...plain, routes: [{ path: 'https://api.example/x' }] }],
            ['invalid_config', ['revocationRequest.methd', 'method'], { ...plain, revocationRequest: { methd: 'DELETE' } }],
            ['invalid_config', ['tokenEndpoint'], { ...plain, tokenEndpoint: plain.tokenEndpoint + '?client_secret=hush-hush' }],
            ['client_secret_refused', ['clientSecret'], { ...plain, clientSecret: 'hush-hush' }],
            ['client_secret_refused', ['client_secret'], { ...plain, client_secret: 'hush-hush' }],
            ['client_secret_refused', ['provider.clientSecret'],
                { ...plain, provider: { ...own, clientSecret: 'hush-hush' } }],
            ['invalid_config', ['client_secret'],
                { ...plain, authorizationParameters: { client_secret: 'hush-hush' } }],
        ]
        const wrong = []
        for (const [code, named, config] of rows) {
            const calls = { startLogin: () => oauth.startLogin(config) }
            // A token needs neither a client nor a site's host.
            if (!named.includes('client_secret') && config !== nowhere) {
                calls.adoptToken = () => oauth.adoptToken('adopted-token', config)
                calls.scopesFor = () => oauth.scopesFor([], config)
            }
            for (const name in calls) {
                const { value, error } = await outcome(calls[name]())
                const text = JSON.stringify(error)
                const good = error?.name === 'OAuthError' && error.code === code && error.retryable === false
                    && named.every(part => error.message.includes(part)) && !/hush|adopted/.test(text)
                if (!good) wrong.push([name, code, named, error ?? value ?? 'nothing'])
            }
        }
        return { wrong, tried: rows.length, session: await oauth.session(), left: location.pathname,
            stored: [sessionStorage.length, localStorage.length, document.cookie] }";
    let args = [world.config(json!({})), world.appfigures(json!({}))];
    let seen = world.run(script, &args).await;
    assert_eq!(seen["wrong"], json!([]));
    assert_eq!(seen["tried"], 47);
    assert_eq!(seen["stored"], json!([0, 0, ""]));
    assert_eq!(seen["session"], Value::Null);
    assert_eq!(seen["left"], APP);
    assert_eq!(world.sandbox.requests(), []);
    assert_eq!(world.foreign.requests(), []);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_provider_may_be_an_object_of_ones_own_or_an_imported_file() {
    let world = World::start().await;
    world.open_app(APP).await;
    let origin = &world.sandbox_origin;
    let own = json!({
        "name": "acme",
        "about": { "title": "Acme" },
        "authorizationEndpoint": format!("{origin}/nowhere"),
        "tokenEndpoint": format!("{origin}/oauth/token"),
        "resourceServers": [origin],
        "scopes": { "read": { "about": { "en": "See", "de": "Sehen" } }, "write": { "implies": ["read"] } },
        "errors": [
            { "error": "invalid_grant", "says": "may be expired", "message": { "en": "too old", "de": "zu alt" },
                "remedy": "Once more" },
            { "status": 403, "message": "no", "remedy": { "en": "Ask", "de": "Frag" } },
        ],
        "sites": { "moon": { "about": "far", "authorizationEndpoint": format!("{origin}/authorization") } },
    });
    let mut config = world.config(json!({
        "provider": own, "site": "moon", "language": "de", "scope": ["read", "write", "read"],
    }));
    let fields = config.as_object_mut().expect("an object");
    for name in ["authorizationEndpoint", "tokenEndpoint", "resourceServers"] {
        fields.remove(name);
    }
    let url = world.begin_as(config.clone()).await;
    assert_eq!(
        parameter(&url, "scope").as_deref(),
        Some("write"),
        "read is implied"
    );
    config["scope"] = "read".into();
    let url = world.begin_as(config.clone()).await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    assert_eq!(outcome["session"]["provider"], "acme", "{outcome}");
    assert_eq!(outcome["session"]["site"], "moon");
    let script = "const response = await oauth.fetchPrivate(args[0])
        const { message, remedy } = await oauth.explain(response)
        return [response.status, message, remedy]";
    let other = json!(format!("{origin}/users/1"));
    let seen = world.run(script, &[other]).await;
    assert_eq!(seen, json!([403, "request_refused: no", "Frag"]));
    let seen = world
        .run(
            MAGIC,
            &[
                config.clone(),
                json!(["spent_or_expired"]),
                json!(["de", "fr"]),
            ],
        )
        .await;
    let words = |at: usize| {
        let error = &seen[at]["error"];
        [said(error), error["remedy"].clone()]
    };
    assert_eq!(words(0), [json!("zu alt"), json!("Once more")]);
    assert_eq!(
        words(1),
        [json!("too old"), json!("Once more")],
        "English is what is left"
    );
    // Without a name it has none.
    config["provider"]
        .as_object_mut()
        .expect("an object")
        .remove("name");
    let outcome = world.log_in_here(config).await;
    assert_eq!(outcome["value"]["provider"], Value::Null, "{outcome}");

    // As the package has it.
    let script = "const { default: provider } = await import('/pkg/providers/appfigures.js')
        let went
        await oauth.startLogin({ ...args[0], provider, navigate: url => { went = url } })
        return [went, JSON.stringify(provider)]";
    let config = world.appfigures(json!({ "scope": "products:read products:write" }));
    let seen = world.run(script, &[config]).await;
    let (url, provider) = (
        seen[0].as_str().expect("a URL"),
        seen[1].as_str().expect("JSON"),
    );
    let provider: Value = serde_json::from_str(provider).expect("JSON");
    assert_eq!(provider, provider_file("appfigures"));
    assert_eq!(parameter(url, "scope").as_deref(), Some("products:write"));
    let outcome = world
        .outcome(
            "oauth.handleRedirect(args[0])",
            &[json!(world.redirect(url))],
        )
        .await;
    assert_eq!(outcome["value"]["provider"], "appfigures", "{outcome}");
    let answer = world.fetch_private("/v2/products/mine", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");
    let fetched = world.app.requests();
    let file = |path: &str| path.ends_with(".min.js");
    assert!(
        !fetched.iter().any(|one| file(&one.path)),
        "no name was said"
    );
}

#[tokio::test]
async fn a_providers_file_is_loaded_when_it_is_named_and_is_this_releases_own() {
    let world = World::start().await;
    world.open_app(APP).await;
    let fetched = || {
        let requests = world.app.requests();
        let files = requests.into_iter().map(|request| request.path);
        files
            .filter(|path| path.starts_with("/pkg/providers/"))
            .collect::<Vec<_>>()
    };
    assert_eq!(fetched(), [""; 0]);
    world.begin(json!({})).await;
    world.begin(json!({})).await;
    assert_eq!(fetched(), ["/pkg/providers/mercadolibre.min.js"]);

    // A long file is a file for each language: without its country, or English.
    for language in ["de", "en-GB", "", "__proto__", "es-AR", "es"] {
        world.begin(json!({ "language": language })).await;
    }
    let spanish = "/pkg/providers/mercadolibre.es.min.js";
    assert_eq!(fetched(), ["/pkg/providers/mercadolibre.min.js", spanish]);

    let pago = "/pkg/providers/mercadopago.min.js";
    let more = json!({ "provider": "mercadopago", "site": null });
    let config = world.config(more);
    // What is not there, what a single-page server answers instead, what was cut off, what is another file.
    for (status, content_type, body) in [
        (404, "text/plain", "not found"),
        (200, "text/html", "<!doctype html><title>app</title>"),
        (200, "application/json", "{}"),
        (200, "text/javascript", ""),
        (200, "text/javascript", "export default null"),
        (200, "text/javascript", "export default '{}'"),
    ] {
        world.app.serve_status(status, pago, content_type, body);
        world.open_app(APP).await;
        for call in [
            "oauth.startLogin({ ...args[0], navigate() {} })",
            "oauth.adoptToken('adopted', args[0])",
            "oauth.scopesFor([], args[0])",
        ] {
            let outcome = world.outcome(call, std::slice::from_ref(&config)).await;
            let error = &outcome["error"];
            assert_eq!(error["code"], "load_failed", "{status} {body}: {outcome}");
            assert_eq!(error["retryable"], true);
            let message = error["message"].as_str().expect("text");
            assert!(message.contains("mercadopago"), "{message}");
        }
    }
    assert_eq!(world.sandbox.requests(), []);
    // The others are there as before.
    world.begin(json!({})).await;

    world.app.unserve(pago);
    world.open_app(APP).await;
    let outcome = world.log_in_here(config).await;
    assert_eq!(outcome["value"]["provider"], "mercadopago", "{outcome}");
    let requests = world.sandbox.requests();
    assert!(
        requests[0].query.contains("platform_id=mp"),
        "{}",
        requests[0].query
    );
}

#[tokio::test]
async fn the_old_fragment_that_is_json_is_understood_where_the_configuration_says_so() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.fragment = FragmentShape::Json;
        settings.implicit_state_in_query = true;
    });
    world.open_app(APP).await;
    let clean = format!("{}{APP}", world.app.origin);
    let implicit = |more: bool| {
        let mut more =
            json!({ "jsonFragment": more, "responseType": "token", "scope": "read write" });
        more["returnTo"] = "/cart".into();
        more
    };

    let url = world.begin(implicit(false)).await;
    let redirect = world.redirect(&url);
    assert!(
        redirect.contains("?state=ow1x") && redirect.contains("#%7B"),
        "{redirect}"
    );
    let outcome = world.come_back(&redirect).await;
    assert_eq!(
        outcome["error"]["code"], "invalid_authorization_response",
        "{outcome}"
    );
    let seen = "return [addressAfterCall, location.href, sessionStorage.length]";
    assert_eq!(world.run(seen, &[]).await, json!([clean, clean, 0]));

    let url = world.begin(implicit(true)).await;
    let outcome = world.come_back(&world.redirect(&url)).await;
    let session = &outcome["session"];
    assert_eq!(session["scope"], json!(["read", "write"]), "{outcome}");
    assert_eq!(session["extra"]["user_id"], USER);
    assert_eq!(session["returnTo"], "/cart");
    assert!(session["expiresAt"].is_number());
    assert_eq!(session["renewable"], false);
    assert_eq!(world.run(seen, &[]).await, json!([clean, clean, 0]));
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");

    // The user says no.
    world.sandbox.change(|settings| settings.auto_deny = true);
    let url = world.begin(implicit(true)).await;
    let redirect = world.redirect(&url);
    assert!(redirect.contains("NOT_AUTHORIZED"), "{redirect}");
    let outcome = world.come_back(&redirect).await;
    assert_eq!(outcome["error"]["code"], "access_denied", "{outcome}");
    assert_eq!(world.run(seen, &[]).await, json!([clean, clean, 0]));

    // Broken JSON, JSON without a token, and a token for a login that asked for a code.
    for (more, fragment) in [
        (implicit(true), "%7B%22authorization_info%22%3A"),
        (implicit(true), "%7B%22state%22%3A%22AUTHORIZED%22%7D"),
        (
            implicit(true),
            "%7B%22authorization_info%22%3A%7B%22access_token%22%3A5%7D%7D",
        ),
        (
            json!({ "jsonFragment": true }),
            "%7B%22authorization_info%22%3A%7B%22access_token%22%3A%22planted%22%7D%7D",
        ),
    ] {
        let url = world.begin(more).await;
        let state = parameter(&url, "state").expect("a state");
        let redirect = format!("{clean}?state={state}#{fragment}");
        let outcome = world
            .outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
            .await;
        let code = outcome["error"]["code"].as_str().expect("a code");
        let strict = ["invalid_authorization_response", "invalid_token_response"];
        assert!(strict.contains(&code), "{fragment}: {outcome}");
        assert!(!outcome.to_string().contains("planted"));
    }
    assert_eq!(
        world.run("return await oauth.session()", &[]).await,
        Value::Null
    );

    // However the first brace is written, nothing stays in the address bar.
    for brace in ["%7b", "{"] {
        let url = world.begin(implicit(true)).await;
        let state = parameter(&url, "state").expect("a state");
        let fragment = "%22authorization_info%22%3A%7B%22access_token%22%3A%22planted%22%7D%7D";
        let outcome = world
            .come_back(&format!("{clean}?state={state}#{brace}{fragment}"))
            .await;
        assert!(outcome["session"].is_object(), "{brace}: {outcome}");
        assert_eq!(
            world.run(seen, &[]).await,
            json!([clean, clean, 0]),
            "{brace}"
        );
    }
}

/// What a request with this token gets from the sandbox, without a browser.
fn direct(world: &World, method: &str, path: &str, token: &str, form: &str) -> u16 {
    let request = sandbox::http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.as_bytes().to_vec())
        .expect("a request");
    world.sandbox.handle(request).status().as_u16()
}

/// Mercado Libre's own way to take a grant back, at the sandbox.
fn taking_back(world: &World) -> Value {
    let url = format!(
        "{}/users/{{user_id}}/applications/{{client_id}}",
        world.sandbox_origin
    );
    world.config(json!({ "revocationRequest": { "method": "DELETE", "url": url } }))
}

#[tokio::test]
async fn a_logout_that_revokes_takes_the_grant_back_in_the_providers_own_way() {
    let world = World::start().await;
    world.open_app(APP).await;
    let path = format!("/users/{USER}/applications/1620218256833906");

    // Mercado Libre: a DELETE of its API.
    let outcome = world.log_in_here(taking_back(&world)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.fetch_private("/users/me", Value::Null).await;
    let token = world.calls("/users/me")[0].token.clone().expect("a token");
    assert_eq!(direct(&world, "GET", "/users/me", &token, ""), 200);
    world.sandbox.forget_requests();
    world.sandbox.hold("/users");
    // Gone here before the provider has said a word.
    let script = "window.leaving = outcome(oauth.logout({ revoke: true }))
        return [await oauth.session(), (await outcome(oauth.fetchPrivate(args[0]))).error.code]";
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    let seen = world.run(script, &[url]).await;
    assert_eq!(seen, json!([null, "login_required"]));
    world.until_held(1).await;
    world.sandbox.release();
    assert_eq!(world.run("return await leaving", &[]).await, json!({}));
    let calls = world.calls("/");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(
        (calls[0].method.as_str(), calls[0].path.as_str()),
        ("DELETE", &*path)
    );
    assert_eq!(
        (calls[0].status, calls[0].token.as_ref()),
        (200, Some(&token))
    );
    assert_eq!(direct(&world, "GET", "/users/me", &token, ""), 401);

    // With a token that has ended it is renewed first.
    world.sandbox.change(|settings| settings.expires_in = 1);
    world.log_in_here(taking_back(&world)).await;
    world
        .sandbox
        .change(|settings| settings.expires_in = 21_600);
    world.sandbox.forget_requests();
    let ended = "const { expiresAt } = await oauth.session()
        while (Date.now() <= expiresAt + 1000) await new Promise(resolve => setTimeout(resolve, 20))";
    world.run(ended, &[]).await;
    let outcome = world.outcome("oauth.logout({ revoke: true })", &[]).await;
    assert_eq!(outcome, json!({}), "resolves with nothing");
    let calls = world.calls("/");
    let paths: Vec<_> = calls
        .iter()
        .map(|call| (call.path.as_str(), call.status))
        .collect();
    assert_eq!(paths, [("/oauth/token", 200), (&*path, 200)]);

    // Appfigures: RFC 7009.
    let outcome = world.log_in_here(world.appfigures(json!({}))).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.fetch_private("/v2/account", Value::Null).await;
    let token = world.calls("/v2/account")[0]
        .token
        .clone()
        .expect("a token");
    world.sandbox.forget_requests();
    let outcome = world.outcome("oauth.logout({ revoke: true })", &[]).await;
    assert_eq!(outcome, json!({}));
    let requests = world.sandbox.requests();
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/v2/oauth2/revoke")
    );
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.form("token"), Some(token.clone()));
    assert_eq!(
        request.form("token_type_hint").as_deref(),
        Some("access_token")
    );
    assert_eq!(
        request.form("client_id").as_deref(),
        Some("appfigures-sandbox")
    );
    assert_eq!(direct(&world, "GET", "/v2/account", &token, ""), 401);

    // The refresh token is what is given up where there is one, and with it all of the grant.
    let endpoint = format!("{}/oauth/revoke", world.sandbox_origin);
    let generic = json!({
        "provider": null, "site": null, "revocationEndpoint": endpoint,
    });
    world.log_in_here(world.config(generic)).await;
    world.fetch_private("/users/me", Value::Null).await;
    let calls = world.calls("/users/me");
    let access = calls
        .last()
        .and_then(|call| call.token.clone())
        .expect("a token");
    world.sandbox.forget_requests();
    world.outcome("oauth.logout({ revoke: true })", &[]).await;
    let requests = world.sandbox.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(
        requests[0].form("token_type_hint").as_deref(),
        Some("refresh_token")
    );
    let refresh = requests[0].form("token").expect("a token");
    assert!(refresh.starts_with("TG-"), "{refresh}");
    assert_eq!(direct(&world, "GET", "/users/me", &access, ""), 401);
    let form =
        format!("grant_type=refresh_token&client_id=1620218256833906&refresh_token={refresh}");
    assert_eq!(direct(&world, "POST", "/oauth/token", "", &form), 400);

    // A plain logout tells nobody.
    world.log_in_here(taking_back(&world)).await;
    world.sandbox.forget_requests();
    for options in ["", "{}", "{ revoke: false }", "{ revoke: 'yes' }", "null"] {
        let outcome = world
            .outcome(&format!("oauth.logout({options})"), &[])
            .await;
        assert_eq!(outcome, json!({}), "{options}");
    }
    assert_eq!(world.sandbox.requests(), []);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_logout_that_the_provider_does_not_hear_of_rejects_and_forgets_all_the_same() {
    let world = World::start().await;
    world.open_app(APP).await;
    let revoke = "const rejected = await outcome(oauth.logout({ revoke: true }))
        const again = await outcome(oauth.logout({ revoke: true }))
        return { ...rejected, again, session: await oauth.session() }";
    let logged_out = async |config: Value| {
        let outcome = world.log_in_here(config).await;
        assert!(outcome["value"].is_object(), "{outcome}");
        let seen = world.run(revoke, &[]).await;
        assert_eq!(seen["session"], Value::Null, "{seen}");
        assert_eq!(seen["again"], json!({}), "there is nothing left to revoke");
        let answer = world.fetch_private("/users/me", Value::Null).await;
        assert_eq!(answer["error"]["code"], "login_required");
        assert!(!seen.to_string().contains("APP_USR-"), "{seen}");
        seen["error"].clone()
    };
    let fail = |kind: FaultKind| {
        let fault = Fault::new("/users", kind).times(20);
        world
            .sandbox
            .change(|settings| settings.faults = vec![fault]);
    };
    fail(FaultKind::DropBefore);
    let error = logged_out(taking_back(&world)).await;
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("network_error"), &json!(true))
    );

    fail(FaultKind::Documented("forbidden".into()));
    let mut config = taking_back(&world);
    config["language"] = "es".into();
    let error = logged_out(config).await;
    assert_eq!(error["code"], "request_refused", "{error}");
    assert_eq!(error["status"], 403);
    has_words_of(
        &error,
        "mercadolibre",
        &json!({ "error": "forbidden" }),
        "es",
    );

    fail(FaultKind::Status500);
    assert_eq!(
        logged_out(taking_back(&world)).await["code"],
        "server_error"
    );
    fail(FaultKind::Documented("local_rate_limited".into()));
    assert_eq!(
        logged_out(taking_back(&world)).await["code"],
        "rate_limited"
    );
    world.sandbox.change(|settings| settings.faults.clear());

    // The token goes to resource servers only, whatever the template says.
    let url = format!("{}/users/{{user_id}}", world.foreign.origin);
    let more = json!({ "revocationRequest": { "method": "DELETE", "url": url } });
    let error = logged_out(world.config(more)).await;
    assert_eq!(error["code"], "undeclared_resource_server", "{error}");
    assert_eq!(world.foreign.requests(), []);
    let url = format!("{}/users/{{somebody}}", world.sandbox_origin);
    let more = json!({ "revocationRequest": { "method": "DELETE", "url": url } });
    let error = logged_out(world.config(more)).await;
    assert_eq!(error["code"], "invalid_request", "{error}");
    // And where no way is known, that is said.
    let none = json!({ "provider": null, "site": null });
    let error = logged_out(world.config(none)).await;
    assert_eq!(error["code"], "invalid_config", "{error}");
    let message = error["message"].as_str().expect("text");
    assert!(message.contains("revocationEndpoint"), "{message}");
}

#[tokio::test]
async fn a_logout_during_a_renewal_gives_back_what_the_renewal_brings_and_spends_nothing_twice() {
    let world = World::start().await;
    world.open_app(e2e::APP).await;
    let outcome = world.log_in_here(taking_back(&world)).await;
    assert!(outcome["value"].is_object(), "{outcome}");
    world.sandbox.expire_tokens();
    world.sandbox.forget_requests();
    world.sandbox.hold("/oauth/token");
    let start = "window.call = outcome(oauth.fetchPrivate(args[0]))
        return null";
    let url = json!(format!("{}/users/me", world.sandbox_origin));
    world.run(start, &[url]).await;
    world.until_held(1).await;
    let leave = "window.left = outcome(oauth.logout({ revoke: true }))
        return await oauth.session()";
    assert_eq!(world.run(leave, &[]).await, Value::Null, "gone at once");
    world.sandbox.release();
    let done = "const [call, left] = await Promise.all([window.call, window.left])
        return [call.error?.code, left.error?.code ?? null]";
    assert_eq!(world.run(done, &[]).await, json!(["login_required", null]));
    assert_eq!(world.token_requests("refresh_token"), 1);
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
    let calls = world.calls("/users");
    let statuses: Vec<_> = calls
        .iter()
        .map(|call| (call.method.as_str(), call.status))
        .collect();
    assert_eq!(
        statuses,
        [("GET", 401), ("DELETE", 200)],
        "with the token that the renewal brought"
    );
    assert_ne!(calls[0].token, calls[1].token);
}
