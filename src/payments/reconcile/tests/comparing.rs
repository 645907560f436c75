use jiff::{Span, civil::date};
use proptest::prelude::*;

use crate::{
    domain::{Amount, PaymentState, RefundState},
    payments::reconcile::{
        compare::{Report, compare},
        difference::Difference,
        sides::{Ours, Status, Theirs},
        totals::Sums,
    },
    spec::{Currency, PayType},
};

fn hkd(minor: u64) -> Amount {
    Amount::from_minor(minor, Currency::find("HKD").unwrap()).unwrap()
}

fn time(hours: i64) -> jiff::civil::DateTime {
    date(2026, 11, 23).at(0, 0, 0, 0).checked_add(Span::new().hours(hours)).unwrap()
}

const QR: &str = "800201";

/// An entry of noon.
fn ours(number: &str, status: Status) -> Ours {
    let refund = matches!(status, Status::Refund(_));
    Ours {
        number: number.parse().unwrap(),
        status,
        amount: hkd(1000),
        pay_type: PayType::find(QR).filter(|_| !refund),
        syssn: format!("S{number}").parse().ok(),
        original: if refund { "SA1".parse().ok() } else { None },
        order: if refund { "A1".parse().ok() } else { None },
        asked_at: time(12),
    }
}

fn payment(number: &str, state: PaymentState) -> Ours {
    ours(number, Status::Payment(state))
}

fn refund(number: &str, state: RefundState) -> Ours {
    ours(number, Status::Refund(state))
}

/// The record that QFPay has of an entry if both agree.
fn record(ours: &Ours) -> Theirs {
    Theirs {
        number: Some(ours.number.clone()),
        label: ours.number.to_string(),
        status: ours.status,
        amount: Some(ours.amount),
        pay_type: ours.pay_type.or(PayType::find(QR)),
        syssn: ours.syssn.clone(),
        original: ours.original.clone(),
        made_at: Some(ours.asked_at),
        reversed: false,
    }
}

fn compared(ours: &[Ours], theirs: &[Theirs]) -> Report {
    compare(ours, theirs, &(time(0)..time(24)))
}

fn lines(ours: &[Ours], theirs: &[Theirs]) -> Vec<String> {
    compared(ours, theirs).differences.iter().map(Difference::sentence).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_differs_is_told_in_a_sentence_the_worst_first() {
    let all = [
        payment("A1", PaymentState::Paid),
        payment("A2", PaymentState::Pending),
        payment("A3", PaymentState::Paid),
        payment("A4", PaymentState::Paid),
        payment("A5", PaymentState::Paid),
        refund("R1", RefundState::Refunded),
    ];
    let mut theirs: Vec<Theirs> = all.iter().map(record).collect();
    theirs[1].status = Status::Payment(PaymentState::Paid);
    theirs[2].amount = Some(hkd(1001));
    theirs[3].pay_type = PayType::find("800101");
    theirs[5].original = "SA4".parse().ok();
    theirs.remove(4);
    theirs.push(Theirs { syssn: "S9".parse().ok(), ..theirs[0].clone() });
    let elsewhere =
        Theirs { label: "R9".to_owned(), ..record(&refund("R9", RefundState::Pending)) };
    theirs.push(elsewhere);
    insta::assert_snapshot!(lines(&all, &theirs).join("\n"), @"
    QFPay received several payments under A1: HKD 10.00 and HKD 10.00.
    The payment A5 of HKD 10.00 is `paid` here, and QFPay has no record of it.
    The payment A3 is of HKD 10.00 here and of HKD 10.01 at QFPay.
    The payment A2 of HKD 10.00 is `pending` here and `paid` at QFPay.
    The refund R1 is of trade SA1 here and of SA4 at QFPay.
    The payment A4 is by 800201 here and by 800101 at QFPay.
    QFPay has the refund R9 of payment A1 of HKD 10.00 (`pending`); our ledger has not.
    ");
}

#[test]
fn what_surely_moved_no_money_is_no_difference() {
    let all = [
        payment("A1", PaymentState::Failed),
        payment("A2", PaymentState::Closed),
        payment("A3", PaymentState::Intended),
        refund("R1", RefundState::Failed),
    ];
    assert_eq!(lines(&all, &[]), NOTHING);
    let theirs: Vec<Theirs> = all.iter().map(record).collect();
    assert_eq!(lines(&[], &theirs), NOTHING);
    let closed = payment("A1", PaymentState::Closed);
    assert_eq!(lines(&all[..1], &[record(&closed)]), NOTHING, "failed or closed is the same money");
    let paid = record(&payment("A1", PaymentState::Paid));
    assert_eq!(lines(&all[..1], &[paid]).len(), 1, "failed here and paid there is not");
}

#[test]
fn a_checkout_page_is_no_order_until_somebody_pays_on_it() {
    let page =
        Ours { pay_type: PayType::find("802801"), ..payment("A1", PaymentState::AwaitingPayer) };
    let compared = |record: &[Theirs]| lines(std::slice::from_ref(&page), record);
    assert_eq!(compared(&[]), NOTHING);
    assert_eq!(compared(&[record(&payment("A1", PaymentState::Failed))]), NOTHING);
    let paid = record(&payment("A1", PaymentState::Paid));
    insta::assert_snapshot!(compared(&[paid]).join("\n"), @"The payment A1 of HKD 10.00 is `awaiting_payer` here and `paid` at QFPay.");
}

#[test]
fn a_failed_try_beside_the_one_that_was_paid_is_none_either() {
    let paid = payment("A1", PaymentState::Paid);
    let tried = Theirs { syssn: "S9".parse().ok(), ..record(&payment("A1", PaymentState::Failed)) };
    assert_eq!(lines(std::slice::from_ref(&paid), &[tried, record(&paid)]), NOTHING);
}

#[test]
fn a_second_payment_that_was_given_back_is_not_one_too_many() {
    let paid = payment("A1", PaymentState::Paid);
    let back = record(&payment("A1", PaymentState::Refunded));
    let back = Theirs { syssn: "S9".parse().ok(), ..back };
    assert_eq!(lines(std::slice::from_ref(&paid), &[back, record(&paid)]), NOTHING);
}

#[test]
fn money_under_our_number_that_is_not_of_our_amount_is_told_whatever_else_there_is() {
    let open = payment("A1", PaymentState::Pending);
    let other = record(&payment("A1", PaymentState::Paid));
    let other = Theirs { syssn: "S9".parse().ok(), amount: Some(hkd(2000)), ..other };
    let told = lines(std::slice::from_ref(&open), &[record(&open), other]);
    assert_eq!(told, ["The payment A1 is of HKD 10.00 here and of HKD 20.00 at QFPay."]);
}

#[test]
fn a_record_belongs_to_its_own_day_and_what_has_none_to_the_day_it_was_asked_for() {
    let at = |hours| Ours { asked_at: time(hours), ..payment("A1", PaymentState::Paid) };
    let made = |hours| Theirs { made_at: Some(time(hours)), ..record(&at(12)) };
    for (asked, recorded, belongs) in [(12, 12, true), (-1, 0, true), (23, 24, false)] {
        let done = compared(&[at(asked)], &[made(recorded)]);
        assert_eq!(done.differences, []);
        assert_eq!((done.entries, done.records), (usize::from(belongs), usize::from(belongs)));
    }
    assert_eq!(lines(&[at(23)], &[]).len(), 1);
    assert_eq!(lines(&[at(24)], &[]), NOTHING);
    assert_eq!(lines(&[], &[made(24)]), NOTHING);
}

#[test]
fn a_number_that_only_looks_like_ours_is_not_ours() {
    let paid = payment("A1", PaymentState::Paid);
    let odd = Theirs { number: None, syssn: "S9".parse().ok(), ..record(&paid) };
    let told = lines(std::slice::from_ref(&paid), &[record(&paid), odd]);
    assert_eq!(told, ["QFPay has the payment A1 of HKD 10.00 (`paid`); our ledger has not."]);
}

#[test]
fn of_a_payers_code_qfpay_names_the_wallet_and_that_is_where_it_counts() {
    let code = Ours { pay_type: PayType::find("800008"), ..payment("A1", PaymentState::Paid) };
    let wallet = Theirs { pay_type: PayType::find("800108"), ..record(&code) };
    let done = compared(&[code], &[wallet]);
    assert_eq!(done.differences, []);
    let [total] = done.totals.as_slice() else { panic!("{:?}", done.totals) };
    assert_eq!((total.pay_type.map(|it| it.code), total.here), (Some("800108"), total.there));
}

#[test]
fn totals_count_what_came_in_and_what_went_back_on_each_side() {
    let all = [
        payment("A1", PaymentState::PartiallyRefunded),
        payment("A2", PaymentState::Refunded),
        payment("A3", PaymentState::Pending),
        Ours { amount: hkd(250), ..refund("R1", RefundState::Refunded) },
    ];
    let mut theirs: Vec<Theirs> = all.iter().map(record).collect();
    // A2 was reversed, which leaves no refund behind.
    theirs[1].reversed = true;
    let done = compared(&all, &theirs);
    let sums = Sums { payments: 2, paid: 2000, refunds: 2, refunded: 1250 };
    let [total] = done.totals.as_slice() else { panic!("{:?}", done.totals) };
    assert_eq!((total.here, total.there), (sums, sums));
    assert_eq!(sums.net_text(total.currency), "HKD 7.50");
    let lost = Sums { paid: 0, ..sums };
    assert_eq!(lost.net_text(total.currency), "-HKD 12.50");
}

/// Ways to make one order differ, each with the word of what is found.
const PLANTS: [&str; 5] = ["missing_at_qfpay", "missing_here", "amount", "status", "paid_twice"];

proptest! {
    /// Whatever is planted is found under its number and its name, and nothing else is.
    #[test]
    fn what_is_planted_is_found_and_nothing_else(
        orders in prop::collection::vec((0..PaymentState::ALL.len(), 0..=PLANTS.len()), 0..40),
    ) {
        let (mut here, mut there, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, (state, plant)) in orders.into_iter().enumerate() {
            let entry = payment(&format!("A{nth:02}"), PaymentState::ALL[state]);
            let same = record(&entry);
            let (counts, held) = (entry.status.counts(), entry.status.is_held());
            let word = PLANTS.get(plant).copied().unwrap_or_default();
            let planted = match word {
                "missing_at_qfpay" => counts && !entry.status.awaits(),
                "missing_here" => counts,
                "amount" => true,
                "status" => entry.status != Status::Payment(PaymentState::Paid),
                "paid_twice" => held,
                _ => false,
            };
            if planted {
                wanted.push(format!("{word} {}", entry.number));
            }
            match word {
                "missing_at_qfpay" => here.push(entry),
                "missing_here" => there.push(same),
                _ => {
                    let (paid, other) = (Status::Payment(PaymentState::Paid), "S9".parse().ok());
                    there.push(match word {
                        "amount" => Theirs { amount: Some(hkd(1001)), ..same.clone() },
                        "status" => Theirs { status: paid, ..same.clone() },
                        _ => same.clone(),
                    });
                    if word == "paid_twice" && held {
                        there.push(Theirs { syssn: other, ..same });
                    }
                    here.push(entry);
                }
            }
        }
        let found = compared(&here, &there).differences;
        let mut found: Vec<String> =
            found.iter().map(|it| format!("{} {}", it.what, it.number)).collect();
        found.sort();
        wanted.sort();
        prop_assert_eq!(found, wanted);
    }
}
