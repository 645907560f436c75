//! Resources: the tables of QFPay's documents, and orders as the ledger knows them. Reading one asks
//! nobody.
mod order;
mod tables;
mod uri;

use std::sync::LazyLock;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, MetaObject,
        ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
    },
    service::RequestContext,
};
use serde::Serialize;

use self::uri::{Find, Wanted};
pub(super) use self::{order::unreadable, uri::order_in};
use super::{
    Server,
    completions::Completes,
    principal::{Scope, scopes_of},
    server::{LIST_TTL_MS, cache_of},
    skill,
    tools::{Explained, OneWay},
    ui,
};
use crate::client::response::cleaned;

const JSON: &str = "application/json";

/// A resource that is always there.
pub(super) struct Fixed {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    mime_type: &'static str,
    /// Whether it is the same for every caller.
    public: bool,
    text: fn(&Server) -> String,
    /// What hosts are told of it.
    meta: Option<fn() -> MetaObject>,
}

/// All of them; whatever is added here is listed and can be read.
#[rustfmt::skip]
static FIXED: LazyLock<Vec<Fixed>> = LazyLock::new(|| vec![
    Fixed { uri: "qfpay://pay-types", name: "pay-types", title: "Ways to pay", mime_type: JSON, public: true,
        description: "Every pay_type code with its wallet and flow; qfpay://pay-types/{code} says what one needs",
        text: |_| tables::pay_types(), meta: None },
    Fixed { uri: "qfpay://currencies", name: "currencies", title: "Currencies", mime_type: JSON, public: true,
        description: "The currencies QFPay takes, and how many minor units make one",
        text: |_| tables::currencies(), meta: None },
    Fixed { uri: "qfpay://response-codes", name: "response-codes", title: "Response codes", mime_type: JSON, public: true,
        description: "QFPay's response codes in brief; qfpay://response-codes/{respcd} says what to do about one",
        text: |_| tables::response_codes(), meta: None },
    Fixed { uri: "qfpay://environments", name: "environments", title: "Environments", mime_type: JSON, public: false,
        description: "Where payments can go, whether money is real there, and which is in force",
        text: |server| tables::environments(server.environment()), meta: None },
    Fixed { uri: skill::URI, name: skill::name(), title: "How to take payments", mime_type: "text/markdown", public: true,
        description: skill::description(),
        text: |_| skill::TEXT.to_owned(), meta: None },
    Fixed { uri: ui::URI, name: "payment-card", title: "Payment card", mime_type: ui::MIME_TYPE, public: true,
        description: "For hosts of MCP Apps: shows a payment with its QR code, follows it, refunds it",
        text: |_| ui::page().to_owned(), meta: Some(ui::of_page) },
]);

/// Resources by a variable.
pub(super) struct Template {
    pub(super) uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(super) variable: &'static str,
    pub(super) completes: Completes,
    find: Find,
}

#[rustfmt::skip]
pub(super) static TEMPLATES: &[Template] = &[
    Template { uri: "qfpay://response-codes/{respcd}", name: "response-code", title: "One response code",
        description: "What a code means for a payment, refund or query, and what to do",
        variable: "respcd", completes: Completes::RespCode, find: Wanted::resp_code },
    Template { uri: "qfpay://pay-types/{code}", name: "pay-type", title: "One way to pay",
        description: "What create_payment needs for it, its currencies, and whether it can be refunded",
        variable: "code", completes: Completes::PayType, find: Wanted::pay_type },
    Template { uri: "qfpay://orders/{out_trade_no}", name: "order", title: "One order",
        description: "How an order stands by our ledger, and what happened to it; QFPay is not asked. Can be subscribed",
        variable: "out_trade_no", completes: Completes::Order, find: Wanted::order },
];

impl Server {
    /// Every resource that is always there, as it is listed.
    pub fn resources() -> Vec<Resource> {
        let listed = |it: &Fixed| {
            let resource = Resource::new(it.uri, it.name)
                .with_title(it.title)
                .with_description(it.description)
                .with_mime_type(it.mime_type);
            match it.meta {
                Some(meta) => resource.with_meta(meta()),
                None => resource,
            }
        };
        FIXED.iter().map(listed).collect()
    }

    /// Every template of resources, as it is listed.
    pub fn resource_templates() -> Vec<ResourceTemplate> {
        let listed = |it: &Template| {
            ResourceTemplate::new(it.uri, it.name)
                .with_title(it.title)
                .with_description(it.description)
                .with_mime_type(JSON)
        };
        TEMPLATES.iter().map(listed).collect()
    }

    /// The resources that this caller may read.
    pub(super) fn list_resources(context: &RequestContext<RoleServer>) -> ListResourcesResult {
        let may = scopes_of(context).has(Scope::Read);
        let resources = if may { Self::resources() } else { Vec::new() };
        let listed = ListResourcesResult { resources, ..ListResourcesResult::default() };
        listed.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache_of(context))
    }

    pub(super) fn list_templates(
        context: &RequestContext<RoleServer>,
    ) -> ListResourceTemplatesResult {
        let may = scopes_of(context).has(Scope::Read);
        let resource_templates = if may { Self::resource_templates() } else { Vec::new() };
        let listed = ListResourceTemplatesResult {
            resource_templates,
            ..ListResourceTemplatesResult::default()
        };
        listed.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache_of(context))
    }

    /// What a resource holds. The ledger is read, and nobody is asked.
    pub(super) async fn read_resource(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        may_read("resources/read", context)?;
        let mut meta = None;
        let (text, mime_type, cache) = match uri::parse(uri)? {
            Wanted::Fixed(row) => {
                meta = row.meta;
                let cache = if row.public { CacheScope::Public } else { cache_of(context) };
                ((row.text)(self), row.mime_type, Some(cache))
            }
            Wanted::RespCode(row) => {
                (json(&Explained::new(row, true)), JSON, Some(CacheScope::Public))
            }
            Wanted::PayType(row) => (json(&OneWay::new(row, true)), JSON, Some(CacheScope::Public)),
            Wanted::Order(number) => (self.order_text(&number, uri).await?, JSON, None),
        };
        let contents = ResourceContents::text(text, uri).with_mime_type(mime_type);
        let contents = match meta {
            Some(meta) => contents.with_meta(meta()),
            None => contents,
        };
        let read = ReadResourceResult::new(vec![contents]);
        Ok(match cache {
            Some(cache) => read.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache),
            None => read.with_ttl_ms(0).with_cache_scope(CacheScope::Private),
        })
    }
}

/// Refuses who may not look.
pub(super) fn may_read(
    method: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    if scopes_of(context).has(Scope::Read) {
        return Ok(());
    }
    let text = format!(
        "`{method}` is not open to you: it takes a token with the scope `{}`; an operator has to \
         issue one",
        Scope::Read.name()
    );
    Err(ErrorData::invalid_request(text, None))
}

/// There is no such resource; `wanted` says what there is.
fn not_found(uri: &str, wanted: &str) -> ErrorData {
    let uri = cleaned(uri);
    let text = format!("there is no resource {uri}: {wanted}");
    ErrorData::resource_not_found(text, Some(serde_json::json!({ "uri": uri })))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a resource could not be written as JSON");
        String::new()
    })
}
