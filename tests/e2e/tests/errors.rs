//! What an error is to the application that catches it.

use e2e::World;
use serde_json::json;

/// A script in the page itself: its frames carry the page's address.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>Errors</title>
<script type=module>
import * as oauth from '/pkg/oauth-wasm.js'
async function calledByMe() {
  return await oauth.fetchPrivate('https://api.example/')
}
async function explainedToMe() {
  return await oauth.explain(new Response('{}', { status: 403, headers: { 'content-type': 'application/json' } }))
}
// Nobody awaits the first: who calls is what the second is to say.
const notAwaited = () =>
  new Promise(resolve => setTimeout(function forgetful() {
    oauth.fetchPrivate('https://api.example/').catch(resolve)
  }))
const caught = async promise => {
  const { OAuthError, isOAuthError } = oauth
  const e = await promise.catch(e => e)
  return { code: e.code, ours: e instanceof OAuthError, error: e instanceof Error, known: isOAuthError(e), stack: e.stack,
    name: e.name, text: String(e), keys: Object.keys(e), json: JSON.stringify(e) }
}
window.later = async () => {
  await notAwaited()
  return [(await notAwaited()).stack, await caught(calledByMe())]
}
window.seen = async () => {
  let made
  try { new oauth.OAuthError('x') } catch (e) { made = e.name }
  const others = [new Error('x'), null, 'x', { name: 'OAuthError', code: 'timeout' }].map(oauth.isOAuthError)
  return [await caught(calledByMe()), await caught(explainedToMe()), made, others]
}
</script>";

#[tokio::test]
async fn an_error_is_of_a_class_and_its_stack_says_who_called_but_not_the_parameters_of_the_page() {
    let world = World::start().await;
    world.app.serve("/errors", "text/html", PAGE);
    let page = &world.page;
    page.open("/errors?code=leaked&state=leaked2#leaked3").await;
    page.wait_until("window.seen").await;
    let seen = page
        .js("return await window.seen()", &[])
        .await
        .expect("a value");
    for (at, code, caller) in [
        (0, "login_required", "calledByMe"),
        (1, "request_refused", "explainedToMe"),
    ] {
        let error = &seen[at];
        assert_eq!(error["code"], code, "{error}");
        for what in ["ours", "error", "known"] {
            assert_eq!(error[what], true, "{what}: {error}");
        }
        let json = error["json"].as_str().expect("JSON");
        assert!(
            json.contains(&format!("\"message\":\"{code}: ")),
            "a log has the sentence: {json}"
        );
        let stack = error["stack"].as_str().expect("a stack");
        let (head, frames) = stack.split_once('\n').expect("frames");
        assert!(
            head.starts_with(&format!("OAuthError: {code}: ")),
            "{stack}"
        );
        assert!(frames.contains(caller), "{stack}");
        assert!(
            frames
                .lines()
                .next()
                .is_some_and(|first| first.contains(caller)),
            "{stack}"
        );
        assert!(frames.contains("/errors:"), "where in the page: {stack}");
        assert!(!stack.contains("leaked"), "{stack}");
        assert!(!stack.contains("oauth-wasm.js"), "none of ours: {stack}");
    }
    assert_eq!(seen[2], "TypeError", "nobody else makes one");
    assert_eq!(seen[3], json!([false, false, false, false]));
    let later = page.js("return await window.later()", &[]).await;
    let later = later.expect("a value");
    assert!(
        later[0].as_str().is_some_and(|s| s.contains("forgetful")),
        "{later}"
    );
    let stack = later[1]["stack"].as_str().expect("a stack");
    assert!(stack.contains("calledByMe"), "{stack}");
}
