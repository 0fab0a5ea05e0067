//! The two servers of a test: the app's own, and a foreign one that must never see a token.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request as it came in. Header names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The app under test: `/` is www/, `/pkg/` the built package, `/e2e/` tests/e2e/pages/,
/// `/attacks/` tests/attacks/pages/, `/yew/` what `cargo xtask yew` has built, and `/sandbox.json` says where the provider is.
pub struct App {
    /// `http://127.0.0.1:PORT`; the same port answers at `localhost` and `app.test`.
    pub origin: String,
    site: Arc<Mutex<Site>>,
}

#[derive(Default)]
struct Site {
    requests: Vec<Received>,
    /// Path prefix, name, value.
    headers: Vec<(String, HeaderName, HeaderValue)>,
    pages: HashMap<String, (StatusCode, String, Vec<u8>)>,
    record_console: bool,
}

impl App {
    pub(crate) fn start(runtime: &Runtime, sandbox_origin: &str) -> App {
        let site = Arc::new(Mutex::new(Site::default()));
        let answering = Arc::clone(&site);
        let router = Router::new().fallback(move |request: Request| {
            let site = Arc::clone(&answering);
            async move {
                let request = read(request).await;
                answer(&site, request)
            }
        });
        let origin = serve(runtime, router);
        let app = App { origin, site };
        let sandbox = serde_json::json!({ "origin": sandbox_origin });
        app.serve("/sandbox.json", "application/json", sandbox.to_string());
        app
    }

    /// What the browser asked of the app, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.site).requests.clone()
    }

    /// The same server under another name: `app.at("app.test")`, an insecure origin.
    pub fn at(&self, host: &str) -> String {
        self.origin.replace("127.0.0.1", host)
    }

    /// Every answer to a path that starts with `prefix` carries this header from now on.
    pub fn header(&self, prefix: &str, name: &str, value: &str) {
        let name = name.parse().expect("a header's name");
        let value = value.parse().expect("a header's value");
        let mut site = lock(&self.site);
        site.headers.push((prefix.to_owned(), name, value));
    }

    /// Puts /e2e/console.js into every HTML file from now on, so that `Page::console` works there.
    pub fn record_console(&self) {
        lock(&self.site).record_console = true;
    }

    /// A page that is no file; it goes before a file of the same path.
    pub fn serve(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.serve_status(200, path, content_type, body);
    }

    /// As `serve`, for answers that are not 200.
    pub fn serve_status(
        &self,
        status: u16,
        path: &str,
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) {
        let status = StatusCode::from_u16(status).expect("a status");
        let page = (status, content_type.to_owned(), body.into());
        lock(&self.site).pages.insert(path.to_owned(), page);
    }

    /// Takes back `serve`: the file answers again.
    pub fn unserve(&self, path: &str) {
        lock(&self.site).pages.remove(path);
    }
}

fn answer(site: &Mutex<Site>, request: Received) -> Response {
    let mut site = lock(site);
    let path = request.path.clone();
    site.requests.push(request);
    let mut response = match site.pages.get(&path) {
        Some((status, content_type, body)) => (
            *status,
            [(header::CONTENT_TYPE, content_type.clone())],
            body.clone(),
        )
            .into_response(),
        None => file(&path, site.record_console),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (prefix, name, value) in &site.headers {
        if path.starts_with(prefix) {
            headers.insert(name, value.clone());
        }
    }
    response
}

fn file(path: &str, record_console: bool) -> Response {
    let read = |file: PathBuf| Some((content_type(&file), std::fs::read(&file).ok()?));
    let Some((content_type, mut body)) = locate(path).and_then(read) else {
        return (StatusCode::NOT_FOUND, "not found").into_response();
    };
    if record_console && content_type.starts_with("text/html") {
        let mut html = String::from_utf8_lossy(&body).into_owned();
        // First in the head, or after the doctype.
        let end_of = |tag: &str| html.find(tag).map(|at| at + tag.len());
        let at = end_of("<head>").or_else(|| end_of(">")).unwrap_or(0);
        html.insert_str(at, "<script src=\"/e2e/console.js\"></script>");
        body = html.into_bytes();
    }
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn locate(path: &str) -> Option<PathBuf> {
    let at = |prefix: &str, dir: &str| Some((PathBuf::from(dir), path.strip_prefix(prefix)?));
    let (dir, rest) = at("/pkg/", "pkg")
        .or_else(|| Some((crate::target().join("yew"), path.strip_prefix("/yew/")?)))
        .or_else(|| at("/e2e/", "tests/e2e/pages"))
        .or_else(|| at("/attacks/", "tests/attacks/pages"))
        .or_else(|| at("/", "www"))?;
    let plain = |part| matches!(part, Component::Normal(_));
    if !Path::new(rest).components().all(plain) {
        return None;
    }
    let file = crate::workspace().join(dir).join(rest);
    Some(if file.is_dir() {
        file.join("index.html")
    } else {
        file
    })
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// Answers 200 to everything, lets every origin read it and send every header, and keeps all it got.
pub struct Foreign {
    pub origin: String,
    requests: Arc<Mutex<Vec<Received>>>,
}

impl Foreign {
    pub(crate) fn start(runtime: &Runtime) -> Foreign {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let keeping = Arc::clone(&requests);
        let router = Router::new().fallback(move |request: Request| {
            let requests = Arc::clone(&keeping);
            async move {
                let preflight = request.method() == Method::OPTIONS;
                let request = read(request).await;
                lock(&requests).push(request);
                open_to_all(preflight)
            }
        });
        let origin = serve(runtime, router);
        Foreign { origin, requests }
    }

    /// What came in, preflights too, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.requests).clone()
    }
}

fn open_to_all(preflight: bool) -> Response {
    let headers = [
        ("access-control-allow-origin", "*"),
        // `*` alone leaves out Authorization.
        ("access-control-allow-headers", "authorization, *"),
        (
            "access-control-allow-methods",
            "*, GET, POST, PUT, PATCH, DELETE",
        ),
        ("access-control-expose-headers", "*"),
        ("content-type", "application/json"),
    ];
    let body = if preflight { "" } else { "{\"foreign\":true}" };
    (headers, body).into_response()
}

async fn read(request: Request) -> Received {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Received {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: text(body).await,
    }
}

async fn text(body: Body) -> String {
    let bytes = to_bytes(body, 1 << 24).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Serves on a free port of this machine; gives the origin.
fn serve(runtime: &Runtime, router: Router) -> String {
    let (listener, origin) = listen(runtime);
    runtime.spawn(async { axum::serve(listener, router).await });
    origin
}

/// A listener belongs to the runtime that serves it.
pub(crate) fn listen(runtime: &Runtime) -> (TcpListener, String) {
    let _inside = runtime.enter();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("non-blocking");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let listener = TcpListener::from_std(listener).expect("a listener");
    (listener, origin)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
