//! Refresh tokens: spent once, whatever is lost on the way.

use attacks::{expired_session, fail_renewal, fresh_session, me};
use e2e::World;
use sandbox::FaultKind;

#[tokio::test]
async fn a_refresh_token_whose_answer_was_lost_is_never_sent_again() {
    let world = World::start().await;
    let cut = FaultKind::TruncatedJson;
    for kind in [FaultKind::DropAfterProcessing, FaultKind::DropBefore, cut] {
        expired_session(&world).await;
        fail_renewal(&world, kind);
        for _ in 0..3 {
            let answer = me(&world).await;
            assert_eq!(answer["error"]["code"], "session_indeterminate", "{answer}");
            assert_eq!(answer["error"]["retryable"], false);
        }
        let session = world.run("return await oauth.session()", &[]).await;
        assert_eq!(session["state"], "indeterminate", "{session}");
        assert_eq!(world.token_requests("refresh_token"), 1);
        assert_eq!(world.calls("/users"), []);
    }
    assert_eq!(world.sandbox.refresh_tokens_spent_twice(), 0);
    // The one safe next step.
    fresh_session(&world).await;
    assert_eq!(me(&world).await["value"]["status"], 200);
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session["state"], "active", "{session}");
}
