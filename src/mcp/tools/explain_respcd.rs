//! `explain_respcd`: what a response code means, found by code or by words.
use std::sync::LazyLock;

use rmcp::{Json, model::JsonObject, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use super::done;
use crate::{
    mcp::{Server, arguments::Reader, refusal::Refusal, schema},
    spec::{RespCode, search},
};

const TOOL: &str = "explain_respcd";
/// Matches for words; a code has one.
const MOST: usize = 3;
/// Longest question that is read.
const MAX_QUERY: usize = 200;

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// A code such as 1145, or words in English or Chinese, at most 200 characters
    #[schemars(length(max = 200))]
    query: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Reply {
    /// Best first.
    #[schemars(with = "Vec<JsonObject>", extend("description" = schema::names::<Explained>()))]
    matches: Vec<Explained>,
    next_step: String,
}

/// One code. Of all but the best match only what tells whether it is the right one.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Explained {
    respcd: &'static str,
    meaning: &'static str,
    #[serde(flatten)]
    more: Option<More>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct More {
    zh_hant: &'static str,
    zh_hans: &'static str,
    retry: &'static str,
    next_step: &'static str,
    on_payment: &'static str,
    on_refund: &'static str,
    on_query: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    or_by_text: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legacy: Option<bool>,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = explain_respcd_router, vis = "pub(super)")]
impl Server {
    /// What a QFPay response code (respcd) means for a payment, refund or query, whether to retry,
    /// and what to do. Takes a code or words such as "refund not allowed at night". Local.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reply>(),
        annotations(
            title = "Explain a response code",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn explain_respcd(&self, arguments: JsonObject) -> Result<Json<Reply>, Refusal> {
        let query = parse(arguments)?;
        let found = search::explain(&query, MOST);
        let matches: Vec<Explained> =
            found.iter().enumerate().map(|(at, it)| Explained::new(it.code, at == 0)).collect();
        let next_step = match matches.as_slice() {
            [] => "Nothing fits. Give the code that QFPay sent, or say in other words what it \
                 told. If it sent a code that is not known here, treat the result as unknown: \
                 call query_transaction, do not pay or refund again."
                .to_owned(),
            [_] => "Follow its next_step; a status in query_transaction decides.".to_owned(),
            [_, other, ..] => format!(
                "Not the first? explain_respcd \
                 {{\"query\":\"{}\"}}; query_transaction decides.",
                other.respcd
            ),
        };
        Ok(Json(Reply { matches, next_step }))
    }
}

fn parse(arguments: JsonObject) -> Result<String, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let query = reader.text("query");
    let query = reader.required("query", query, "a code such as 1145, or words");
    let query = reader.parse("query", query, |text| match text.chars().count() {
        0..=MAX_QUERY => Ok(text.to_owned()),
        long => Err(format!("it has {long} characters; at most {MAX_QUERY} are allowed")),
    });
    done(TOOL, reader, query)
}

impl Explained {
    pub(in crate::mcp) fn new(row: &'static RespCode, full: bool) -> Self {
        Self { respcd: row.code, meaning: row.en, more: full.then(|| row.into()) }
    }
}

impl From<&'static RespCode> for More {
    fn from(row: &'static RespCode) -> Self {
        // Of its texts the first; the others are spellings of it.
        let by_text = row.overloads.iter().filter_map(|it| {
            let text = it.texts.first()?;
            Some(format!("with \"{text}\": {} {}", it.meaning, it.reading.next_step))
        });
        Self {
            zh_hant: row.zh_hant,
            zh_hans: row.zh_hans,
            retry: row.reading.retry.sentence(),
            next_step: row.reading.next_step,
            on_payment: row.on_payment,
            on_refund: row.on_refund,
            on_query: row.on_query,
            or_by_text: by_text.collect(),
            legacy: (!row.official).then_some(true),
        }
    }
}
