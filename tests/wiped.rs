//! What a token answer leaves in memory when it was read: no freed piece of it has a token in it (B11). The allocator of
//! this program looks at each piece that is given back.
#![cfg(not(target_family = "wasm"))]
#![allow(unsafe_code, reason = "an allocator that looks is one")]

use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::secret::{AuthorizationCode, CodeVerifier, RefreshToken};
use oauth_wasm::protocol::token::{Grant, HttpResponse, TokenRequest};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// In each secret of the answers below.
const CANARY: &[u8] = b"C4n4ry-9d3f";

struct Looking;

static LOOKS: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's; what is freed is looked at before. `realloc` is the trait's own: a new piece, a copy,
// and the old piece given back.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed: what was never written is looked at as well.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        if LOOKS.load(Ordering::Relaxed) {
            let bytes = unsafe { std::slice::from_raw_parts(piece, layout.size()) };
            if bytes.windows(CANARY.len()).any(|part| part == CANARY) {
                FOUND.fetch_add(1, Ordering::Relaxed);
            }
        }
        unsafe { System.dealloc(piece, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// How many freed pieces had the canary in them.
fn looked(work: impl FnOnce()) -> usize {
    FOUND.store(0, Ordering::Relaxed);
    LOOKS.store(true, Ordering::Relaxed);
    work();
    LOOKS.store(false, Ordering::Relaxed);
    FOUND.load(Ordering::Relaxed)
}

// One test: the allocator is everybody's.
#[test]
fn no_token_of_an_answer_is_left_in_memory_whatever_became_of_it() {
    let text = String::from_utf8_lossy(CANARY).into_owned();
    assert_eq!(looked(|| drop(std::hint::black_box(text))), 1, "it is seen");

    const CONFIG: &str = r#"{"clientId":"c","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":["https://api.example"]}"#;
    let tokens = r#""access_token":"a-C4n4ry-9d3f","refresh_token":"r-C4n4ry-9d3f""#;
    let answers = [
        (
            200,
            format!(r#"{{{tokens},"token_type":"bearer","expires_in":60}}"#),
        ),
        // An ID Token that nobody asked for, and secrets under other names.
        (
            200,
            format!(r#"{{{tokens},"token_type":"bearer","id_token":"e30.C4n4ry-9d3f.AA"}}"#),
        ),
        (
            200,
            format!(
                r#"{{{tokens},"token_type":"bearer","x":{{"copy":["a-C4n4ry-9d3f"],"device_secret":"s-C4n4ry-9d3f"}}}}"#
            ),
        ),
        (
            200,
            format!(r#"{{{tokens},"token_type":"bearer","a-C4n4ry-9d3f":1}}"#),
        ),
        // Answers that are refused when half of them is read.
        (200, format!(r#"{{{tokens}}}"#)),
        (200, format!(r#"{{{tokens},"token_type":"mac"}}"#)),
        (
            200,
            format!(r#"{{{tokens},"token_type":"bearer","expires_in":[]}}"#),
        ),
        (200, format!(r#"{{{tokens},"token_type":"bearer""#)),
        (200, format!(r#"[{{{tokens}}}]"#)),
        (
            200,
            r#"{"access_token":"a\u0043C4n4ry-9d3f b","token_type":"bearer"}"#.to_string(),
        ),
        (400, format!(r#"{{"error":"invalid_grant",{tokens}}}"#)),
        (503, format!(r#"{{{tokens}}}"#)),
    ];
    for (status, body) in answers {
        for exchanges in [true, false] {
            let client =
                Config::parse(CONFIG).and_then(|config| config.resolve("https://app.example"));
            let client = client.expect("a client");
            let grant = match exchanges {
                true => Grant::AuthorizationCode {
                    code: AuthorizationCode::new("c-C4n4ry-9d3f".to_string()),
                    code_verifier: CodeVerifier::from_entropy(&[1; 32]),
                },
                false => Grant::RefreshToken(RefreshToken::new("C4n4ry-9d3f".to_string())),
            };
            let response = HttpResponse {
                status,
                content_type: "application/json".to_string(),
                retry_after: None,
                body: body.clone().into_bytes().into(),
            };
            let left = looked(move || {
                let request = TokenRequest::new(client, grant);
                drop(std::hint::black_box(request.read(response, 100)));
            });
            assert_eq!(left, 0, "{status} {body}, exchanges: {exchanges}");
        }
    }
}
