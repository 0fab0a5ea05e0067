//! Log in, see who you are, ask the provider a private question, log out: `oauth-wasm` in Yew.

use gloo_net::http::Request;
use gloo_utils::{body, window};
use oauth_wasm::{
    Failure, Keep, LoginConfig, Session, SessionChange, Subscription, explained, fetch_private,
    handle_redirect_with, logout, on_session_change, restore_with, start_login,
};
use serde::Deserialize;
use yew::prelude::*;

/// What this provider tells of a session besides what every provider does.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Extra {
    user_id: u64,
}

/// The part of the API's answer that is shown.
#[derive(Deserialize)]
struct User {
    nickname: String,
    email: String,
}

struct App {
    /// Until the library has said whether anybody is logged in.
    is_ready: bool,
    session: Option<Session<Extra>>,
    user: Option<User>,
    failure: Option<Failure>,
    _changes: Subscription,
}

enum Message {
    LogIn,
    Left,
    Ready(Option<Session<Extra>>),
    Changed(Option<Session<Extra>>),
    Ask,
    User(User),
    LogOut,
    Failed(Failure),
}

impl Component for App {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        let link = context.link().clone();
        let changed = move |change: SessionChange<Extra>| {
            link.send_message(Message::Changed(change.session));
        };
        let app = Self {
            is_ready: false,
            session: None,
            user: None,
            failure: None,
            _changes: on_session_change(changed),
        };
        app.run(context, async { Ok(Message::Ready(come_back().await?)) });
        app
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        match message {
            Message::LogIn => self.run(context, async {
                start_login(&config()).await?;
                Ok(Message::Left)
            }),
            Message::Left => {}
            Message::Ready(session) => {
                (self.is_ready, self.session) = (true, session);
            }
            Message::Changed(session) => {
                self.session = session;
                self.user = self.user.take().filter(|_| self.session.is_some());
            }
            Message::Ask => {
                self.failure = None;
                if let Some(session) = &self.session {
                    let id = session.extra.user_id;
                    self.run(context, async move { Ok(Message::User(ask(id).await?)) });
                }
            }
            Message::User(user) => self.user = Some(user),
            Message::LogOut => self.run(context, async {
                logout(false).await?;
                Ok(Message::Changed(None))
            }),
            Message::Failed(failure) => {
                (self.is_ready, self.failure) = (true, Some(failure));
            }
        }
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let on = |message: fn() -> Message| context.link().callback(move |_: MouseEvent| message());
        html! {
            <main>
                <h1>{ "oauth-wasm in Yew" }</h1>
                { for self.failure.as_ref().map(failed) }
                if let Some(session) = &self.session {
                    <p id="who">{ format!("User {}", session.extra.user_id) }</p>
                    <button id="ask" onclick={on(|| Message::Ask)}>{ "What is my address?" }</button>
                    <button id="logout" onclick={on(|| Message::LogOut)}>{ "Log out" }</button>
                } else if self.is_ready {
                    <button id="login" onclick={on(|| Message::LogIn)}>{ "Log in" }</button>
                }
                if let Some(user) = &self.user {
                    <p id="user">{ format!("{}, {}", user.nickname, user.email) }</p>
                }
            </main>
        }
    }
}

impl App {
    /// Runs a future whose failure is shown.
    fn run(
        &self,
        context: &Context<Self>,
        work: impl Future<Output = Result<Message, Failure>> + 'static,
    ) {
        context
            .link()
            .send_future(async { work.await.unwrap_or_else(Message::Failed) });
    }
}

/// The session of the login that ends here; on any other visit the one that this tab has kept.
async fn come_back() -> Result<Option<Session<Extra>>, Failure> {
    match handle_redirect_with(None).await? {
        Some(session) => Ok(Some(session)),
        None => restore_with(None).await,
    }
}

/// A call that needs the user's token. The library adds it; nothing here ever holds it.
async fn ask(user_id: u64) -> Result<User, Failure> {
    let request = Request::get(&format!("{}/users/{user_id}", api())).build()?;
    // A refusal becomes an error, in the words of the provider's documentation.
    let response = explained(fetch_private(request).await?).await?;
    Ok(response.json().await?)
}

/// By code, with what to do about it.
fn failed(failure: &Failure) -> Html {
    match failure {
        Failure::OAuth(error) => html! {
            <p id="error" role="alert">
                <code>{ error.code.code() }</code>
                { format!(" {}. {}.", error.message(), error.remedy()) }
            </p>
        },
        Failure::JavaScript(_) => html! { <p id="error" role="alert">{ failure.to_string() }</p> },
    }
}

fn config() -> LoginConfig {
    let location = window().location();
    let here = |part: Result<String, _>| part.unwrap_or_default();
    let mut config = LoginConfig {
        provider: Some("mercadolibre".into()),
        site: Some("MLA".into()),
        client_id: "1620218256833906".into(),
        redirect_uri: here(location.origin()) + &here(location.pathname()),
        scope: Some(vec!["offline_access".into(), "read".into()]),
        keep: Some(Keep::Tab),
        keep_optional: true,
        ..LoginConfig::default()
    };
    if let Some(sandbox) = sandbox() {
        config.authorization_endpoint = Some(format!("{sandbox}/authorization"));
        config.token_endpoint = Some(format!("{sandbox}/oauth/token"));
        config.resource_servers = Some(vec![sandbox]);
    }
    config
}

fn api() -> String {
    sandbox().unwrap_or_else(|| "https://api.mercadolibre.com".into())
}

/// A provider on the developer's own machine: `<body data-sandbox="http://127.0.0.1:8081">`.
fn sandbox() -> Option<String> {
    body().get_attribute("data-sandbox")
}

fn main() {
    yew::Renderer::<App>::new().render();
}
