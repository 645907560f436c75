use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Amount, Spent},
    spec::Currency,
};

fn list(text: &str) -> Option<Listed> {
    let words = text.split(',').map(str::to_owned).collect();
    (text != "-").then(|| Listed { variable: "LIST".to_owned(), words })
}

/// `HKD:500,USD:60`, or `-`.
fn caps(text: &str, variable: &str) -> Option<Caps> {
    let most = text.split(',').filter_map(|it| it.split_once(':'));
    let most: BTreeMap<&'static str, u64> = most
        .map(|(code, most)| (Currency::find(code).unwrap().code, most.parse().unwrap()))
        .collect();
    (text != "-").then(|| Caps { variable: variable.to_owned(), most })
}

fn amount(minor: u64, code: &str) -> Amount {
    Amount::from_minor(minor, Currency::find(code).unwrap()).unwrap()
}

fn told(violations: &[Violation]) -> String {
    let codes: Vec<&str> = violations.iter().map(|it| it.rule.word()).collect();
    if codes.is_empty() { "ok".to_owned() } else { codes.join(" ") }
}

/// One row a case: environment, opened tools, pay types, currencies, merchants ("-" is unset),
/// then what is done by whom with what => the rules that forbid it.
fn check(row: &'static str) {
    let (case, wanted) = row.split_once("=>").unwrap();
    let words: Vec<&str> = case.split_whitespace().collect();
    let [environment, tools, pay_types, currencies, mchids, action, mchid, code, currency] =
        words[..]
    else {
        panic!("{row}")
    };
    let allowlist = Allowlist {
        actions: tools.split(',').filter_map(Action::find).collect(),
        pay_types: list(pay_types),
        currencies: list(currencies),
        mchids: list(mchids),
    };
    let policy = Policy { allowlist, read_only: tools.contains("read_only"), ..Policy::default() };
    let facts = Facts {
        environment: Environment::find(environment).unwrap(),
        mchid: (mchid != "-").then_some(mchid),
        action: Action::find(action).unwrap(),
        pay_type: (code != "-").then_some(code),
        currency: (currency != "-").then_some(currency),
        money: None,
    };
    assert_eq!(told(&policy.decide(&facts)), wanted.trim(), "{row}");
}

#[rustfmt::skip]
#[test]
fn what_is_open() {
    check("simulator -              -      -   -     create_payment    m1 800201 HKD => ok");
    check("sandbox   -              -      -   -     refund            m1 800201 HKD => ok");
    check("test      -              -      -   -     create_payment    m1 800201 HKD => ok");
    check("prod      -              -      -   -     create_payment    m1 800201 HKD => tool_closed");
    check("prod      -              -      -   -     query_transaction m1 -      -   => tool_closed");
    check("prod      -              -      -   -     refund            m1 -      -   => tool_closed");
    check("prod      create_payment -      -   -     create_payment    m1 800201 HKD => ok");
    check("prod      create_payment -      -   -     refund            m1 800201 HKD => tool_closed");
    check("prod      create_payment 800201 HKD m1    create_payment    m1 800201 HKD => ok");
    check("prod      create_payment 800101 HKD m1    create_payment    m1 800201 HKD => pay_type_closed");
    check("prod      create_payment 800201 USD m1    create_payment    m1 800201 HKD => currency_closed");
    check("prod      create_payment 800201 HKD m2,m3 create_payment    m1 800201 HKD => merchant_closed");
    check("prod      refund         800201 -   -     refund            m1 unlisted HKD => pay_type_closed");
    check("prod      create_payment -      -   m2    create_payment    -  800201 HKD => merchant_closed");
    check("prod      refund         800101 USD m2    create_payment    m1 800201 HKD => tool_closed pay_type_closed currency_closed merchant_closed");
    check("test      -              800101 USD m2    create_payment    m1 800201 HKD => pay_type_closed currency_closed merchant_closed");
    check("sandbox   -              -      USD -     refund            m1 800201 HKD => currency_closed");
    check("simulator read_only      -      -   -     create_payment    m1 800201 HKD => read_only");
    check("simulator read_only      -      -   -     refund            m1 800201 HKD => read_only");
    check("simulator read_only      -      -   -     cancel_payment    m1 800201 HKD => read_only");
    check("simulator read_only      -      -   -     query_transaction m1 -      -   => ok");
    check("prod      read_only      -      -   -     refund            m1 800201 HKD => read_only tool_closed");
}

/// One row a case: what is done, the most for one, for a day ("-" is unset) and for an hour of it;
/// how much is asked for, what left today, and in the last hour => the rules that forbid it.
fn limit(row: &'static str) {
    let (case, wanted) = row.split_once("=>").unwrap();
    let words: Vec<&str> = case.split_whitespace().collect();
    let [action, one, day, hour, asked, code, today, last_hour] = words[..] else {
        panic!("{row}")
    };
    let action = Action::find(action).unwrap();
    let (one, day) = (caps(one, "ONE"), caps(day, "DAY"));
    let rate = hour.parse().ok().map(|most| Rate { variable: "HOUR".to_owned(), most });
    let limits = match action {
        Action::Refund => Limits { refund: one, refunds_per_day: day, ..Limits::default() },
        Action::CreatePayment | Action::QueryTransaction | Action::CancelPayment => Limits {
            payment: one,
            payments_per_day: day,
            payments_per_hour: rate,
            ..Limits::default()
        },
    };
    let spent =
        Spent { today_minor: today.parse().unwrap(), last_hour: last_hour.parse().unwrap() };
    let facts = Facts {
        environment: Environment::Simulator,
        mchid: None,
        action,
        pay_type: None,
        currency: None,
        money: Some((amount(asked.parse().unwrap(), code), spent)),
    };
    let policy = Policy { limits, ..Policy::default() };
    assert_eq!(told(&policy.decide(&facts)), wanted.trim(), "{row}");
}

#[rustfmt::skip]
#[test]
fn how_much() {
    //     action         one             day       hour asked      today hour
    limit("create_payment -               -         -    99999999999 HKD   0  0 => ok");
    limit("create_payment HKD:500         HKD:1000  -    500 HKD       0      0 => ok");
    limit("create_payment HKD:500         HKD:1000  -    501 HKD       0      0 => over_payment");
    limit("create_payment HKD:500         HKD:1000  -    500 HKD     500      0 => ok");
    limit("create_payment HKD:500         HKD:1000  -    500 HKD     501      0 => over_day");
    limit("create_payment HKD:500         HKD:1000  -    501 HKD     501      0 => over_payment over_day");
    limit("create_payment HKD:500         -         -    501 HKD  999999      0 => over_payment");
    limit("create_payment -               HKD:1000  -    501 HKD     501      0 => over_day");
    limit("create_payment HKD:500,USD:60  HKD:1000  -    60 USD        0      0 => no_limit");
    limit("create_payment HKD:500         HKD:1000  -    1 USD         0      0 => no_limit no_limit");
    limit("create_payment HKD:500,USD:60  -         -    61 USD        0      0 => over_payment");
    limit("create_payment -               -         3    1 HKD         0      2 => ok");
    limit("create_payment -               -         3    1 HKD         0      3 => over_hour");
    limit("create_payment HKD:500         HKD:1000  3    501 HKD     501      3 => over_payment over_day over_hour");
    limit("refund         HKD:500         HKD:1000  -    501 HKD     501      0 => over_refund over_day");
    limit("refund         -               -         3    1 HKD         0      9 => ok");
    limit("create_payment HKD:500         HKD:1000  -    1 HKD 18446744073709551615 0 => over_day");
}

/// One row a case: `QFPAY_CONFIRM`, the environment, whether refunds are limited => whether a
/// person is asked, and whether a card may be voided without.
#[rustfmt::skip]
#[test]
fn who_is_asked() {
    for row in [
        "always simulator no  => asks",
        "always sandbox   no  => asks",
        "money  simulator no  => - voids",
        "money  simulator yes => -",
        "money  sandbox   no  => - voids",
        "money  test      no  => asks",
        "money  prod      yes => asks",
        "never  test      no  => - voids",
        "never  test      yes => -",
        "never  prod      no  => -",
    ] {
        let (case, wanted) = row.split_once("=>").unwrap();
        let words: Vec<&str> = case.split_whitespace().collect();
        let [confirm, environment, limited] = words[..] else { panic!("{row}") };
        let refund = caps(if limited == "yes" { "HKD:1" } else { "-" }, "ONE");
        let limits = Limits { refund, ..Limits::default() };
        let policy =
            Policy { limits, confirm: Confirm::find(confirm).unwrap(), ..Policy::default() };
        let environment = Environment::find(environment).unwrap();
        let asks = if policy.asks(environment) { "asks" } else { "-" };
        let voids = if policy.voids(environment) { " voids" } else { "" };
        assert_eq!(format!("{asks}{voids}"), wanted.trim(), "{row}");
    }
}

#[test]
fn a_violation_says_what_was_asked_what_is_left_and_which_variable_to_change() {
    let policy = Policy {
        allowlist: Allowlist { currencies: list("HKD,USD"), ..Allowlist::default() },
        limits: Limits {
            refund: caps("JPY:500", "QFPAY_PROD_MAX_REFUND"),
            refunds_per_day: caps("JPY:10000,HKD:1", "QFPAY_PROD_MAX_REFUND_PER_DAY"),
            ..Limits::default()
        },
        read_only: true,
        confirm: Confirm::Money,
    };
    let facts = Facts {
        environment: Environment::Prod,
        mchid: None,
        action: Action::Refund,
        pay_type: None,
        currency: Some("JPY"),
        money: Some((amount(2000, "JPY"), Spent { today_minor: 9000, last_hour: 7 })),
    };
    let said: Vec<String> = policy
        .decide(&facts)
        .into_iter()
        .map(|it| format!("{} {} {}: {}", it.rule, it.field, it.variable, it.message))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    read_only - QFPAY_READ_ONLY: `refund` is switched off, because QFPAY_READ_ONLY is set; an operator can unset it
    tool_closed - QFPAY_PROD_ALLOW: `refund` is not open in production; an operator can add `refund` to QFPAY_PROD_ALLOW
    currency_closed currency LIST: currency `JPY` is not open in production (open: HKD, USD); an operator can add it to LIST
    over_refund amount QFPAY_PROD_MAX_REFUND: JPY 2,000 was asked for, and one refund may be at most JPY 500; an operator can raise QFPAY_PROD_MAX_REFUND
    over_day amount QFPAY_PROD_MAX_REFUND_PER_DAY: JPY 2,000 was asked for, and JPY 1,000 is left today of JPY 10,000 a day for refunds; an operator can raise QFPAY_PROD_MAX_REFUND_PER_DAY
    ");
}

#[test]
fn only_what_asks_and_never_moves_is_left_in_read_only_mode() {
    let reads: Vec<&str> =
        Action::ALL.into_iter().filter(|it| !it.writes()).map(Action::name).collect();
    assert_eq!(reads, ["query_transaction"]);
}

#[test]
fn the_policy_reads_as_plain_sentences() {
    let say = |policy: &Policy, environment| policy.sentences(environment, Some("m1")).join("\n");
    insta::assert_snapshot!(say(&Policy::default(), Environment::Simulator), @"
    In the simulator an agent may create payments of any amount, without a limit a day; nobody is asked.
    In the simulator an agent may look payments up and wait for them.
    In the simulator an agent may refund payments of any amount, without a limit a day; nobody is asked.
    In the simulator an agent may end orders that are not paid yet, and void cards that were paid today; nobody is asked.
    ");
    insta::assert_snapshot!(say(&Policy::default(), Environment::Prod), @"
    In production an agent may not create payments.
    In production an agent may not look payments up and wait for them.
    In production an agent may not refund payments.
    In production an agent may not end orders that are not paid yet.
    ");
    let policy = Policy {
        allowlist: Allowlist {
            actions: vec![Action::CreatePayment, Action::QueryTransaction, Action::Refund],
            pay_types: list("800101,800201"),
            currencies: list("HKD,USD"),
            mchids: list("m1"),
        },
        limits: Limits {
            payment: caps("HKD:500000,USD:60000", ""),
            payments_per_day: caps("HKD:5000000,USD:600000", ""),
            payments_per_hour: Some(Rate { variable: String::new(), most: 20 }),
            refund: caps("HKD:100000", ""),
            refunds_per_day: caps("HKD:200000", ""),
        },
        read_only: false,
        confirm: Confirm::Money,
    };
    insta::assert_snapshot!(say(&policy, Environment::Prod), @"
    In production an agent may create payments up to HKD 5,000.00 or USD 600.00 each, HKD 50,000.00 or USD 6,000.00 a day, 20 an hour, by 800101 and 800201, in HKD and USD; each needs a person's yes.
    In production an agent may look payments up and wait for them.
    In production an agent may refund payments up to HKD 1,000.00 each, HKD 2,000.00 a day, by 800101 and 800201, in HKD; each needs a person's yes.
    In production an agent may not end orders that are not paid yet.
    Only the merchant m1 may be used.
    ");
    assert!(policy.asks_about_anything(Environment::Prod, Some("m1")));
    // Another merchant's, and limits that no currency stands in together.
    assert!(!policy.asks_about_anything(Environment::Prod, Some("m2")));
    let torn = Policy {
        limits: Limits { payment: caps("JPY:5", ""), ..policy.limits.clone() },
        ..policy.clone()
    };
    let told: Vec<String> = torn.sentences(Environment::Prod, Some("m2"));
    insta::assert_snapshot!(told.join("\n"), @"
    In production an agent may not create payments.
    In production an agent may not look payments up and wait for them.
    In production an agent may not refund payments.
    In production an agent may not end orders that are not paid yet.
    Only the merchant m1 may be used, and this one is another.
    ");
    let told = torn.sentences(Environment::Prod, Some("m1")).remove(0);
    insta::assert_snapshot!(told, @"In production an agent may not create payments: no currency is named by every list and limit.");
    let closed = Policy { read_only: true, confirm: Confirm::Never, ..policy };
    insta::assert_snapshot!(say(&closed, Environment::Test), @"
    In `test` an agent may not create payments.
    In `test` an agent may look payments up and wait for them.
    In `test` an agent may not refund payments.
    In `test` an agent may not end orders that are not paid yet.
    QFPAY_READ_ONLY is set: the tools that write are not offered.
    Only the merchant m1 may be used.
    ");
}

proptest! {
    /// The ledger holds the sums that the policy tells: the two must never disagree.
    #[test]
    fn what_the_ledger_lets_through_is_what_the_policy_allows(
        most in 0..2_000_u64, hour in 0..5_u64, asked in 1..2_000_u64, today in 0..2_000_u64,
        last_hour in 0..5_u64, limited in any::<(bool, bool)>(),
    ) {
        let spent = Spent { today_minor: today, last_hour };
        let day = caps(&format!("HKD:{most}"), "DAY").filter(|_| limited.0);
        let rate = Rate { variable: "HOUR".to_owned(), most: hour };
        let limits = Limits {
            payments_per_day: day,
            payments_per_hour: Some(rate).filter(|_| limited.1),
            ..Limits::default()
        };
        let asked = amount(asked, "HKD");
        let budget = limits.budget(Action::CreatePayment, asked, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        let allowed = limits.decide(Action::CreatePayment, asked, spent).is_empty();
        prop_assert_eq!(budget.is_none_or(|it| it.allows(asked.minor(), spent)), allowed);
    }
}

#[test]
fn a_day_begins_on_the_merchants_clock() {
    let limits = Limits { payments_per_day: caps("HKD:1", "DAY"), ..Limits::default() };
    let zone = TimeZone::get("Asia/Hong_Kong").unwrap();
    for (now, began) in [
        ("2026-11-25T15:59:59Z", "2026-11-24T16:00:00Z"),
        ("2026-11-25T16:00:00Z", "2026-11-25T16:00:00Z"),
    ] {
        let budget =
            limits.budget(Action::CreatePayment, amount(1, "HKD"), now.parse().unwrap(), &zone);
        assert_eq!(budget.unwrap().day_start, began.parse::<Timestamp>().unwrap());
    }
}
