//! The record of a login that waits, in a storage that every script of the origin can write to.

use attacks::answer;
use e2e::{APP, PENDING, World, parameter};
use serde_json::json;

#[tokio::test]
async fn a_record_that_was_tampered_with_is_absent() {
    let world = World::start().await;
    world.open_app(APP).await;
    let tamper = "const key = args[0] + args[1]
        const record = JSON.parse(sessionStorage[key])
        const { config } = record
        const edits = {
            'is no JSON': () => '{',
            'is empty': () => '',
            'is another type': () => '[]',
            'is null': () => 'null',
            'version': () => ({ ...record, v: 2 }),
            'no version': () => ({ ...record, v: undefined }),
            'created is text': () => ({ ...record, created: String(record.created) }),
            'created is gone': () => ({ ...record, created: undefined }),
            'created is negative': () => ({ ...record, created: -1 }),
            'verifier is gone': () => ({ ...record, codeVerifier: undefined }),
            'verifier is a number': () => ({ ...record, codeVerifier: 5 }),
            'verifier is short': () => ({ ...record, codeVerifier: 'x' }),
            'verifier has other characters': () => ({ ...record, codeVerifier: 'x y&z='.repeat(9) }),
            'config is gone': () => ({ ...record, config: undefined }),
            'unknown field': () => ({ ...record, config: { ...config, clientID: 'x' } }),
            'secret': () => ({ ...record, config: { ...config, clientSecret: 'x' } }),
            'client is gone': () => ({ ...record, config: { ...config, clientId: '' } }),
            'http token endpoint': () => ({ ...record, config: { ...config, tokenEndpoint: 'http://evil.example/t' } }),
            'other site': () => ({ ...record, config: { ...config, returnTo: '//evil.example' } }),
            'script': () => ({ ...record, config: { ...config, returnTo: 'javascript:alert(1)' } }),
            'http resource server': () => ({ ...record, config: { ...config, resourceServers: ['http://evil.example'] } }),
            'max age': () => ({ ...record, config: { ...config, pendingMaxAge: 1e99 } }),
        }
        if (args[2] === undefined) return Object.keys(edits)
        const edited = edits[args[2]]()
        sessionStorage[key] = typeof edited === 'string' ? edited : JSON.stringify(edited)";
    let url = world.begin(json!({})).await;
    let state = parameter(&url, "state").expect("a state");
    let edits = world.run(tamper, &[json!(PENDING), json!(state)]).await;
    let edits = edits.as_array().expect("names");
    assert_eq!(edits.len(), 22);
    let mut wrong = Vec::new();
    for edit in edits {
        world.run("sessionStorage.clear()", &[]).await;
        let url = world.begin(json!({})).await;
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
