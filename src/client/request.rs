//! From terms to the parameters of a request, one function an endpoint.
//!
//! Source: contract §1.1–1.3. `mchid` is added by the sender, which knows the merchant.
use jiff::{Timestamp, tz::TimeZone};

use super::{Query, params::Params};
use crate::{
    domain::{Ending, OrderNumber, PaymentTerms, RefundTerms, Syssn, time},
    spec::Field,
};

/// What a checkout page is told of its origin; it must end in `_checkout`, and the older document
/// has room for twelve characters.
const PAY_SOURCE: &str = "mcp_checkout";

/// The parameters of `POST /trade/v1/payment`.
pub fn payment(
    order: &OrderNumber,
    terms: &PaymentTerms,
    at: Timestamp,
    zone: &TimeZone,
) -> Params {
    let mut params = Params::default();
    params.set("txamt", terms.amount.minor().to_string());
    params.set("txcurrcd", terms.amount.currency().code);
    params.set("pay_type", terms.pay_type.code);
    params.set("out_trade_no", order.as_str());
    params.set("txdtm", time::wire(at, zone));
    for (field, value) in &terms.extras {
        params.set(field.name(), value.as_str());
    }
    params
}

/// The parameters of a checkout page, but for what its [`address`](super::checkout::address) adds.
/// There the merchant is `mchntid`, which the caller adds, and the payer chooses how to pay
/// (contract §1.6). `at` is when it is offered; from there its time runs.
pub fn checkout(
    order: &OrderNumber,
    terms: &PaymentTerms,
    at: Timestamp,
    zone: &TimeZone,
) -> Params {
    let mut params = Params::default();
    params.set("paysource", PAY_SOURCE);
    params.set("txamt", terms.amount.minor().to_string());
    params.set("txcurrcd", terms.amount.currency().code);
    params.set("out_trade_no", order.as_str());
    params.set("txdtm", time::wire(at, zone));
    // Where there is one address only, it serves both.
    let back = terms.extras.get(&Field::ReturnUrl).cloned().unwrap_or_default();
    params.set(Field::FailedUrl.name(), back);
    let own = terms.extras.iter().filter(|(field, _)| **field != Field::ExpiredTime);
    for (field, value) in own {
        params.set(field.name(), value.as_str());
    }
    // Unix milliseconds: minutes would count from who knows when.
    let ends = terms.expires_at(at).map(|it| it.as_millisecond().to_string());
    params.set("checkout_expired_time", ends.unwrap_or_default());
    params
}

/// The parameters of `POST /trade/v1/refund`: the payment's `syssn`, and a number of its own.
pub fn refund(number: &OrderNumber, terms: &RefundTerms, at: Timestamp, zone: &TimeZone) -> Params {
    let mut params = Params::default();
    params.set("syssn", terms.syssn.as_str());
    params.set("out_trade_no", number.as_str());
    params.set("txamt", terms.amount.minor().to_string());
    params.set("txdtm", time::wire(at, zone));
    params
}

/// The parameters of `POST /trade/v1/reversal` and `/trade/v1/close`: `txdtm` is the order's own
/// (contract §1.4).
pub fn cancel(ending: &Ending) -> Params {
    let mut params = Params::default();
    match &ending.syssn {
        Some(syssn) => params.set("syssn", syssn.as_str()),
        None => params.set("out_trade_no", ending.number.as_str()),
    }
    params.set("txamt", ending.amount.minor().to_string());
    params.set("txdtm", time::format_wire(ending.made_at));
    params
}

/// The parameters of `POST /trade/v1/query`. Windows are in QFPay's time, UTC+8.
pub fn query(query: &Query) -> Params {
    let mut params = Params::default();
    let orders: Vec<&str> = query.orders.iter().map(OrderNumber::as_str).collect();
    let syssns: Vec<&str> = query.syssns.iter().map(Syssn::as_str).collect();
    params.set("out_trade_no", orders.join(","));
    params.set("syssn", syssns.join(","));
    if let Some(window) = query.window {
        params.set("start_time", time::format_wire(window.start));
        params.set("end_time", time::format_wire(window.end));
    }
    params.set("pay_type", query.pay_type.clone().unwrap_or_default());
    params.set("respcd", query.respcd.clone().unwrap_or_default());
    params.set("page", query.page.map(|it| it.to_string()).unwrap_or_default());
    params.set("page_size", query.page_size.map(|it| it.to_string()).unwrap_or_default());
    params
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        client::sign::canonical,
        domain::{Amount, time::Window},
        spec::{Currency, PayType},
    };

    fn at() -> Timestamp {
        "2026-11-23T06:30:05Z".parse().unwrap()
    }

    #[test]
    fn a_payment_has_its_terms_and_no_blanks() {
        let extras = BTreeMap::from([
            (Field::GoodsName, "咖啡".to_owned()),
            (Field::NotifyUrl, String::new()),
        ]);
        let amount = Amount::from_minor(1050, Currency::find("HKD").unwrap()).unwrap();
        let pay_type = PayType::find("800201").unwrap();
        let terms = PaymentTerms { amount, pay_type, extras };
        let params = payment(&"A1".parse().unwrap(), &terms, at(), &time::qfpay_zone());
        insta::assert_snapshot!(canonical(params.iter()), @"goods_name=咖啡&out_trade_no=A1&pay_type=800201&txamt=1050&txcurrcd=HKD&txdtm=2026-11-23 14:30:05");
    }

    #[test]
    fn a_refund_names_the_payment_by_its_syssn_and_itself_by_a_new_number() {
        let amount = Amount::from_minor(50, Currency::find("HKD").unwrap()).unwrap();
        let order = Some("A1".parse().unwrap());
        let terms = RefundTerms { order, syssn: "2026".parse().unwrap(), amount };
        let params = refund(&"A1R1".parse().unwrap(), &terms, at(), &time::qfpay_zone());
        insta::assert_snapshot!(canonical(params.iter()), @"out_trade_no=A1R1&syssn=2026&txamt=50&txdtm=2026-11-23 14:30:05");
    }

    #[test]
    fn a_query_sends_what_narrows_it_and_nothing_else() {
        let nothing = query(&Query::default());
        assert_eq!(canonical(nothing.iter()), "");
        let params = query(&Query {
            orders: vec!["A1".parse().unwrap(), "A2".parse().unwrap()],
            window: Some(Window::month_of(jiff::civil::date(2026, 2, 3))),
            page: Some(2),
            ..Query::default()
        });
        insta::assert_snapshot!(canonical(params.iter()), @"end_time=2026-02-28 23:59:59&out_trade_no=A1,A2&page=2&start_time=2026-02-01 00:00:00");
    }
}
