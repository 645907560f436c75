//! `list_pay_types`: the ways to pay, and what each needs.
use std::sync::LazyLock;

use rmcp::{Json, model::JsonObject, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use super::done;
use crate::{
    mcp::{
        Server,
        arguments::{Reader, echo},
        refusal::Refusal,
        schema,
    },
    spec::{
        Currency, Flow, PayType, currencies,
        pay_types::{self, PAY_TYPES, Refunds, Service},
    },
};

const TOOL: &str = "list_pay_types";
/// Up to this many types are told in full, up to that many by code and name; more by code alone.
const FULL: usize = 4;
const NAMED: usize = 12;

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    #[schemars(extend("enum" = pay_types::wallets()))]
    wallet: Option<String>,
    /// mpm: merchant shows a QR code; cpm: payer does; web, wap: browser; app, jsapi, mini: in an app; card: page
    #[schemars(extend("enum" = flows()))]
    flow: Option<String>,
    /// ISO code
    currency: Option<String>,
    /// Words, such as "wechat qr"
    query: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Reply {
    environment: &'static str,
    #[schemars(with = "Vec<JsonObject>", extend("description" = schema::names::<One>()))]
    pay_types: Vec<Told>,
    next_step: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Told {
    One(One),
    Wallet(Wallet),
}

/// Many ways to pay with one wallet.
#[derive(Debug, Serialize)]
struct Wallet {
    wallet: &'static str,
    /// Each with its flow.
    codes: Vec<String>,
}

/// One way to pay.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct One {
    code: &'static str,
    name: &'static str,
    wallet: &'static str,
    flow: &'static str,
    /// Left out: all
    #[serde(skip_serializing_if = "Option::is_none")]
    currencies: Option<String>,
    /// More arguments create_payment needs
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    takes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Why create_payment refuses it
    #[serde(skip_serializing_if = "Option::is_none")]
    not_here: Option<&'static str>,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = list_pay_types_router, vis = "pub(super)")]
impl Server {
    /// The ways to pay (wallet, flow) with the pay_type code that create_payment wants, and what
    /// each needs. Narrow it; few results come in full. Local.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reply>(),
        annotations(
            title = "List ways to pay",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn list_pay_types(&self, arguments: JsonObject) -> Result<Json<Reply>, Refusal> {
        let filter = parse(arguments)?;
        let found = filter.found();
        let full = found.len() <= FULL;
        let next_step = match found.len() {
            0 => "Nothing fits; call list_pay_types with fewer filters.".to_owned(),
            _ if found.iter().all(|it| !it.is_offered()) => {
                "None of these can be used with create_payment; not_here says why.".to_owned()
            }
            _ if full => "Call create_payment with one of these codes.".to_owned(),
            many => format!(
                "{many} types. Call list_pay_types {{\"query\":\"{}\"}} to see what one needs, or \
                 narrow it by wallet, flow, currency or words; then call create_payment with a code.",
                found.first().map_or("800201", |it| it.code)
            ),
        };
        let pay_types = if found.len() <= NAMED {
            found.into_iter().map(|it| Told::One(One::new(it, full))).collect()
        } else {
            Wallet::all(&found).into_iter().map(Told::Wallet).collect()
        };
        Ok(Json(Reply { environment: self.environment().name(), pay_types, next_step }))
    }
}

/// Which types to list. Every part narrows.
#[derive(Debug, Default)]
struct Filter {
    wallet: Option<String>,
    flow: Option<Flow>,
    currency: Option<&'static Currency>,
    query: Option<String>,
}

impl Filter {
    /// The types that fit; those that create_payment refuses only where words ask for them.
    fn found(&self) -> Vec<&'static PayType> {
        let all = match &self.query {
            Some(query) => pay_types::search(query),
            None if self.wallet.is_some() || self.flow.is_some() => PAY_TYPES.iter().collect(),
            None => PAY_TYPES.iter().filter(|it| it.is_offered()).collect(),
        };
        let fits = |it: &&PayType| {
            self.wallet.as_ref().is_none_or(|wallet| it.wallet == wallet)
                && self.flow.is_none_or(|flow| it.flow == flow)
                && self.currency.is_none_or(|currency| it.takes(currency))
        };
        let fitting: Vec<_> = all.into_iter().filter(fits).collect();
        let served = fitting.iter().any(|it| it.is_offered());
        fitting.into_iter().filter(|it| !served || it.is_offered()).collect()
    }
}

fn flows() -> Vec<&'static str> {
    let served = |flow: &Flow| PAY_TYPES.iter().any(|it| it.flow == *flow && it.is_offered());
    Flow::ALL.iter().filter(|it| served(it)).map(|it| it.word()).collect()
}

fn parse(arguments: JsonObject) -> Result<Filter, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let wallet = reader.text("wallet");
    let wallet = reader.parse("wallet", wallet, |text| {
        let (word, wallets) = (text.to_lowercase(), pay_types::wallets());
        if wallets.contains(&word.as_str()) {
            return Ok(word);
        }
        Err(format!("`{}` is no wallet here; use one of {}", echo(text), wallets.join(", ")))
    });
    let flow = reader.text("flow");
    let flow = reader.parse("flow", flow, |text| {
        Flow::find(&text.to_lowercase()).ok_or_else(|| {
            format!("`{}` is no flow; use one of {}", echo(text), flows().join(", "))
        })
    });
    let currency = reader.text("currency");
    let currency = reader.parse("currency", currency, |text| {
        Currency::find(&text.to_ascii_uppercase()).ok_or_else(|| {
            let codes = currencies::codes().join(", ");
            format!("`{}` is no currency QFPay takes; use one of {codes}", echo(text))
        })
    });
    let query = reader.text("query");
    done(TOOL, reader, Some(Filter { wallet, flow, currency, query }))
}

impl Wallet {
    /// What was found, by wallet.
    fn all(found: &[&'static PayType]) -> Vec<Self> {
        let codes = |wallet: &str| {
            let own = found.iter().filter(|it| it.wallet == wallet);
            own.map(|it| format!("{} {}", it.code, it.flow.word())).collect()
        };
        let wallets = pay_types::wallets().into_iter();
        let all = wallets.map(|wallet| Self { wallet, codes: codes(wallet) });
        all.filter(|it| !it.codes.is_empty()).collect()
    }
}

impl One {
    pub(in crate::mcp) fn new(it: &'static PayType, full: bool) -> Self {
        let names = |fields: &[crate::spec::Field]| fields.iter().map(|it| it.name()).collect();
        let when = |keep: bool, names: Vec<&'static str>| if keep { names } else { Vec::new() };
        Self {
            code: it.code,
            name: it.name,
            wallet: it.wallet,
            flow: it.flow.word(),
            currencies: (!it.currencies.is_empty()).then(|| it.currencies.join(", ")),
            needs: when(full, names(it.requires)),
            takes: when(full, names(it.accepts)),
            refunds: full.then(|| refunds(it)),
            note: Some(it.note).filter(|note| full && !note.is_empty()),
            not_here: match it.service {
                Service::Payment | Service::Checkout => None,
                Service::Terminal => Some("only on a terminal"),
                Service::PreAuth => Some("a pre-authorisation"),
                Service::Retired => Some("no longer offered"),
                Service::OtherRegion => Some("not sold in Hong Kong"),
            },
        }
    }
}

fn refunds(it: &PayType) -> String {
    let word = match it.refunds {
        Refunds::Yes => "yes",
        Refunds::No => "no",
        Refunds::Depends => "depends on the merchant",
        Refunds::Unknown => "not documented",
    };
    match it.refund_days {
        Some(days) => format!("{word}, within {days} days"),
        None => word.to_owned(),
    }
}
