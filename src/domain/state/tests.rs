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
    intended | send: sent | not_sent: - | lost: - | accepted: pending | paid: paid | refused: - | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    sent | send: - | not_sent: intended | lost: in_doubt | accepted: pending | paid: paid | refused: failed | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    pending | send: - | not_sent: - | lost: pending | accepted: pending | paid: paid | refused: failed | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    in_doubt | send: - | not_sent: - | lost: in_doubt | accepted: pending | paid: paid | refused: failed | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    paid | send: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: - | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    failed | send: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: failed | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    closed | send: - | not_sent: - | lost: - | accepted: - | paid: paid | refused: - | closed: closed | refunded_in_part: partially_refunded | refunded_in_full: refunded
    partially_refunded | send: - | not_sent: - | lost: - | accepted: - | paid: - | refused: - | closed: - | refunded_in_part: partially_refunded | refunded_in_full: refunded
    refunded | send: - | not_sent: - | lost: - | accepted: - | paid: - | refused: - | closed: - | refunded_in_part: - | refunded_in_full: refunded
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
        let sends = state.on(PaymentEvent::Send).is_ok();
        assert_eq!(sends, *state == PaymentState::Intended, "{state}");
        let resets = state.on(PaymentEvent::NotSent).is_ok();
        assert_eq!(resets, *state == PaymentState::Sent, "{state}");
    }
    for state in RefundState::ALL {
        assert_eq!(state.on(RefundEvent::Send).is_ok(), *state == RefundState::Intended, "{state}");
        assert_eq!(state.on(RefundEvent::NotSent).is_ok(), *state == RefundState::Sent, "{state}");
    }
}
