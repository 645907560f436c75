//! `create_payment`: start a payment, once.
use std::{collections::BTreeMap, sync::LazyLock};

use rmcp::{
    RoleServer,
    handler::server::tool::{InputResponses, RequestState},
    model::JsonObject,
    service::RequestContext,
    tool, tool_router,
};
use schemars::JsonSchema;

use super::{Reply, done};
use crate::{
    domain::{Amount, PaymentTerms},
    mcp::{
        Server,
        arguments::{Reader, echo},
        confirm::{Brought, Outcome},
        refusal::Refusal,
        schema, ui,
        view::PaymentReply,
    },
    payments::create::NewPayment,
    spec::{
        Currency, Field, Flow, PayType, currencies,
        fields::FIELDS,
        pay_types::{self, Service},
    },
};

const TOOL: &str = "create_payment";

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// Minor units, 1 to 99999999999: 1050 is HKD 10.50, but JPY 1,050
    #[schemars(range(min = 1, max = 99_999_999_999_i64))]
    amount: i64,
    /// ISO code, upper case
    #[schemars(extend("enum" = currencies::codes()))]
    currency: String,
    /// Six digits, from list_pay_types, e.g. 800201
    pay_type: String,
    /// Your order number, at most 128 of A-Z a-z 0-9 _ | * -; the same again is the same payment. Left out: made for you
    #[schemars(length(max = 128))]
    out_trade_no: Option<String>,
    /// At most 20 characters
    #[schemars(length(max = 20))]
    goods_name: Option<String>,
    /// The payer's code, at most 128; CPM types only
    auth_code: Option<String>,
    /// Minutes to pay, 5 to 120, default 30; some types only
    #[schemars(range(min = 5, max = 120))]
    expired_time: Option<i64>,
    /// Where QFPay reports the result, at most 256
    notify_url: Option<String>,
    /// Where the payer goes afterwards, at most 512; web, WAP, in-app, card types
    return_url: Option<String>,
    /// After a failure, at most 256; card types
    failed_url: Option<String>,
    /// WeChat openid, at most 128
    sub_openid: Option<String>,
    /// Alipay user id, at most 64
    openid: Option<String>,
    /// JSON, at most 2048
    extend_info: Option<String>,
    #[schemars(extend("enum" = Field::PayTag.words()))]
    pay_tag: Option<String>,
    #[schemars(extend("enum" = Field::LimitPay.words()))]
    limit_pay: Option<String>,
    /// WeChat in CNY
    #[schemars(extend("enum" = Field::RmbTag.words()))]
    rmb_tag: Option<String>,
    /// At most 64
    seller_id: Option<String>,
    /// At most 128
    goods_info: Option<String>,
    /// Device id, at most 40
    udid: Option<String>,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

/// Fields that every type takes.
const COMMON: [Field; 3] = [Field::GoodsName, Field::NotifyUrl, Field::Udid];
/// Arguments that are read on their own.
const OWN: [Field; 2] = [Field::OutTradeNo, Field::Syssn];

#[tool_router(router = create_payment_router, vis = "pub(super)")]
impl Server {
    /// Start a payment at QFPay and get what the payer needs: a QR code, a link, or the result.
    /// `pending` (the order exists) and `awaiting_payer` (not yet) are NOT paid; call wait_for_payment
    /// until it is `paid`.
    /// Safe to repeat with the same out_trade_no: it is charged at most once. If the answer is
    /// `in_doubt`, never pay again; query.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<PaymentReply>(),
        meta = ui::of_tool(),
        annotations(
            title = "Create a payment",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = true
        )
    )]
    async fn create_payment(
        &self,
        arguments: JsonObject,
        state: RequestState,
        answers: InputResponses,
        context: RequestContext<RoleServer>,
    ) -> Result<Reply<PaymentReply>, Refusal> {
        let payment = parse(arguments, self.payments.settings.notify_url.is_some())?;
        let caller = Self::caller(TOOL, &context);
        let (brought, number) = (Brought { state, answers }, payment.number.clone());
        let terms = payment.terms.clone();
        let pay = |yes| {
            let payment = NewPayment { yes, ..payment.clone() };
            self.payments.create(&caller, payment)
        };
        let outcome = self
            .with_consent(&caller, &context, brought, number.as_ref(), pay)
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        let environment = self.environment().name();
        let (zone, now) = (&self.payments.settings.zone, self.payments.clock.now());
        Ok(match outcome {
            Outcome::Done(receipt) => {
                let reply = PaymentReply::new(receipt, environment, zone, now);
                let qrcode = reply.qrcode.clone();
                Reply::scanned(reply, qrcode.as_deref())
            }
            Outcome::Round(round) => Reply::Round(round),
            Outcome::Approval(needed, approval) => {
                let next_step = self.next_of_approval(TOOL, "out_trade_no", &approval);
                let code = approval.code;
                Reply::new(PaymentReply::waits(&needed, &terms, environment, code, next_step))
            }
        })
    }
}

/// `reports` says whether an operator set where QFPay reports results.
fn parse(arguments: JsonObject, reports: bool) -> Result<NewPayment, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let number = reader.text("out_trade_no");
    let number = reader.parse("out_trade_no", number, str::parse);
    let currency = reader.text("currency");
    let currency = reader.required("currency", currency, "an ISO code such as HKD");
    let currency = reader.parse("currency", currency, read_currency);
    let pay_type = reader.text("pay_type");
    let wanted = "a six-digit code from list_pay_types, such as 800201";
    let pay_type = reader.required("pay_type", pay_type, wanted);
    let pay_type = reader.parse("pay_type", pay_type, read_pay_type);
    let amount = reader.digits("amount");
    let wanted = "a whole number of minor units, for example 1050 for HKD 10.50";
    let amount = reader.required("amount", amount, wanted);
    // The amount's own faults are told even when the currency is unknown.
    let stand_in = currency.or_else(|| Currency::find("HKD"));
    let amount =
        stand_in.and_then(|it| reader.parse("amount", amount, |text| Amount::parse(text, it)));
    let extras = read_extras(&mut reader);
    if let Some(pay_type) = pay_type {
        let amount = amount.filter(|_| currency.is_some());
        check_type(&mut reader, pay_type, currency, amount, &extras, reports);
    }
    let new = currency.and(amount).zip(pay_type).map(|(amount, pay_type)| NewPayment {
        number,
        terms: PaymentTerms { amount, pay_type, extras },
        yes: None,
    });
    done(TOOL, reader, new)
}

fn read_currency(text: &str) -> Result<&'static Currency, String> {
    if let Some(currency) = Currency::find(text) {
        return Ok(currency);
    }
    let given = echo(text);
    let upper = text.to_ascii_uppercase();
    if Currency::find(&upper).is_some() {
        return Err(format!("`{given}` must be upper case: {upper}"));
    }
    let codes = currencies::codes().join(", ");
    Err(format!("`{given}` is no currency QFPay takes; use one of {codes}"))
}

fn read_pay_type(text: &str) -> Result<&'static PayType, String> {
    let given = echo(text);
    let Some(pay_type) = PayType::find(text) else {
        let near = pay_types::nearest(text, 3);
        let near: Vec<String> =
            near.iter().map(|it| format!("{} ({})", it.code, it.name)).collect();
        return Err(format!(
            "`{given}` is no pay type; nearest: {}; list_pay_types has all",
            near.join(", ")
        ));
    };
    let name = pay_type.name;
    let why = match pay_type.service {
        Service::Payment | Service::Checkout => return Ok(pay_type),
        Service::Terminal => "works on a QFPay terminal only",
        Service::PreAuth => "is a pre-authorisation, another flow than a payment",
        Service::Retired => "is no longer offered by QFPay",
        Service::OtherRegion => "is not sold in Hong Kong",
    };
    Err(format!("`{given}` ({name}) {why}; choose one from list_pay_types"))
}

/// Every field that stands in the table of fields, held against its own rule.
fn read_extras(reader: &mut Reader) -> BTreeMap<Field, String> {
    let mut extras = BTreeMap::new();
    for rule in FIELDS.iter().filter(|it| !OWN.contains(&it.field)) {
        let number = rule.field == Field::ExpiredTime;
        let text = if number { reader.digits(rule.name) } else { reader.text(rule.name) };
        let Some(text) = text else { continue };
        let secret = rule.field == Field::AuthCode;
        match rule.field.check(&text) {
            Ok(()) => {}
            Err(_) if secret => reader.problem(
                rule.name,
                "it is not a payment code; send the text of the code that the payer shows, as \
                 scanned",
            ),
            Err(error) => reader.problem(rule.name, error),
        }
        // Kept even where it is wrong, so that it is not called missing as well.
        extras.insert(rule.field, text);
    }
    extras
}

/// What only the pay type can say about the other arguments; `reports` as in [`parse`].
fn check_type(
    reader: &mut Reader,
    pay_type: &'static PayType,
    currency: Option<&'static Currency>,
    amount: Option<Amount>,
    extras: &BTreeMap<Field, String>,
    reports: bool,
) {
    let this = format!("{} ({})", pay_type.code, pay_type.name);
    if let Some(currency) = currency.filter(|it| !pay_type.takes(it)) {
        let takes = pay_type.currency_codes().join(", ");
        reader.problem(
            "currency",
            format!("{this} does not take {}; it takes {takes}", currency.code),
        );
    }
    if let Some(amount) = amount {
        let least = pay_type.least(amount.currency());
        if amount.minor() < least {
            let text =
                format!("`{}` is too little for {this}; send at least {least}", amount.minor());
            reader.problem("amount", text);
        }
    }
    let given = |it: &Field| extras.contains_key(it) || (reports && *it == Field::NotifyUrl);
    for field in pay_type.requires.iter().filter(|it| !given(it)) {
        let rule = field.rule();
        let text = format!("{this} needs it: {}, for example `{}`", rule.meaning, rule.example);
        reader.problem(rule.name, text);
    }
    if extras.contains_key(&Field::RmbTag) && currency.is_some_and(|it| it.code != "CNY") {
        reader.problem("rmb_tag", "it goes with the currency CNY only; leave it out");
    }
    if let Some((field, max)) = pay_type.tighter
        && let Some(len) = extras.get(&field).map(|it| it.chars().count()).filter(|it| *it > max)
    {
        reader
            .problem(field.name(), format!("it has {len} characters; {this} takes at most {max}"));
    }
    let details = extras.get(&Field::ExtendInfo).and_then(|it| serde_json::from_str(it).ok());
    let details: Option<JsonObject> = details;
    let missing = |it: &&&str| details.as_ref().is_some_and(|given| !given.contains_key(**it));
    let missing: Vec<&str> = pay_type.extend_info.iter().filter(missing).copied().collect();
    if !missing.is_empty() {
        let example = Field::ExtendInfo.rule().example;
        let text = format!("{this} needs {} in it, for example `{example}`", missing.join(" and "));
        reader.problem("extend_info", text);
    }
    for field in extras.keys().filter(|it| !COMMON.contains(it) && !pay_type.uses(**it)) {
        if *field == Field::ReturnUrl && returns_to_a_page(pay_type.flow) {
            continue;
        }
        reader.problem(field.name(), format!("{this} does not use it; leave it out"));
    }
}

/// Whether the payer comes back to a page of the merchant's.
fn returns_to_a_page(flow: Flow) -> bool {
    match flow {
        Flow::Web | Flow::Wap | Flow::App | Flow::Jsapi | Flow::Mini => true,
        Flow::Mpm | Flow::Cpm | Flow::Card | Flow::Pos => false,
    }
}
