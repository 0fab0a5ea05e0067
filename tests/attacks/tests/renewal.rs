//! Refresh tokens: spent once, whatever is lost on the way; sent once more only where nothing else is left.

use attacks::{expired_session, fresh_session, me};
use e2e::World;
use sandbox::{Fault, FaultKind};

#[tokio::test]
async fn a_refresh_token_whose_answer_was_lost_is_sent_once_more_and_never_a_third_time() {
    let world = World::start().await;
    // What came and cannot be read was not lost: it is not sent again at all.
    let cut = FaultKind::TruncatedJson;
    for (kind, sent) in [
        (FaultKind::DropAfterProcessing, 2),
        (FaultKind::DropBefore, 2),
        (cut, 1),
    ] {
        expired_session(&world).await;
        let always = Fault::new("/oauth/token", kind).method("POST").times(1000);
        world
            .sandbox
            .change(|settings| settings.faults = vec![always]);
        for _ in 0..3 {
            let answer = me(&world).await;
            assert_eq!(answer["error"]["code"], "session_indeterminate", "{answer}");
            assert_eq!(answer["error"]["retryable"], false);
        }
        let session = world.run("return await oauth.session()", &[]).await;
        assert_eq!(session["state"], "indeterminate", "{session}");
        assert_eq!(session["renewable"], false, "{session}");
        assert_eq!(world.token_requests("refresh_token"), sent);
        assert_eq!(world.calls("/users"), []);
        world.sandbox.change(|settings| settings.faults = vec![]);
    }
    // The one safe next step.
    fresh_session(&world).await;
    assert_eq!(me(&world).await["value"]["status"], 200);
    let session = world.run("return await oauth.session()", &[]).await;
    assert_eq!(session["state"], "active", "{session}");
}
