//! The implicit grant, and tokens that come from somewhere else.

use attacks::{SEARCH, everything_sent, is_the_browsers_own, search};
use e2e::World;
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
