//! Prompts: what a person asks for most, told to the agent with the right calls in the right order.
use std::collections::BTreeMap;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        GetPromptRequestParams, GetPromptResult, ListPromptsResult, Prompt, PromptArgument,
        PromptMessage, Role,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::{
    Server,
    completions::{Completes, unknown},
    server::{LIST_TTL_MS, cache_of},
};
use crate::{
    client::response::cleaned,
    domain::OrderNumber,
    spec::{Currency, PayType, RespCode},
};

/// The most characters of one argument, and the most problems that are told.
const MAX_ARGUMENT: usize = 200;
const MAX_PROBLEMS: usize = 20;

/// One prompt.
pub(super) struct Row {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(super) arguments: &'static [Argument],
    /// What the agent is told to call: a caller who may not is not offered the prompt.
    tools: &'static [&'static str],
    text: fn(&Given) -> String,
}

/// One argument of a prompt, which is always a text.
pub(super) struct Argument {
    pub(super) name: &'static str,
    description: &'static str,
    required: bool,
    pub(super) completes: Completes,
    /// What is wrong with a value, if anything is.
    check: fn(&str) -> Result<(), String>,
}

impl Argument {
    const fn new(name: &'static str, description: &'static str, completes: Completes) -> Self {
        Self { name, description, required: false, completes, check: |_| Ok(()) }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn checked(self, check: fn(&str) -> Result<(), String>) -> Self {
        Self { check, ..self }
    }
}

const ORDER: Argument =
    Argument::new("out_trade_no", "The order's number", Completes::Order).checked(order);
const AMOUNT: &str = "As people write it, such as 10.50";

#[rustfmt::skip]
pub(super) static PROMPTS: &[Row] = &[
    Row { name: "take_payment", title: "Take a payment",
        description: "Make an order, show its QR code or link, and wait until it is paid",
        arguments: &[
            Argument::new("amount", AMOUNT, Completes::Nothing),
            Argument::new("currency", "Such as HKD", Completes::Currency).checked(currency),
            Argument::new("pay_type", "A code, or words such as WeChat QR", Completes::PayType),
            Argument::new("goods_name", "What is sold", Completes::Nothing),
        ],
        tools: &["list_pay_types", "create_payment", "wait_for_payment", "cancel_payment", "query_transaction"],
        text: take_payment },
    Row { name: "follow_up_order", title: "Follow up an order",
        description: "Find out how an order stands, and what to do now",
        arguments: &[ORDER.required()],
        tools: &["query_transaction", "explain_respcd"],
        text: follow_up_order },
    Row { name: "refund_order", title: "Refund an order",
        description: "Give back all or part of what an order brought",
        arguments: &[ORDER.required(), Argument::new("amount", "As people write it; all that is left, if not given", Completes::Nothing)],
        tools: &["query_transaction", "refund"],
        text: refund_order },
    Row { name: "diagnose_failure", title: "Diagnose a failure",
        description: "Find out why a payment or refund failed, and what helps",
        arguments: &[
            Argument::new("respcd", "The response code, or what was said, in words", Completes::RespCode),
            ORDER,
        ],
        tools: &["explain_respcd", "query_transaction"],
        text: diagnose_failure },
    Row { name: "reconcile_day", title: "Reconcile a day",
        description: "Compare our ledger with QFPay's records of a day",
        arguments: &[Argument::new("date", "YYYY-MM-DD, by the merchant's clock", Completes::Day).required().checked(date)],
        tools: &["reconcile", "query_transaction"],
        text: reconcile_day },
];

/// The arguments that were given, each a line's worth of plain text.
struct Given {
    values: BTreeMap<&'static str, String>,
    /// Where it is, and whether money is real there.
    place: String,
}

impl Given {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    fn order(&self) -> &str {
        self.get(ORDER.name).unwrap_or_default()
    }
}

const RULES: &str = "Do what each reply's next_step says. Only status `paid` means that the money was \
                     received; `pending` and `awaiting_payer` are not paid. `in_doubt`, a time-out or a lost \
                     answer: never \
                     pay or refund again, call query_transaction until it says.";

fn take_payment(given: &Given) -> String {
    let mut wanted = Vec::new();
    wanted.push(match given.get("amount") {
        Some(amount) => format!(
            "amount: {amount:?} as the person wrote it; send minor units as a whole number (HKD \
             10.50 is 1050)"
        ),
        None => "amount: ask the person".to_owned(),
    });
    wanted.push(match given.get("currency") {
        Some(currency) => format!("currency: {}", currency.to_uppercase()),
        None => "currency: ask, unless it is clear (HKD in Hong Kong)".to_owned(),
    });
    wanted.push(match given.get("pay_type") {
        Some(code) if PayType::find(code).is_some() => format!("pay_type: {code}"),
        Some(words) => format!(
            "pay_type: find the code with list_pay_types {}",
            serde_json::json!({ "query": words })
        ),
        None => "pay_type: ask which wallet, and find the code with list_pay_types".to_owned(),
    });
    wanted.extend(given.get("goods_name").map(|it| format!("goods_name: {it:?}")));
    format!(
        "Take a payment at QFPay, in {}.\n- {}\n\n1. Say amount, currency and wallet to the person, \
         and let them correct it.\n2. Call create_payment once, with an out_trade_no of your own (the \
         shop's order number, if there is one): repeating it with the same number is harmless.\n3. \
         Show the payer the QR code or link, and until when it can be paid.\n4. Call wait_for_payment \
         with that out_trade_no, again while it is `pending`. If the payer gives up, call \
         cancel_payment.\n\n{RULES}",
        given.place,
        wanted.join("\n- ")
    )
}

fn follow_up_order(given: &Given) -> String {
    let number = given.order();
    format!(
        "How does order {number} stand at QFPay, in {}?\n\n1. Call query_transaction \
         {{\"out_trade_no\":\"{number}\"}}.\n2. Tell the person its status in plain words, the amount, \
         what was refunded, and any warning or problem.\n3. Did it fail? Call explain_respcd with its \
         respcd.\n\nThis only looks: pay and refund nothing. {RULES}",
        given.place
    )
}

fn refund_order(given: &Given) -> String {
    let number = given.order();
    let (how_much, amount) = match given.get("amount") {
        Some(amount) => (
            format!("{amount:?} (as the person wrote it)"),
            ", and amount in minor units as a whole number (HKD 10.50 is 1050)",
        ),
        None => ("all that is left".to_owned(), "; without amount it is all that is left"),
    };
    format!(
        "Refund {how_much} of order {number} at QFPay, in {}.\n\n1. Call query_transaction \
         {{\"out_trade_no\":\"{number}\"}}: only what is `paid` or `partially_refunded` can be \
         refunded, and left_text says how much.\n2. Say amount and order to the person, and wait for \
         their yes.\n3. Call refund once, with that out_trade_no{amount}; give a refund_no of your \
         own: repeating it with the same number is harmless.\n4. `pending` can take until the next \
         day: do not refund again, query later.\n\n{RULES}",
        given.place
    )
}

fn diagnose_failure(given: &Given) -> String {
    let mut steps = Vec::new();
    if let Some(number) = given.get(ORDER.name) {
        steps.push(format!("Call query_transaction {{\"out_trade_no\":\"{number}\"}}."));
    }
    steps.push(match given.get("respcd") {
        Some(code) if RespCode::find(code).is_some() => {
            format!("Call explain_respcd {{\"query\":\"{code}\"}}.")
        }
        Some(words) => {
            format!("Call explain_respcd {}.", serde_json::json!({ "query": words }))
        }
        None => "Call explain_respcd with its respcd, if it has one.".to_owned(),
    });
    steps.push(
        "Tell the person in plain words what happened, whether any money moved, and what to do now: \
         retry, wait, other means, or whom to ask."
            .to_owned(),
    );
    let steps: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(nth, it)| format!("{}. {it}", nth.saturating_add(1)))
        .collect();
    format!(
        "Something went wrong with a payment or refund at QFPay, in {}. Find out what.\n\n{}\n\nAn \
         unknown code means an unknown result, not a failure. This only looks: pay and refund \
         nothing. {RULES}",
        given.place,
        steps.join("\n")
    )
}

fn reconcile_day(given: &Given) -> String {
    let date = given.get("date").unwrap_or_default();
    format!(
        "Reconcile {date} at QFPay, in {}.\n\n1. Call reconcile {{\"date\":\"{date}\"}}: it compares \
         our ledger with all of QFPay's records of that day.\n2. Tell the person the totals per \
         currency, then each difference with its order number and amount: missing here, missing at \
         QFPay, other amount, other status.\n3. For each difference call query_transaction with its \
         number before you conclude anything.\n\nThis only looks: correct nothing by paying or \
         refunding. {RULES}",
        given.place
    )
}

fn order(text: &str) -> Result<(), String> {
    text.parse::<OrderNumber>().map(drop).map_err(|it| it.to_string())
}

fn currency(text: &str) -> Result<(), String> {
    let codes = || crate::spec::currencies::codes().join(", ");
    let found = Currency::find(&text.to_ascii_uppercase());
    found
        .map(drop)
        .ok_or_else(|| format!("{text:?} is no currency QFPay takes; use one of {}", codes()))
}

fn date(text: &str) -> Result<(), String> {
    let parsed = text.parse::<jiff::civil::Date>();
    let fits = parsed.is_ok_and(|it| it.to_string() == text);
    fits.then_some(())
        .ok_or_else(|| format!("{text:?} is no day; use YYYY-MM-DD, such as 2026-11-22"))
}

impl Server {
    /// Whether a caller may do what a prompt tells them to.
    pub(super) fn offers_prompt(&self, row: &Row, context: &RequestContext<RoleServer>) -> bool {
        row.tools.iter().all(|it| self.may_call(it, context))
    }

    /// Every prompt as it is listed.
    pub fn prompts() -> Vec<Prompt> {
        PROMPTS.iter().map(Row::listed).collect()
    }

    /// The prompts that this caller can follow.
    pub(super) fn list_prompts(&self, context: &RequestContext<RoleServer>) -> ListPromptsResult {
        let offered = PROMPTS.iter().filter(|it| self.offers_prompt(it, context));
        let prompts = offered.map(Row::listed).collect();
        let listed = ListPromptsResult { prompts, ..ListPromptsResult::default() };
        listed.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache_of(context))
    }

    /// What a prompt says to the agent.
    pub(super) fn prompt(
        &self,
        request: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResult, ErrorData> {
        let offered = || PROMPTS.iter().filter(|it| self.offers_prompt(it, context));
        let Some(row) = offered().find(|it| it.name == request.name) else {
            let names: Vec<&str> = offered().map(|it| it.name).collect();
            return Err(unknown("prompt", &request.name, &names));
        };
        let values = row.read(request.arguments.unwrap_or_default())?;
        let environment = self.environment();
        let money = if environment.moves_real_money() { "real money" } else { "no real money" };
        let place = format!("the `{}` environment ({money})", environment.name());
        let text = (row.text)(&Given { values, place });
        let said = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![said]).with_description(row.description))
    }
}

impl Row {
    fn listed(&self) -> Prompt {
        let argument = |it: &Argument| {
            PromptArgument::new(it.name).with_description(it.description).with_required(it.required)
        };
        let arguments = self.arguments.iter().map(argument).collect();
        Prompt::new(self.name, Some(self.description), Some(arguments)).with_title(self.title)
    }

    /// The arguments, if nothing at all is wrong with them. Blank ones were not given.
    fn read(
        &self,
        given: serde_json::Map<String, Value>,
    ) -> Result<BTreeMap<&'static str, String>, ErrorData> {
        let (mut values, mut problems) = (BTreeMap::new(), Vec::new());
        for (name, value) in given {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    other.to_string()
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            let Some(argument) = self.arguments.iter().find(|it| it.name == name) else {
                let names: Vec<&str> = self.arguments.iter().map(|it| it.name).collect();
                let there = names.join(", ");
                problems.push(format!(
                    "{}: there is no such argument; it takes {there}",
                    cleaned(&name)
                ));
                continue;
            };
            let (long, text) = (text.chars().count(), cleaned(&text));
            if long > MAX_ARGUMENT {
                problems.push(format!(
                    "{name}: it has {long} characters; at most {MAX_ARGUMENT} are taken"
                ));
            } else if let Err(problem) = (argument.check)(&text) {
                problems.push(format!("{name}: {problem}"));
            }
            values.insert(argument.name, text);
        }
        for it in self.arguments.iter().filter(|it| it.required && !values.contains_key(it.name)) {
            problems.push(format!("{}: it is missing ({})", it.name, it.description));
        }
        if problems.is_empty() {
            return Ok(values);
        }
        problems.truncate(MAX_PROBLEMS);
        let text = format!("{} cannot be used like this:\n- {}", self.name, problems.join("\n- "));
        Err(ErrorData::invalid_params(text, None))
    }
}
