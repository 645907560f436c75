use std::fmt;

use super::*;

/// Every state against every event: the whole machine on one screen.
fn matrix<S: Copy + fmt::Display, E: Copy + fmt::Display>(
    states: &[S],
    events: &[E],
    on: impl Fn(S, E) -> Result<S, InvalidTransition>,
) -> String {
    let rows = states.iter().map(|state| {
        let cells = events.iter().map(|event| {
            let to = on(*state, *event).map_or_else(|_| "-".to_owned(), |to| to.to_string());
            format!("{event}: {to}")
        });
        format!("{state} | {}", cells.collect::<Vec<_>>().join(" | "))
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_payment_machine() {
    insta::assert_snapshot!(matrix(PaymentState::ALL, PaymentEvent::ALL, PaymentState::on), @"
    intended | send: sent | offer: awaiting_payer | not_sent: - | lost: - | accepted: pending | paid: paid | refused: - | attempt_failed: - | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    sent | send: - | offer: - | not_sent: intended | lost: in_doubt | accepted: pending | paid: paid | refused: failed | attempt_failed: - | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    awaiting_payer | send: - | offer: - | not_sent: - | lost: in_doubt | accepted: pending | paid: paid | refused: failed | attempt_failed: awaiting_payer | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    pending | send: - | offer: - | not_sent: - | lost: pending | accepted: pending | paid: paid | refused: failed | attempt_failed: awaiting_payer | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    in_doubt | send: - | offer: - | not_sent: - | lost: in_doubt | accepted: pending | paid: paid | refused: failed | attempt_failed: awaiting_payer | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    paid | send: - | offer: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: - | attempt_failed: - | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    failed | send: - | offer: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: failed | attempt_failed: - | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    closed | send: - | offer: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: - | attempt_failed: - | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    partially_refunded | send: - | offer: - | not_sent: - | lost: - | accepted: - | paid: - | refused: - | attempt_failed: - | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    refunded | send: - | offer: - | not_sent: - | lost: - | accepted: - | paid: - | refused: - | attempt_failed: - | closed: - | refunded_in_part: - | refunded_in_full: refunded
    ");
}

#[test]
fn the_refund_machine() {
    insta::assert_snapshot!(matrix(RefundState::ALL, RefundEvent::ALL, RefundState::on), @"
    intended | send: sent | not_sent: - | lost: - | accepted: - | refunded: refunded | refused: -
    sent | send: - | not_sent: intended | lost: in_doubt | accepted: pending | refunded: refunded | refused: failed
    pending | send: - | not_sent: - | lost: pending | accepted: pending | refunded: refunded | refused: failed
    in_doubt | send: - | not_sent: - | lost: in_doubt | accepted: pending | refunded: refunded | refused: failed
    refunded | send: - | not_sent: - | lost: - | accepted: - | refunded: refunded | refused: -
    failed | send: - | not_sent: - | lost: - | accepted: - | refunded: refunded | refused: failed
    ");
}

#[test]
fn nothing_leads_back_to_send_but_what_surely_did_not_arrive() {
    for state in PaymentState::ALL {
        for begins in [PaymentEvent::Send, PaymentEvent::Offer] {
            assert_eq!(state.on(begins).is_ok(), *state == PaymentState::Intended, "{state}");
        }
        let resets = state.on(PaymentEvent::NotSent).is_ok();
        assert_eq!(resets, *state == PaymentState::Sent, "{state}");
    }
    for state in RefundState::ALL {
        assert_eq!(state.on(RefundEvent::Send).is_ok(), *state == RefundState::Intended, "{state}");
        assert_eq!(state.on(RefundEvent::NotSent).is_ok(), *state == RefundState::Sent, "{state}");
    }
}

/// What is over stays over, but for money that moves after all: a payment that arrived late, and
/// its way back.
#[test]
fn from_what_is_over_only_these_arrows_lead_on() {
    let mut arrows = Vec::new();
    for state in PaymentState::ALL.iter().filter(|it| !it.is_open()) {
        arrows.extend(leaving(*state, PaymentEvent::ALL, PaymentState::on));
    }
    insta::assert_snapshot!(arrows.join("\n"), @r"
    paid -> partially_refunded (refunded_in_part)
    paid -> refunded (refunded_in_full)
    failed -> paid (paid)
    failed -> partially_refunded (refunded_in_part)
    failed -> refunded (refunded_in_full)
    closed -> paid (paid)
    closed -> partially_refunded (refunded_in_part)
    closed -> refunded (refunded_in_full)
    partially_refunded -> refunded (refunded_in_full)
    ");
    let mut arrows = Vec::new();
    for state in RefundState::ALL.iter().filter(|it| !it.is_open()) {
        arrows.extend(leaving(*state, RefundEvent::ALL, RefundState::on));
    }
    insta::assert_snapshot!(arrows.join("\n"), @"failed -> refunded (refunded)");
}

/// The arrows that lead from `state` to another, `intended` left out: nothing of it has left.
fn leaving<S: Copy + fmt::Display + PartialEq, E: Copy + fmt::Display>(
    state: S,
    events: &[E],
    on: impl Fn(S, E) -> Result<S, InvalidTransition>,
) -> Vec<String> {
    if state.to_string() == "intended" {
        return Vec::new();
    }
    let to = |event: &E| on(state, *event).ok().filter(|to| *to != state);
    events.iter().filter_map(|it| Some(format!("{state} -> {} ({it})", to(it)?))).collect()
}

/// However they come, events never take a received payment out of "received", nor a made refund
/// back.
#[test]
fn money_that_moved_is_never_argued_away() {
    for state in PaymentState::ALL.iter().filter(|it| it.was_paid()) {
        for event in PaymentEvent::ALL {
            assert!(
                state.on(*event).is_ok_and(PaymentState::was_paid) || state.on(*event).is_err()
            );
        }
    }
    for event in RefundEvent::ALL {
        let after = RefundState::Refunded.on(*event).unwrap_or(RefundState::Refunded);
        assert_eq!(after, RefundState::Refunded, "{event}");
    }
}
