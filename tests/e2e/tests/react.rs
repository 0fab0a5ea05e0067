//! The library under React, with the binding that docs/bindings.md shows.

use e2e::World;
use serde_json::json;
use std::process::Command;

const PAGE: &str = "<!doctype html><meta charset=utf-8><title>React</title>
<script type=importmap>{ \"imports\": { \"oauth-wasm\": \"/pkg/oauth-wasm.js\" } }</script>
<script type=module src=/react.js></script>
<main id=app></main>";

/// The application as esbuild bundles it, in React's development build: that is the one that runs effects twice.
fn bundle() -> Vec<u8> {
    let npm = e2e::workspace().join("xtask/npm");
    let output = Command::new(npm.join("node_modules/.bin/esbuild"))
        .arg(e2e::workspace().join("tests/e2e/pages/react/app.jsx"))
        .args(["--bundle", "--format=esm", "--jsx=automatic", "--jsx-dev"])
        .args(["--external:oauth-wasm", "--external:/e2e/*"])
        .arg("--define:process.env.NODE_ENV=\"development\"")
        .env("NODE_PATH", npm.join("node_modules"))
        .output()
        .expect("esbuild: run `cargo xtask build` first");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output.stdout
}

#[tokio::test]
async fn under_strict_mode_a_login_is_answered_once_and_the_view_follows_the_session() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.app.serve("/react.js", "text/javascript", bundle());
    world.app.serve("/react", "text/html", PAGE);
    let page = &world.page;
    page.open(&format!("/react#api={}", world.sandbox_origin))
        .await;
    page.wait_until("document.querySelector('#state')?.textContent === 'logged out'")
        .await;

    let redirect_uri = format!("{}/react", world.app.origin);
    world.leave(json!({ "redirectUri": redirect_uri })).await;
    page.wait_until("document.querySelector('#user')?.textContent.includes('@')")
        .await;
    assert_eq!(page.text("#state").await, "logged in");
    page.wait_until("window.answers.length === window.effects")
        .await;
    let seen = world
        .run("return [effects, [...new Set(answers)]]", &[])
        .await;
    assert_eq!(seen, json!([2, [e2e::USER]]), "twice, and the same answer");
    assert_eq!(world.token_requests("authorization_code"), 1);

    // The view follows what happens elsewhere.
    world.sandbox.revoke_grants();
    let call = "return (await outcome(oauth.fetchPrivate(args[0]))).error?.code";
    let me = json!(format!("{}/users/me", world.sandbox_origin));
    assert_eq!(world.run(call, &[me]).await, "session_ended");
    page.wait_until("document.querySelector('#state').textContent === 'logged out'")
        .await;
    assert_eq!(
        world
            .run("return document.querySelector('#user')", &[])
            .await,
        json!(null)
    );

    world.leave(json!({ "redirectUri": redirect_uri })).await;
    page.wait_for("#leave").await;
    page.click("#leave").await;
    page.wait_until("document.querySelector('#state').textContent === 'logged out'")
        .await;
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
}
