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
    insta::assert_snapshot!(matrix(PaymentState::ALL, PaymentEvent::ALL, PaymentState::on), @"");
}

#[test]
fn the_refund_machine() {
    insta::assert_snapshot!(matrix(RefundState::ALL, RefundEvent::ALL, RefundState::on), @"");
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
