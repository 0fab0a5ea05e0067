//! The record of a login that waits, in a storage that every script of the origin can write to.

use attacks::answer;
use e2e::{APP, PENDING, World, parameter};
use serde_json::json;

#[tokio::test]
async fn a_record_that_was_tampered_with_is_absent() {
    let world = World::start().await;
    world.open_app(APP).await;
    let tamper = "const key = args[0] + args[1]
        const record = sessionStorage[key]
        const change = (from, to) => () => {
            const changed = record.replace(from, to)
            if (changed === record) throw Error('nothing to change: ' + from)
            return changed
        }
        const text = (from, to) => change(new RegExp('\\\\d+;' + from), to.length + ';' + to)
        const edits = {
            'is JSON': () => '{}',
            'is empty': () => '',
            'is one letter': () => '1',
            'version': change(/^1/, '2'),
            'no version': change(/^1/, ''),
            'no part': change(/^1[sf]/, '1'),
            'expiry is text': change(/^(1[sf])/, '$1x'),
            'expiry is gone': change(/^(1[sf])\\d+;/, '$1'),
            'expiry is negative': change(/^(1[sf])/, '$1-'),
            'verifier is gone': change(/;[^;]*$/, ';'),
            'verifier is short': change(/;[^;]*$/, ';x'),
            'verifier has other characters': change(/;[^;]*$/, ';' + 'x y&z='.repeat(9)),
            'something behind it': change(/$/, '{}'),
            'client is gone': change(/^(1[sf]\\d+;)/, '$1;'),
            'client is cut short': change(/^(1[sf]\\d+;)\\d+;/, '$11;'),
            'a length without end': change(/^(1[sf]\\d+;)\\d+;/, '$14294967295;'),
            'http token endpoint': text('http://[^;]*/oauth/token', 'http://evil.example/t'),
            'other site': text('/cart', '//evil.example'),
            'script': text('/cart', 'javascript:alert(1)'),
            'max age': change(/\\d+(;[^;]*)$/, '99999999999$1'),
        }
        if (args[2] === undefined) return Object.keys(edits)
        sessionStorage[key] = edits[args[2]]()";
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    let edits = world.run(tamper, &[json!(PENDING), json!(state)]).await;
    let edits = edits.as_array().expect("names");
    assert_eq!(edits.len(), 20);
    let mut wrong = Vec::new();
    for edit in edits {
        world.run("sessionStorage.clear()", &[]).await;
        let url = world.begin(json!({ "returnTo": "/cart" })).await;
        let state = parameter(&url, "state").expect("a state");
        let args = [json!(PENDING), json!(state), edit.clone()];
        world.run(tamper, &args).await;
        let outcome = answer(&world, &world.redirect(&url)).await;
        if outcome["error"]["code"] != "unknown_state" || !world.pending().await.is_empty() {
            wrong.push((edit, outcome));
        }
    }
    assert_eq!(wrong, []);
    assert_eq!(world.token_requests("authorization_code"), 0);
    assert_eq!(world.foreign.requests(), []);
}
