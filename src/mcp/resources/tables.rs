//! The tables of QFPay's documents, in brief.
use serde::Serialize;

use super::{super::tools::OneWay, json};
use crate::spec::{
    CURRENCIES, Environment, Money, PAY_TYPES, RESP_CODES, environments::ENVIRONMENTS,
};

#[derive(Serialize)]
struct OneCode {
    respcd: &'static str,
    meaning: &'static str,
    category: &'static str,
}

#[derive(Serialize)]
struct OneCurrency {
    code: &'static str,
    name: &'static str,
    /// How many minor units make one: 100 for HKD, 1 for JPY.
    minor_units: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    caution: &'static str,
}

#[derive(Serialize)]
struct OneEnvironment {
    name: &'static str,
    meaning: &'static str,
    real_money: bool,
    in_force: bool,
}

pub(super) fn pay_types() -> String {
    json(&PAY_TYPES.iter().map(|it| OneWay::new(it, false)).collect::<Vec<_>>())
}

pub(super) fn currencies() -> String {
    let one = |it: &crate::spec::Currency| OneCurrency {
        code: it.code,
        name: it.name,
        minor_units: it.minor_per_major(),
        caution: it.caution,
    };
    json(&CURRENCIES.iter().map(one).collect::<Vec<_>>())
}

pub(super) fn response_codes() -> String {
    let one = |it: &crate::spec::RespCode| OneCode {
        respcd: it.code,
        meaning: it.en,
        category: it.reading.category.word(),
    };
    json(&RESP_CODES.iter().map(one).collect::<Vec<_>>())
}

pub(super) fn environments(in_force: Environment) -> String {
    let one = |it: &crate::spec::environments::EnvironmentRow| OneEnvironment {
        name: it.name,
        meaning: it.meaning,
        real_money: it.money == Money::Real,
        in_force: it.environment == in_force,
    };
    json(&ENVIRONMENTS.iter().map(one).collect::<Vec<_>>())
}
