//! What broke once, seen from the client: one page or a few, one thing after the other, and what the servers saw.
//!
//! Each runs under several seeds, which choose the order of what happens at once.

use simulation::{ORIGIN, Script, Scripted};

const SEEDS: std::ops::Range<u64> = 0..24;
/// A session that is its page's own.
const OWN: &str = r#""allowHttp":false"#;
#[cfg(feature = "full")]
const SHARED: &str = r#""sessionScope":"origin""#;
#[cfg(feature = "full")]
const ON_DEVICE: &str = r#""keep":"device""#;
/// Every kind of session.
const KINDS: &[&str] = match cfg!(feature = "full") {
    true => &[
        OWN,
        r#""sessionScope":"origin""#,
        r#""keep":"device""#,
        r#""keep":"tab""#,
        r#""sessionScope":"origin","keep":"device""#,
    ],
    false => &[OWN],
};

fn each(kinds: &[&str], row: impl Fn(Script)) {
    under(SEEDS, kinds, row);
}

fn under(seeds: std::ops::Range<u64>, kinds: &[&str], row: impl Fn(Script)) {
    for kind in kinds {
        for seed in seeds.clone() {
            row(Script::new(seed, kind));
        }
    }
}

#[track_caller]
fn fails<T: std::fmt::Debug>(outcome: &Result<T, String>, code: &str) -> String {
    let error = outcome.as_ref().expect_err("it fails");
    let wanted = format!(r#""code":"{code}""#);
    assert!(error.contains(&wanted), "{error} instead of {code}");
    error.clone()
}

fn says(status: u16, content_type: &'static str, body: &str) -> Scripted {
    Scripted::Says(status, content_type, "", body.to_string())
}

/// A14.
#[test]
fn two_calls_of_handle_redirect_at_once_get_the_same_session_for_one_exchange() {
    each(KINDS, |script| {
        let (back, page) = script.go_and_come_back(script.open(0));
        let first = script.answer_redirect(page, &back);
        let second = script.answer_redirect(page, &back);
        let (first, second) = (script.finish(first), script.finish(second));
        assert!(matches!(&first, Ok(Some(_))), "{first:?}");
        assert_eq!(first, second);
        // The address is clean by then.
        let third = script.finish(script.answer_redirect(page, &format!("{ORIGIN}/cb")));
        assert_eq!(first, third);
        assert_eq!(script.parameters("/token", "code").len(), 1);
    });
}

/// A14: what the page gets to see of another's response is the same each time, and costs its own login nothing.
#[test]
fn a_response_that_no_login_waits_for_gets_the_same_error_twice_and_consumes_none() {
    each(KINDS, |script| {
        let (back, page) = script.go_and_come_back(script.open(0));
        let (_, state) = back.split_once("state=").expect("a state");
        let foreign = back.replace(state, "ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        let elsewhere = back.replace("/cb?", "/cb/?");
        for (href, code) in [
            (foreign, "state_mismatch"),
            (elsewhere, "redirect_uri_mismatch"),
        ] {
            let first = script.answer_redirect(page, &href);
            let second = script.answer_redirect(page, &href);
            let (first, second) = (script.finish(first), script.finish(second));
            fails(&first, code);
            assert_eq!(first, second);
            assert_eq!(script.seen(), [], "nothing is sent for it");
        }
        let session = script.finish(script.answer_redirect(page, &back));
        assert!(matches!(session, Ok(Some(_))), "{session:?}");
        assert_eq!(script.call(page), Ok(200));
    });
}

/// A16: names that no RFC has, and none at all.
#[test]
fn a_401_with_an_unregistered_error_renews_once_and_calls_once_more() {
    let challenges = [
        "Bearer error=\"token_expired\"",
        "Bearer error=\"expired_token\", error_description=\"x\"",
        "Bearer",
        "",
    ];
    for challenge in challenges {
        let refusal = || Scripted::Says(401, "text/plain", challenge, String::new());
        each(KINDS, |script| {
            let page = script.log_in(0);
            script.answer("/items", refusal());
            assert_eq!(script.call(page), Ok(200), "{challenge}");
            assert_eq!(script.refreshed().len(), 1);
            let called = script.called();
            assert_eq!(called.len(), 2);
            assert_ne!(called[0], called[1], "the new token is sent");
        });
        each(KINDS, |script| {
            let page = script.log_in(0);
            script.answer("/items", refusal());
            script.answer("/items", refusal());
            assert_eq!(script.call(page), Ok(401), "{challenge}");
            assert_eq!((script.refreshed().len(), script.called().len()), (1, 2));
        });
    }
}

/// D1: a server that answers the POST and hides from probes (`Cross-Origin-Resource-Policy`, COEP, a redirect).
#[test]
fn a_session_is_renewed_at_a_server_that_no_probe_reaches() {
    each(KINDS, |script| {
        script.faults(|faults| faults.hides = true);
        let page = script.log_in(0);
        for renewals in 1..4 {
            script.outlive();
            assert_eq!(script.call(page), Ok(200));
            assert_eq!(script.refreshed().len(), renewals);
        }
        assert_eq!(script.probes(), 0, "the POST is all that is sent");
    });
}

/// D3: refusals of a dead refresh token that RFC 6749 does not know.
#[test]
fn a_dead_refresh_token_ends_the_session_whatever_words_refuse_it() {
    for (status, content_type, body) in [
        (400, "application/json", ""),
        (401, "", ""),
        (403, "text/html", "<h1>Forbidden</h1>"),
        (400, "application/json", r#"{"error":"invalid_request"}"#),
        (400, "text/plain", r#"{"error":"invalid_token"}"#),
        (400, "text/plain", r#"{"error":"invalid_grant"}"#),
    ] {
        each(KINDS, |script| {
            let page = script.log_in(0);
            script.outlive();
            script.answer("/token", says(status, content_type, body));
            fails(&script.call(page), "session_ended");
            assert_eq!(script.session(page), None);
            script.advance(600_000);
            fails(&script.call(page), "login_required");
            let ends = |event: &&String| event.contains(r#""ended""#);
            assert_eq!(script.events(page).iter().filter(ends).count(), 1);
            assert_eq!(script.refreshed().len(), 1, "it is sent once");
            assert_eq!(script.called(), [] as [&str; 0]);
        });
    }
}

/// D4: a gateway answers in the place of the server, without CORS headers: nothing was spent.
#[test]
fn a_refresh_token_whose_answer_was_unreadable_is_sent_once_more_and_never_a_third_time() {
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.answer("/token", Scripted::Unreadable);
        fails(&script.call(page), "session_indeterminate");
        script.advance(120_000);
        assert_eq!(script.call(page), Ok(200));
        let sent = script.refreshed();
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0], sent[1]);
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.answer("/token", Scripted::Unreadable);
        script.answer("/token", Scripted::LostAfterWork);
        for _ in 0..4 {
            fails(&script.call(page), "session_indeterminate");
            script.advance(120_000);
        }
        assert_eq!(script.refreshed().len(), 2);
    });
}

/// To a page, what answers in the server's place without CORS is a server whose answer was lost: there is no third time.
#[test]
fn a_middlebox_without_cors_costs_a_session_through_two_renewals_and_not_through_one() {
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        for _ in 0..2 {
            script.answer("/token", Scripted::Unreadable);
            fails(&script.call(page), "session_indeterminate");
            script.advance(120_000);
        }
        for _ in 0..3 {
            fails(&script.call(page), "session_indeterminate");
            script.outlive();
        }
        assert_eq!(script.refreshed().len(), 2, "and never a third time");
    });
    // While the access token lives nothing is sent through it a second time.
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.advance(575_000);
        script.answer("/token", Scripted::Unreadable);
        for _ in 0..4 {
            assert_eq!(script.call(page), Ok(200));
            script.advance(2_000);
        }
        assert_eq!(script.refreshed().len(), 1);
        script.outlive();
        assert_eq!(script.call(page), Ok(200), "the middlebox is gone");
        assert_eq!(script.refreshed().len(), 2);
    });
}

/// D12: whoever reads the error knows which of the servers it was.
#[test]
fn an_error_of_a_request_that_got_no_answer_names_its_server() {
    each(KINDS, |script| {
        let (back, page) = script.go_and_come_back(script.open(0));
        script.answer("/token", Scripted::Unreadable);
        let error = fails(
            &script.finish(script.answer_redirect(page, &back)),
            "network_error",
        );
        assert!(error.contains("https://as.example"), "{error}");
        assert!(!error.contains("/token"), "no path: {error}");
        assert!(error.contains("(CORS)"), "the server is there: {error}");
    });
    // A device that knows that it has no network has no use for that.
    each(KINDS, |script| {
        let (back, page) = script.go_and_come_back(script.open(0));
        script.faults(|faults| faults.offline = true);
        let error = script.finish(script.answer_redirect(page, &back));
        assert!(
            !fails(&error, "network_error").contains("(CORS)"),
            "{error:?}"
        );
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.answer("/revoke", Scripted::Unreadable);
        let error = fails(&script.log_out(page, true), "network_error");
        assert!(error.contains("https://as.example"), "{error}");
        assert_eq!(script.session(page), None, "here it is over");
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.answer("/revoke", says(401, "", ""));
        let error = script.log_out(page, true).expect_err("it was refused");
        assert!(error.contains("revocationEndpoint"), "{error}");
        assert!(error.contains("client secret"), "{error}");
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.faults(|faults| faults.offline = true);
        let error = fails(&script.call(page), "network_error");
        assert!(error.contains("https://as.example"), "{error}");
    });
}

/// Issue 11: offline, then online behind a captive portal, then really online.
#[test]
fn a_network_that_is_down_before_anything_is_sent_loses_no_session() {
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.faults(|faults| faults.offline = true);
        fails(&script.call(page), "network_error");
        script.advance(120_000);
        script.faults(|faults| faults.offline = false);
        assert_eq!(script.call(page), Ok(200));
        assert_eq!(script.probes(), 0, "nothing was sent: there is no doubt");
    });
    // Other calls that wait for the same, at once and afterwards.
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.faults(|faults| faults.offline = true);
        let calls = [(); 3].map(|()| script.start_call(page));
        for call in calls {
            fails(&script.finish(call), "network_error");
        }
        script.advance(120_000);
        script.faults(|faults| faults.offline = false);
        let calls = [(); 3].map(|()| script.start_call(page));
        for call in calls {
            assert_eq!(script.finish(call), Ok(200));
        }
        assert_eq!(script.refreshed().len(), 1, "one renewal for all");
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.outlive();
        script.faults(|faults| faults.offline = true);
        for _ in 0..3 {
            fails(&script.call(page), "network_error");
            script.advance(120_000);
        }
        assert_eq!(script.refreshed().len() + script.probes(), 0);
        script.faults(|faults| (faults.offline, faults.captive) = (false, true));
        for _ in 0..5 {
            fails(&script.call(page), "network_error");
            script.advance(120_000);
        }
        assert!(script.session(page).is_some());
        script.faults(|faults| faults.captive = false);
        assert_eq!(script.call(page), Ok(200));
        assert_eq!(script.refreshed().len(), 1, "it arrives once");
        script.outlive();
        assert_eq!(script.call(page), Ok(200));
        assert_eq!(script.probes(), 1, "the doubt is over");
    });
}

const EIGHT_HOURS: u64 = 8 * 3_600_000;

/// Issue 11: time alone is no reason to doubt.
#[test]
fn a_long_sleep_with_nothing_sent_gives_no_doubt_and_costs_no_session() {
    for has_no_locks in [false, true] {
        each(KINDS, |script| {
            script.faults(|faults| faults.has_no_locks = has_no_locks);
            let page = script.log_in(0);
            for renewals in 1..4 {
                script.sleep(EIGHT_HOURS);
                assert_eq!(script.call(page), Ok(200));
                assert_eq!(script.refreshed().len(), renewals);
            }
            assert_eq!(script.probes(), 0);
        });
        // In the middle of a renewal, before its request has left.
        for steps in 0..16 {
            under(0..4, KINDS, |script| {
                script.faults(|faults| faults.has_no_locks = has_no_locks);
                let page = script.log_in(0);
                script.outlive();
                let call = script.start_call(page);
                let mut left = steps;
                while left > 0 && !script.is_renewing(page) {
                    assert!(script.step(), "it goes on");
                    left -= 1;
                }
                if script.is_renewing(page) {
                    return;
                }
                script.sleep(EIGHT_HOURS);
                let outcome = script.finish(call);
                if has_no_locks && outcome.is_err() {
                    // Another page may have taken its turn meanwhile, for all that anybody knows.
                    fails(&outcome, "timeout");
                } else {
                    assert_eq!(outcome, Ok(200));
                    assert_eq!(script.probes(), 0);
                }
                script.advance(120_000);
                assert_eq!(script.call(page), Ok(200));
                let mut sent = script.refreshed();
                let count = sent.len();
                sent.dedup();
                assert_eq!(sent.len(), count, "each is sent once");
            });
        }
    }
}

/// The other half: what was sent before the device slept may have arrived.
#[test]
fn a_long_sleep_with_a_renewal_under_way_gives_doubt_unless_its_answer_is_there() {
    let asleep = |script: &Script, page| {
        script.outlive();
        let call = script.start_call(page);
        while script.refreshed().is_empty() {
            assert!(script.step(), "it is sent");
        }
        script.sleep(EIGHT_HOURS);
        script.finish(call)
    };
    each(KINDS, |script| {
        let page = script.log_in(0);
        assert_eq!(asleep(&script, page), Ok(200), "the answer was there");
        assert_eq!(script.probes(), 0);
    });
    each(KINDS, |script| {
        let page = script.log_in(0);
        script.answer("/token", Scripted::Unreadable);
        fails(&asleep(&script, page), "session_indeterminate");
        let doubts = script.probes();
        assert!(doubts > 0, "the server is asked whether it is there");
        script.sleep(EIGHT_HOURS);
        assert_eq!(script.call(page), Ok(200));
        assert!(script.probes() > doubts, "and before the second sending");
        let sent = script.refreshed();
        assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    });
}

#[cfg(feature = "full")]
mod shared {
    use super::*;
    use simulation::Page;

    /// A second tab with the session of the first.
    fn join(script: &Script, tab: usize) -> Page {
        let page = script.open(tab);
        assert!(script.restore(page).is_some(), "it is shared");
        script.advance(5_000);
        page
    }

    /// B3.
    #[test]
    fn a_revocation_request_of_a_bound_token_has_a_proof_beside_it() {
        let kind = r#""dpop":true,"revocationRequest":{"method":"DELETE","url":"https://api.example/grant/{client_id}"}"#;
        each(&[kind], |script| {
            let page = script.log_in(0);
            assert_eq!(script.call(page), Ok(200));
            assert_eq!(script.log_out(page, true), Ok(()));
            let seen = script.seen();
            let last = seen.last().expect("requests");
            assert_eq!(
                (last.method.as_str(), last.url.as_str()),
                ("DELETE", "https://api.example/grant/c")
            );
            assert!(
                last.authorization.starts_with("DPoP tk.at."),
                "{}",
                last.authorization
            );
            assert!(seen.iter().all(|seen| seen.proof.split('.').count() == 3));
        });
    }

    /// Whoever sends it the second time: no answer to that allows a third.
    #[test]
    fn a_refresh_token_that_two_pages_have_sent_is_not_sent_again_though_the_second_was_refused_for_now()
     {
        let kinds = [SHARED, r#""sessionScope":"origin","keep":"device""#];
        for status in [429, 503] {
            each(&kinds, |script| {
                let first = script.log_in(0);
                let second = join(&script, 1);
                script.outlive();
                script.answer("/token", Scripted::Unreadable);
                fails(&script.call(first), "session_indeterminate");
                script.die(first);
                script.advance(5_000);
                script.answer("/token", says(status, "", ""));
                assert!(script.call(second).is_err());
                script.advance(120_000);
                let third = script.open(0);
                for page in [second, third] {
                    drop(script.start_restore(page));
                    script.advance(120_000);
                    assert!(script.call(page).is_err());
                }
                assert_eq!(script.refreshed().len(), 2);
                fails(&script.call(second), "session_indeterminate");
            });
        }
    }

    /// What was only kept has no access token: nothing is sent in its name.
    #[test]
    fn a_kept_session_that_cannot_be_renewed_takes_no_grant_back_with_an_empty_token() {
        let kind = r#""keep":"device","revocationRequest":{"method":"DELETE","url":"https://api.example/me"}"#;
        each(&[kind], |script| {
            let page = script.log_in(0);
            script.die(page);
            let next = script.open(0);
            script.answer("/token", says(503, "", ""));
            assert!(script.restore(next).is_some());
            script.answer("/token", says(503, "", ""));
            fails(&script.log_out(next, true), "server_error");
            let deleted = script.seen().iter().any(|seen| seen.method == "DELETE");
            assert!(!deleted, "{:?}", script.seen());
        });
        // Nor where the refresh token may be spent, and is not sent again for that.
        each(&[kind], |script| {
            let page = script.log_in(0);
            script.die(page);
            let next = script.open(0);
            script.answer("/token", Scripted::Unreadable);
            assert!(script.restore(next).is_some());
            fails(&script.log_out(next, true), "session_indeterminate");
            let deleted = script.seen().iter().any(|seen| seen.method == "DELETE");
            assert!(!deleted, "{:?}", script.seen());
        });
    }

    /// Found by seed 19197: the record stays where it cannot be removed, and another tab restores it.
    #[test]
    fn a_logout_that_cannot_remove_the_record_leaves_the_refresh_token_to_who_restores_it() {
        let kind = r#""keep":"device","refreshTokenReuse":false,"revocationRequest":{"method":"DELETE","url":"https://api.example/me"}"#;
        each(&[kind], |script| {
            let page = script.log_in(0);
            script.outlive();
            let before = script.refreshed().len();
            script.faults(|faults| faults.records = 1000);
            let _ = script.log_out(page, true);
            script.faults(|faults| faults.records = 0);
            // What it was is over at the provider, or is not: that is for who has the record to find out.
            let _ = script.restore(script.open(1));
            let sent = script.refreshed();
            assert_eq!(sent.len(), before + 1, "{sent:?}");
        });
    }

    /// B4: a tab that has not heard of a renewal gives back what lives, and not what is spent.
    #[test]
    fn logout_with_revoke_in_a_tab_whose_record_is_old_revokes_the_living_token() {
        each(
            &[SHARED, r#""sessionScope":"origin","keep":"tab""#],
            |script| {
                let first = script.log_in(0);
                let second = join(&script, 1);
                for renewals in 1..3 {
                    script.faults(|faults| faults.is_deaf = true);
                    script.outlive();
                    assert_eq!(script.call(first), Ok(200));
                    assert_eq!(script.refreshed().len(), renewals);
                }
                let living = script.called().last().cloned().expect("a call");
                assert_eq!(script.log_out(second, true), Ok(()));
                let spent = script.refreshed();
                let revoked = script.parameters("/revoke", "token");
                assert_eq!(revoked.len(), 1);
                assert!(!spent.contains(&revoked[0]), "{revoked:?} is spent");
                assert_eq!(script.grant_of(&revoked[0]), script.grant_of(&living));
                assert_eq!(script.refreshed(), spent, "nothing is renewed for it");
            },
        );
    }

    /// B5.
    #[test]
    fn tabs_that_log_in_at_once_agree_on_one_session() {
        each(
            &[SHARED, r#""sessionScope":"origin","keep":"device""#],
            |script| {
                let back: Vec<_> = (0..4)
                    .map(|tab| script.go_and_come_back(script.open(tab)))
                    .collect();
                let began = script.now();
                let answers: Vec<_> = back
                    .iter()
                    .map(|(back, page)| script.answer_redirect(*page, back))
                    .collect();
                for answer in answers {
                    assert!(matches!(script.finish(answer), Ok(Some(_))));
                }
                assert!(script.now() - began < 1_500, "nobody waits for another");
                script.advance(5_000);
                for (_, page) in &back {
                    assert_eq!(script.call(*page), Ok(200));
                }
                let grants: Vec<_> = script
                    .called()
                    .iter()
                    .map(|token| script.grant_of(token))
                    .collect();
                assert_eq!(grants.len(), 4);
                assert!(grants.iter().all(|grant| *grant == grants[0]), "{grants:?}");
                let alive = script.locks();
                let names: std::collections::BTreeSet<_> = alive
                    .iter()
                    .filter_map(|lock| lock.strip_prefix("oauth-wasm.alive.shared."))
                    .filter_map(|lock| lock.split_once('.').map(|(name, _)| name))
                    .collect();
                assert_eq!(names.len(), 1, "{alive:?}");
                // One renewal is for all of them.
                script.outlive();
                for (_, page) in &back {
                    assert_eq!(script.call(*page), Ok(200));
                }
                assert_eq!(script.refreshed().len(), 1);
            },
        );
    }

    /// The neighbour of B5: the tab that is asked gives up, in that very moment, the session that it answers with.
    #[test]
    fn a_tab_that_restores_while_another_logs_in_ends_with_the_newer_session() {
        let kinds = [SHARED, r#""sessionScope":"origin","keep":"device""#];
        for offset in (0..160).step_by(8) {
            under(0..8, &kinds, |script| {
                let first = script.log_in(0);
                let (back, second) = script.go_and_come_back(script.open(1));
                let third = script.open(2);
                let answering = script.answer_redirect(second, &back);
                script.advance(offset);
                let restoring = script.start_restore(third);
                assert!(matches!(script.finish(answering), Ok(Some(_))));
                assert!(script.finish(restoring).is_some());
                script.advance(5_000);
                for page in [first, second, third] {
                    assert_eq!(script.call(page), Ok(200));
                }
                let called = script.called();
                let grants: Vec<_> = called.iter().map(|token| script.grant_of(token)).collect();
                assert!(
                    grants.iter().all(|grant| *grant == grants[1]),
                    "{grants:?} after {offset} ms"
                );
            });
        }
    }

    /// What the page has is another session by then.
    #[test]
    fn a_session_that_another_login_has_replaced_is_not_said_to_end_when_its_renewal_is_refused() {
        each(&[SHARED], |script| {
            let page = script.log_in(0);
            assert_eq!(script.call(page), Ok(200));
            script.end_grant_of(&script.called()[0]);
            script.outlive();
            script.faults(|faults| faults.slow = 1_000);
            let renewing = script.start_call(page);
            while !(script.locks().iter()).any(|lock| lock.contains("renew")) {
                assert!(script.step(), "it is renewed");
            }
            script.advance(2_000);
            script.faults(|faults| faults.slow = 0);
            script.log_in(1);
            let _ = script.finish(renewing);
            script.advance(60_000);
            let events = script.events(page);
            let ended = events.iter().position(|event| event.contains(r#""ended""#));
            let other = events
                .iter()
                .position(|event| event.contains(r#""restored""#));
            assert!(ended.is_none_or(|ended| Some(ended) < other), "{events:?}");
            assert!(script.session(page).is_some());
            assert_eq!(script.call(page), Ok(200));
        });
    }

    /// B6.
    #[test]
    fn nobody_waits_for_a_tab_whose_session_could_not_be_written() {
        each(
            &[SHARED, r#""sessionScope":"origin","keep":"device""#],
            |script| {
                script.faults(|faults| faults.keeps_nothing = true);
                let first = script.log_in(0);
                assert_eq!(script.call(first), Ok(200), "it is its page's own");
                assert_eq!(script.locks(), [] as [&str; 0]);
                let second = script.open(1);
                let began = script.now();
                assert_eq!(script.restore(second), None);
                assert!(script.now() - began < 500, "{}", script.now() - began);
            },
        );
        // The same where a renewal cannot be written.
        each(&[SHARED], |script| {
            let first = script.log_in(0);
            script.outlive();
            let renewing = script.start_call(first);
            while script.refreshed().is_empty() {
                assert!(script.step(), "it is renewed");
            }
            script.faults(|faults| faults.keeps_nothing = true);
            assert_eq!(script.finish(renewing), Ok(200));
            let second = script.open(1);
            let began = script.now();
            assert_eq!(script.restore(second), None);
            assert!(script.now() - began < 500, "{}", script.now() - began);
            script.outlive();
            assert_eq!(script.call(first), Ok(200), "it goes on alone");
        });
    }

    /// A page may be left while it logs out, `location.assign` after `logout()` without `await`.
    #[test]
    fn a_logout_whose_page_is_left_at_once_is_finished_by_the_next_page_of_the_tab() {
        let kinds = [
            SHARED,
            ON_DEVICE,
            r#""keep":"tab""#,
            r#""sessionScope":"origin","keep":"device""#,
        ];
        each(&kinds, |script| {
            let page = script.log_in(0);
            assert_eq!(script.call(page), Ok(200));
            drop(script.start_logout(page, false));
            let leaving = |script: &Script| {
                let keys = script.keys(0);
                keys.iter()
                    .any(|key| key.starts_with("oauth-wasm.leaving."))
            };
            while !leaving(&script) {
                assert!(script.step(), "it is noted");
            }
            script.die(page);
            script.advance(1_000);
            assert_eq!(script.records().len(), 1, "the page had no time for it");
            let next = script.open(0);
            assert_eq!(script.restore(next), None);
            assert_eq!(script.records(), [] as [&str; 0]);
            assert!(!leaving(&script), "{:?}", script.keys(0));
            fails(&script.call(next), "login_required");
            let other = script.open(1);
            assert_eq!(script.restore(other), None, "no tab finds it");
            assert_eq!(script.refreshed(), [] as [&str; 0]);
        });
    }

    /// An application that gets an error does not go on to `restore()`: nobody else would end it.
    #[test]
    fn a_logout_whose_page_is_left_is_finished_by_a_page_that_opens_an_erroneous_response() {
        let kinds = [
            SHARED,
            ON_DEVICE,
            r#""sessionScope":"origin","keep":"device""#,
        ];
        for answer in [
            "error=access_denied",
            "code=x&state=ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ] {
            each(&kinds, |script| {
                let page = script.log_in(0);
                let other = join(&script, 1);
                drop(script.start_logout(page, false));
                while script.session(page).is_some() {
                    assert!(script.step(), "it begins");
                }
                script.die(page);
                let (back, next) = script.go_and_come_back(script.open(0));
                let (start, code) = back.split_once("code=").expect("a code");
                let (_, rest) = code.split_once('&').expect("more");
                let href = match answer.contains("state=") {
                    true => format!("{ORIGIN}/cb?{answer}"),
                    false => format!("{start}{answer}&{rest}"),
                };
                let answered = script.finish(script.answer_redirect(next, &href));
                assert!(answered.is_err(), "{answered:?}");
                script.advance(1_000);
                assert_eq!(script.records(), [] as [&str; 0]);
                assert!(
                    !(script.keys(0).iter()).any(|key| key.starts_with("oauth-wasm.leaving.")),
                    "{:?}",
                    script.keys(0)
                );
                assert_eq!(script.session(other), None, "the other tab has heard of it");
                fails(&script.call(other), "login_required");
            });
        }
    }

    /// Where a browser has no locks, the lease of who died while it restored runs for longer than anybody waits.
    #[test]
    fn a_logout_whose_page_is_left_is_finished_although_a_dead_page_holds_up_whoever_restores() {
        each(&[ON_DEVICE, r#""keep":"tab""#, SHARED], |script| {
            script.faults(|faults| faults.has_no_locks = true);
            let page = script.log_in(0);
            let dead = script.open(1);
            drop(script.start_restore(dead));
            script.advance(8);
            script.die(dead);
            drop(script.start_logout(page, false));
            while script.session(page).is_some() {
                assert!(script.step(), "it begins");
            }
            script.die(page);
            let next = script.open(0);
            assert_eq!(script.restore(next), None);
            assert_eq!(script.records(), [] as [&str; 0]);
        });
    }

    /// The other tabs hear of it then.
    #[test]
    fn a_logout_that_the_next_page_finishes_ends_the_session_in_the_other_tabs() {
        each(&[SHARED], |script| {
            let page = script.log_in(0);
            let other = join(&script, 1);
            assert_eq!(script.call(other), Ok(200));
            drop(script.start_logout(page, false));
            while script.session(page).is_some() {
                assert!(script.step(), "it begins");
            }
            script.die(page);
            let next = script.open(0);
            assert_eq!(script.restore(next), None, "it does not come back");
            script.advance(1_000);
            assert_eq!(script.session(other), None);
            fails(&script.call(other), "login_required");
            assert_eq!(script.called().len(), 1);
        });
    }
}
