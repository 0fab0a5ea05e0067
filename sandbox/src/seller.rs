//! What a seller looks at first: orders and questions, and the functional permissions that an application needs for
//! them (Mercado Libre's page of 21/11/2025).

use serde_json::{Value, json};

/// A resource of a functional permission.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Permission {
    /// The path and everything below.
    pub path: &'static str,
    /// `orders-shipments` of `urn:ml:mktp:orders-shipments:/read-only`.
    pub name: &'static str,
    /// Reading needs it too. Without it only writing does.
    pub to_read: bool,
}

/// The resources of each functional permission. claims and returns stand under two of them and are left out.
pub fn functional_permissions() -> &'static [Permission] {
    const fn permission(path: &'static str, name: &'static str, to_read: bool) -> Permission {
        Permission {
            path,
            name,
            to_read,
        }
    }
    const PERMISSIONS: &[Permission] = &[
        permission("/orders", "orders-shipments", true),
        permission("/shipments", "orders-shipments", true),
        permission("/items", "publish-sync", false),
        permission("/pictures", "publish-sync", false),
        permission("/questions", "comunication", true),
        permission("/my/received_questions", "comunication", true),
        permission("/answers", "comunication", true),
        permission("/messages", "comunication", true),
        permission("/advertising", "ads", true),
        permission("/trends", "metrics", true),
        permission("/highlights", "metrics", true),
        permission("/visits", "metrics", true),
        permission("/seller-promotions", "offers", true),
        permission("/invoices", "invoices", true),
        permission("/billing", "invoices", true),
    ];
    PERMISSIONS
}

/// The functional permission that a call needs of a token which has any.
pub fn needed(method: &http::Method, path: &str) -> Option<String> {
    let below = |permission: &&Permission| {
        path.strip_prefix(permission.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = functional_permissions().iter().find(below)?;
    let reads = matches!(method.as_str(), "GET" | "HEAD");
    let access = if reads { "read-only" } else { "read-write" };
    (found.to_read || !reads).then(|| format!("urn:ml:mktp:{}:/{access}", found.name))
}

/// `GET /orders/search?seller=`: the paging and a few members of the documented answer.
pub fn orders(seller: u64) -> Value {
    let results: Vec<Value> = [
        (2000003508419013_u64, "MLA1136716168", "Mate de calabaza", 2, 18_500),
        (2000003508553677_u64, "MLA1142684692", "Yerba orgánica 1 kg", 5, 6_200),
    ]
    .iter()
    .map(|(id, item, title, quantity, price)| {
        json!({
            "id": id,
            "status": "paid",
            "date_created": "2026-11-20T14:03:11.000-04:00",
            "order_items": [{ "item": { "id": item, "title": title }, "quantity": quantity, "unit_price": price }],
            "total_amount": quantity * price,
            "currency_id": "ARS",
            "seller": { "id": seller },
        })
    })
    .collect();
    json!({ "paging": { "total": results.len(), "offset": 0, "limit": 50 }, "results": results })
}

/// `GET /my/received_questions/search`.
pub fn questions(seller: u64) -> Value {
    let question = |id: u64, item: &str, text: &str, status: &str| {
        json!({
            "id": id, "seller_id": seller, "item_id": item, "text": text, "status": status,
            "date_created": "2026-11-25T09:41:00.000-04:00",
        })
    };
    let questions = [
        question(
            13088163487,
            "MLA1136716168",
            "¿Viene con bombilla?",
            "UNANSWERED",
        ),
        question(
            13088170022,
            "MLA1142684692",
            "¿Hacen envíos a Córdoba?",
            "ANSWERED",
        ),
    ];
    json!({ "total": questions.len(), "limit": 50, "questions": questions })
}
