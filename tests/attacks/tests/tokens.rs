//! The implicit grant, and tokens that come from somewhere else.

use attacks::{SEARCH, answer, everything_sent, home, is_the_browsers_own, search};
use e2e::{APP, World, parameter};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_of_the_implicit_grant_is_nowhere_either() {
    let world = World::start().await;
    let home = format!("{}{SEARCH}", world.app.origin);
    world.open_app(SEARCH).await;
    let url = world
        .begin(json!({ "redirectUri": home, "responseType": "token" }))
        .await;
    let redirect = world.redirect(&url);
    let (_, fragment) = redirect.split_once("access_token=").expect("a token");
    let token = fragment.split('&').next().expect("a token");
    let outcome = world.come_back(&redirect).await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let answer = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(answer["value"]["status"], 200);
    let seen = search(&world, &[token]).await;
    let elsewhere = seen["found"].as_array().expect("places").iter();
    let elsewhere: Vec<_> = elsewhere
        .filter(|place| !is_the_browsers_own(place))
        .collect();
    assert_eq!(elsewhere, Vec::<&Value>::new());
    assert!(!world.page.console().await.join("\n").contains(token));
    assert!(!everything_sent(&world).contains(token));
}

#[tokio::test]
async fn an_implicit_answer_brings_an_access_token_and_nothing_more() {
    let world = World::start().await;
    world.open_app(APP).await;
    let token = json!({ "responseType": "token" });
    for (rest, field, want) in [
        (
            "#access_token=t&token_type=bearer&expires_in=60&refresh_token=r&state=S",
            "renewable",
            json!(false),
        ),
        (
            "#access_token=t&token_type=BEARER&scope=read&id_token=x.y.z&client_secret=s&state=S",
            "extra",
            json!({}),
        ),
        (
            "#access_token=t&token_type=bearer&scope=read&state=S",
            "scope",
            json!(["read"]),
        ),
    ] {
        let url = world.begin(token.clone()).await;
        let state = parameter(&url, "state").expect("a state");
        let redirect = format!("{}{}", home(&world), rest.replace('S', &state));
        let outcome = answer(&world, &redirect).await;
        assert!(outcome["value"].is_object(), "{rest}: {outcome}");
        assert_eq!(outcome["value"][field], want, "{rest}: {outcome}");
    }
    // Without our state it is somebody else's, and the login waits on.
    let url = world.begin(token).await;
    let stateless = format!("{}#access_token=t&token_type=bearer", home(&world));
    let outcome = answer(&world, &stateless).await;
    assert_eq!(outcome["value"], Value::Null);
    let state = parameter(&url, "state").expect("a state");
    assert_eq!(world.pending().await, [state]);
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_token_of_another_application_put_into_an_implicit_answer_is_not_noticed() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        let mut theirs = settings.applications[0].clone();
        theirs.client_id = "2222".into();
        settings.applications.push(theirs);
    });
    world.open_app(APP).await;
    let token = json!({ "responseType": "token" });
    let theirs = json!({ "responseType": "token", "clientId": "2222" });
    let foreign = world.redirect(&world.begin(theirs).await);
    let (_, fragment) = foreign.split_once("access_token=").expect("a token");
    let foreign = fragment.split('&').next().expect("a token");
    let state = parameter(&world.begin(token).await, "state").expect("a state");
    let answered = format!(
        "{}#access_token={foreign}&token_type=bearer&state={state}",
        home(&world)
    );
    let outcome = answer(&world, &answered).await;
    assert_eq!(outcome["value"]["clientId"], "1620218256833906");
    let me = world.fetch_private("/users/me", Value::Null).await;
    assert_eq!(me["value"]["status"], 200, "{me}");
    let call = &world.calls("/users/me")[0];
    assert_eq!(call.token.as_deref(), Some(foreign), "the other's token");
}
