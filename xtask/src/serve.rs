//! A static file server for the console page: www/ at `/`, the built package at `/pkg/`.

use crate::workspace::root;
use axum::Router;
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::path::{Component, Path, PathBuf};
use tokio::net::TcpListener;

/// What a careful site would send with the page: no inline script, no eval but wasm's.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    connect-src 'self' http://127.0.0.1:* http://localhost:*; img-src 'self' data:; \
    style-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'";

/// The page asks for `/sandbox.json` to learn where the provider is.
pub async fn serve(listener: TcpListener, sandbox_origin: String) -> std::io::Result<()> {
    let app = Router::new().fallback(move |uri: Uri| {
        let sandbox = serde_json::json!({ "origin": sandbox_origin }).to_string();
        async move {
            match uri.path() {
                "/sandbox.json" => respond("application/json", sandbox.into_bytes()),
                path => file(path),
            }
        }
    });
    axum::serve(listener, app).await
}

fn file(path: &str) -> Response {
    let Some(file) = locate(path) else {
        return (StatusCode::BAD_REQUEST, "no such path\n").into_response();
    };
    match std::fs::read(&file) {
        Ok(body) => respond(content_type(&file), body),
        Err(_) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// The file behind a path; `None` if the path tries to leave its directory.
fn locate(path: &str) -> Option<PathBuf> {
    let (dir, rest) = match path.strip_prefix("/pkg/") {
        Some(rest) => ("pkg", rest),
        None => ("www", path.strip_prefix('/')?),
    };
    let plain = |part| matches!(part, Component::Normal(_));
    if rest.contains(['\\', '%']) || !Path::new(rest).components().all(plain) {
        return None;
    }
    let file = root().join(dir).join(rest);
    Some(if file.is_dir() {
        file.join("index.html")
    } else {
        file
    })
}

fn respond(content_type: &str, body: Vec<u8>) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("ts" | "md" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_directory() {
        for path in [
            "/../Cargo.toml",
            "/pkg/../Cargo.toml",
            "/a/../../b",
            "//etc/passwd",
        ] {
            assert_eq!(locate(path), None, "{path}");
        }
        assert_eq!(locate("/pkg/x.js"), Some(root().join("pkg/x.js")));
        assert_eq!(locate("/a/b.css"), Some(root().join("www/a/b.css")));
    }
}
