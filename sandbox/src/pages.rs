//! What a person sees: login, consent, and the page that says no. Plain HTML, every value escaped.

use crate::settings::{Provider, User};

/// What the login and the consent page are about.
pub struct View<'a> {
    pub provider: Provider,
    pub country: Option<&'static str>,
    pub application: &'a str,
    pub callback_host: &'a str,
    pub scope: &'a [String],
    /// Path and query of the authorization request.
    pub target: &'a str,
    pub csrf: &'a str,
}

pub fn login(view: &View, complaint: Option<&str>, users: &[User]) -> String {
    let complaint = complaint.map_or(String::new(), |words| {
        format!(
            "<p class=\"complaint\" role=\"alert\">{}</p>",
            escape(words)
        )
    });
    let known: String = users
        .iter()
        .map(|user| {
            let role = if user.collaborator {
                ", a collaborator: cannot authorize"
            } else {
                ""
            };
            format!(
                "<li><code>{}</code> / <code>{}</code> ({}{role})</li>",
                escape(&user.nickname),
                escape(&user.password),
                escape(&user.site)
            )
        })
        .collect();
    page(
        view.provider,
        view.country,
        "Log in",
        &format!(
            "<h1>Log in</h1>\
             <p>to continue to <strong>{application}</strong></p>\
             {complaint}\
             <form method=\"post\" action=\"/login\">{hidden}\
             <label for=\"nickname\">User name or e-mail</label>\
             <input id=\"nickname\" name=\"nickname\" autocomplete=\"username\" autocapitalize=\"none\" \
             spellcheck=\"false\" required autofocus>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
             <button id=\"login\" class=\"yes\">Log in</button></form>\
             <details open><summary>Users of this sandbox</summary><ul>{known}</ul></details>",
            application = escape(view.application),
            hidden = view.hidden(),
        ),
    )
}

pub fn consent(view: &View, user: &User) -> String {
    let scope: String = view
        .scope
        .iter()
        .map(|name| {
            format!(
                "<li>{} <code>{}</code></li>",
                escape(in_plain_words(name)),
                escape(name)
            )
        })
        .collect();
    page(
        view.provider,
        view.country,
        "Allow access?",
        &format!(
            "<h1>Allow <strong>{application}</strong> to use your account?</h1>\
             <p>You are <strong>{nickname}</strong>. If you allow it, you go back to <code>{host}</code> and it can:</p>\
             <ul class=\"scope\">{scope}</ul>\
             <form method=\"post\" action=\"/consent\">{hidden}\
             <div class=\"choice\">\
             <button id=\"deny\" name=\"decision\" value=\"deny\">Deny</button>\
             <button id=\"allow\" class=\"yes\" name=\"decision\" value=\"allow\">Allow</button></div></form>\
             <form method=\"post\" action=\"/logout\">{hidden}\
             <button id=\"logout\" class=\"link\">Not {nickname}? Log in as someone else</button></form>",
            application = escape(view.application),
            nickname = escape(&user.nickname),
            host = escape(view.callback_host),
            hidden = view.hidden(),
        ),
    )
}

/// The authorization endpoint refuses and has nobody to tell but the user.
pub fn refusal(words: &str) -> String {
    page(
        Provider::MercadoLibre,
        None,
        "Not possible",
        &format!(
            "<h1>This is not possible</h1><p id=\"refusal\" role=\"alert\">{}</p>\
             <p>Nothing was sent to the application. Go back and try again, or tell its author.</p>",
            escape(words)
        ),
    )
}

/// The code, for a program that has no page to come back to.
pub fn code(code: &str) -> String {
    let body = format!(
        "<h1>Your code</h1><p>Copy it into the application:</p><p><code id=\"code\">{}</code></p>",
        escape(code)
    );
    page(Provider::Appfigures, None, "Your code", &body)
}

/// The page at `/`.
pub fn index() -> String {
    page(
        Provider::MercadoLibre,
        None,
        "Sandbox",
        "<h1>A provider on your own machine</h1>\
         <p>It behaves as Mercado Libre and Appfigures document. Nothing here is real.</p>\
         <ul><li><a href=\"/sites\">/sites</a>: public data</li>\
         <li><a href=\"/users/226384143\">/users/226384143</a>: a user, without a token</li>\
         <li><a href=\"/_sandbox/errors\">/_sandbox/errors</a>: every documented error and how to reach it</li>\
         <li><a href=\"/_sandbox/requests\">/_sandbox/requests</a>: what was received</li>\
         <li><a href=\"/_sandbox/settings\">/_sandbox/settings</a>: every switch</li></ul>",
    )
}

impl View<'_> {
    fn hidden(&self) -> String {
        format!(
            "<input type=\"hidden\" name=\"request\" value=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">",
            escape(self.target),
            escape(self.csrf)
        )
    }
}

/// What a scope lets an application do, for someone who has never heard of scopes.
fn in_plain_words(scope: &str) -> &str {
    match scope {
        "read" => "See your account: your name, e-mail address, listings and sales",
        "write" => "Act in your name: publish and change listings, answer questions",
        "offline_access" => "Stay connected while you are away, until you withdraw it",
        "account:read" => "See your account, its events and the stores it is connected to",
        "account:write" => {
            "See your account, and change its events and the stores it is connected to"
        }
        "public:read" => "Look up ranks, reviews and featured apps",
        "public:write" => "Look up ranks, reviews and featured apps",
        "private:read" => "See your sales, ad revenue and payments",
        "private:write" => "See your sales, ad revenue and payments",
        "products:read" => "See the list of your products",
        "products:write" => "See the list of your products, and show or hide them",
        _ => "Something this sandbox has no words for",
    }
}

fn page(provider: Provider, country: Option<&str>, title: &str, main: &str) -> String {
    let (name, theme) = match provider {
        Provider::MercadoLibre => ("Mercado Libre", "yellow"),
        Provider::Appfigures => ("Appfigures", "blue"),
    };
    let country = country.map_or(String::new(), |country| {
        format!(" <span id=\"site\">{}</span>", escape(country))
    });
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · {name} sandbox</title><style>{STYLE}</style></head>\
         <body class=\"{theme}\"><header><b>{name}</b>{country}<small>sandbox</small></header>\
         <main>{main}</main><footer>A sandbox on your own machine. Nothing here is real.</footer></body></html>",
        title = escape(title),
    )
}

fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, one| {
            match one {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                _ => escaped.push(one),
            }
            escaped
        })
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f2f2f0;--sheet:#fff;--ink:#1d1d1f;--soft:#5d5d66;--line:#8a8a94;--act:#2451c7;--on-act:#fff;--bad:#a4161a}\
@media(prefers-color-scheme:dark){:root{--ground:#16171a;--sheet:#212329;--ink:#f1f1f3;--soft:#aaabb4;--line:#777985;--act:#8fb0ff;--on-act:#10131c;--bad:#ff9a9d}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
header{padding:.8rem 1.2rem;display:flex;flex-wrap:wrap;gap:.2rem .6rem;align-items:baseline;color:#1d1d1f}\
.yellow header{background:#ffe15a}.blue header{background:#a9d5f5}\
header small{margin-left:auto;border:1px solid;border-radius:1rem;padding:0 .6rem}\
main{width:min(26rem,100% - 2rem);margin:2rem auto;padding:1.5rem;background:var(--sheet);border-radius:.8rem;box-shadow:0 1px 4px #0003}\
h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.3}p{margin:.5rem 0 1rem}\
label{display:block;margin:.8rem 0 .2rem;font-weight:600}\
input{width:100%;padding:.6rem;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.4rem}\
button{padding:.65rem 1.2rem;font:inherit;font-weight:600;color:var(--act);background:none;border:1px solid var(--act);border-radius:.4rem;cursor:pointer}\
button.yes{color:var(--on-act);background:var(--act)}#login{width:100%;margin-top:1.2rem}\
button.link{margin-top:1rem;padding:.3rem 0;border:0;font-weight:400;text-decoration:underline}\
:focus-visible{outline:3px solid var(--act);outline-offset:2px}\
.choice{display:flex;gap:.8rem}.choice button{flex:1}\
ul{padding-left:1.2rem}.scope li{margin:.4rem 0}code{overflow-wrap:anywhere;color:var(--soft)}a{color:var(--act)}\
details{margin-top:1.2rem;color:var(--soft)}summary{cursor:pointer}\
.complaint,#refusal{color:var(--bad);font-weight:600}\
footer{margin-top:auto;padding:1rem;text-align:center;font-size:.85rem;color:var(--soft)}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_application_says_of_itself_is_escaped_on_both_pages() {
        let scope = ["<i>".to_owned()];
        let view = View {
            provider: Provider::MercadoLibre,
            country: Some("Brazil"),
            application: "<script>alert(1)</script>",
            callback_host: "\"><img src=x>",
            scope: &scope,
            target: "/authorization?state=\"><script>",
            csrf: "c",
        };
        let user = crate::Settings::default().users.remove(0);
        for page in [login(&view, Some("<b>"), &[]), consent(&view, &user)] {
            assert!(
                !page.contains("<script>") && !page.contains("<img") && !page.contains("<i>"),
                "{page}"
            );
            assert!(page.contains("Brazil"));
        }
    }
}
