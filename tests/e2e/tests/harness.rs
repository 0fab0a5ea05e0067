//! The harness itself: what the other tests lean on.

use e2e::{Lack, World};
use serde_json::json;

#[tokio::test]
async fn a_page_opens_and_is_used() {
    let world = World::start().await;
    world.app.serve(
        "/form",
        "text/html",
        "<input id=name><button id=go onclick='out.textContent = document.getElementById(\"name\").value'>go</button><p id=out>",
    );
    let page = &world.page;
    page.open("/form").await;
    page.fill("#name", "Ana").await;
    page.click("#go").await;
    page.wait_until("document.querySelector('#out').textContent !== ''")
        .await;
    assert_eq!(page.text("#out").await, "Ana");
    assert_eq!(page.url().await, format!("{}/form", world.app.origin));
    let paths: Vec<_> = world
        .app
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(paths.contains(&"/form".to_owned()), "{paths:?}");

    if !world.lacks(Lack::NarrowWindow) {
        page.resize(360, 640).await;
        let size = page.js("return [innerWidth, innerHeight]", &[]).await;
        assert_eq!(size, Ok(json!([360, 640])));
    }
    if !world.lacks(Lack::ColorScheme) {
        page.color_scheme(true).await;
        page.color_scheme(false).await;
    }
}

#[tokio::test]
async fn the_foreign_origin_records_what_it_is_sent() {
    let world = World::start().await;
    world.page.open("/e2e/blank.html").await;
    assert_eq!(world.foreign.requests(), []);
    let script = "const response = await fetch(args[0], { method: 'PUT', body: 'x', headers: { Authorization: 'Bearer t' } });
        return await response.json()";
    let url = format!("{}/a?b", world.foreign.origin);
    let answer = world.page.js(script, &[url.into()]).await;
    assert_eq!(answer, Ok(json!({ "foreign": true })));
    let requests = world.foreign.requests();
    let request = requests.last().expect("a request");
    assert_eq!(request.method, "PUT");
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/a", "b"));
    assert_eq!(request.headers["authorization"], "Bearer t");
    assert_eq!(request.body, "x");
}

#[tokio::test]
async fn an_error_in_the_page_surfaces() {
    let world = World::start().await;
    world.app.header(
        "/e2e/",
        "Content-Security-Policy",
        "default-src 'self'; img-src data:",
    );
    world.page.open("/e2e/blank.html").await;
    let script = "const error = new Error('told'); error.name = 'OAuthError'; error.code = args[0]; throw error";
    let error = world
        .page
        .js(script, &["access_denied".into()])
        .await
        .expect_err("it throws");
    assert_eq!(error.to_string(), "OAuthError (access_denied): told");
    let error = world
        .page
        .js("throw 'stop'", &[])
        .await
        .expect_err("it throws");
    assert_eq!(error.to_string(), "string: stop");

    world
        .page
        .js("console.warn('careful', { a: 1 })", &[])
        .await
        .expect("it runs");
    assert_eq!(world.page.console().await, ["warn: careful {\"a\":1}"]);
}

#[tokio::test]
async fn tabs_share_local_storage_and_origins_do_not() {
    let world = World::start().await;
    let page = &world.page;
    page.open("/e2e/blank.html").await;
    page.js("localStorage.a = 1", &[]).await.expect("storage");
    let first = page.tab().await;
    let second = page.new_tab().await;
    page.switch_to(&second).await;
    page.open("/e2e/blank.html").await;
    assert_eq!(page.js("return localStorage.a", &[]).await, Ok(json!("1")));
    for host in ["localhost", "app.localhost", "app.test"] {
        page.open(&format!("{}/e2e/blank.html", world.app.at(host)))
            .await;
        let seen = page
            .js("return [localStorage.length, isSecureContext]", &[])
            .await;
        assert_eq!(seen, Ok(json!([0, host != "app.test"])), "{host}");
    }
    page.switch_to(&first).await;
    assert_eq!(page.windows().await.len(), 2);
    assert!(page.url().await.ends_with("/e2e/blank.html"));
}
