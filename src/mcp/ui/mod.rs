//! The payment card, an MCP App (extension `io.modelcontextprotocol/ui`, version 2026-01-26): one
//! page that a host shows in the conversation, beside the tools that name it. It calls our tools
//! through the host, and may do nothing that the model may not.
use std::sync::LazyLock;

use rmcp::model::{ExtensionCapabilities, JsonObject, MetaObject};
use serde_json::{Map, Value, json};

use crate::spec::{
    CURRENCIES, PAY_TYPES, RESP_CODES, environments::ENVIRONMENTS, resp_codes::Verdict,
};

/// What a client that shows such pages looks for among the server's extensions.
const EXTENSION: &str = "io.modelcontextprotocol/ui";
pub(super) const MIME_TYPE: &str = "text/html;profile=mcp-app";
pub(super) const URI: &str = "ui://qfpay/payment.html";
/// Where the page keeps what it takes from our tables; empty in the file.
const TABLES: &str = r#"<script type="application/json" id="spec">{}</script>"#;
/// The code of an order that was not paid in time.
const EXPIRED: &str = "1181";

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let filled = TABLES.replace("{}", &tables().to_string().replace('<', "\\u003c"));
    include_str!("payment.html").replace(TABLES, &filled)
});

/// That we have a page, for hosts that show them.
pub(super) fn extensions() -> ExtensionCapabilities {
    [(EXTENSION.to_owned(), object(&json!({ "mimeTypes": [MIME_TYPE] })))].into()
}

/// The `_meta` of a tool whose result the card shows. The flat key is that of older hosts. Model and
/// card may both call it, as where nothing is said.
pub(super) fn of_tool() -> MetaObject {
    meta(&json!({ "ui": { "resourceUri": URI }, "ui/resourceUri": URI }))
}

/// The page itself.
pub(super) fn page() -> &'static str {
    &PAGE
}

/// What the page needs of our tables, so that it has none of its own.
fn tables() -> Value {
    let types: Map<String, Value> =
        PAY_TYPES.iter().map(|it| (it.code.to_owned(), it.name.into())).collect();
    let decimals: Map<String, Value> =
        CURRENCIES.iter().map(|it| (it.code.to_owned(), it.exponent.into())).collect();
    let real: Map<String, Value> = ENVIRONMENTS
        .iter()
        .map(|it| (it.name.to_owned(), it.environment.moves_real_money().into()))
        .collect();
    let refused = RESP_CODES.iter().filter(|it| it.reading.verdict == Verdict::Refused);
    let codes: Map<String, Value> =
        refused.map(|it| (it.code.to_owned(), json!([it.zh_hant, it.zh_hans]))).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "types": types,
        "decimals": decimals,
        "real": real,
        "codes": codes,
        "expired": EXPIRED,
    })
}

/// No origin may be reached, and no permission is asked for.
pub(super) fn of_page() -> MetaObject {
    let none: [&str; 0] = [];
    meta(&json!({ "ui": {
        "csp": { "connectDomains": none, "resourceDomains": none, "frameDomains": none, "baseUriDomains": none },
        "prefersBorder": true,
    }}))
}

fn meta(value: &Value) -> MetaObject {
    MetaObject::from(object(value))
}

fn object(value: &Value) -> JsonObject {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::{
        domain::{PaymentState, RefundState},
        mcp::{NEEDS_APPROVAL, Server},
        spec::RespCode,
    };

    /// What stands between `open` and the next `close`; there is exactly one.
    fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
        let mut parts = page.split(open);
        let (_, rest) = (parts.next(), parts.next().unwrap());
        assert_eq!(parts.next(), None, "there is more than one {open}");
        rest.split_once(close).unwrap().0
    }

    #[test]
    fn the_policy_of_the_page_lets_its_own_script_and_style_run_and_nothing_else() {
        let policy = between(&PAGE, "Content-Security-Policy\" content=\"", "\"");
        let hash = |it: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(it)));
        let script = hash(between(&PAGE, "<script>", "</script>"));
        let style = hash(between(&PAGE, "<style>", "</style>"));
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src {script}; style-src {style}; img-src data:; \
                 base-uri 'none'; form-action 'none'"
            )
        );
    }

    #[test]
    fn the_page_names_no_address_and_makes_no_markup_of_text() {
        for word in [
            "http:",
            "https:",
            "//cdn",
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "eval(",
            "document.write",
        ] {
            assert!(!PAGE.contains(word), "{word}");
        }
    }

    #[test]
    fn the_tools_that_move_money_name_a_card_that_can_be_read_and_reaches_nobody() {
        let naming = Server::tools().into_iter().filter(|it| it.meta.is_some());
        let naming: Vec<_> = naming.map(|it| (it.name, it.meta.unwrap())).collect();
        assert_eq!(naming, ["create_payment", "refund"].map(|it| (it.into(), of_tool())));
        let listed = Server::resources().into_iter().find(|it| it.uri == URI).unwrap();
        assert_eq!(listed.mime_type.as_deref(), Some(MIME_TYPE));
        let ui = &listed.meta.unwrap().0["ui"];
        let domains = ui["csp"].as_object().unwrap();
        assert!(domains.len() == 4 && domains.values().all(|it| *it == json!([])), "{ui}");
        assert_eq!(ui.get("permissions"), None);
    }

    #[test]
    fn the_page_shows_every_state_in_words() {
        let payments = PaymentState::ALL.iter().map(|it| ("payment", it.word()));
        let refunds = RefundState::ALL.iter().map(|it| ("refund", it.word()));
        let waits = ["payment", "refund"].map(|it| (it, NEEDS_APPROVAL));
        for (kind, word) in payments.chain(refunds).chain(waits) {
            let states = between(&PAGE, &format!("  {kind}: {{\n"), "  },\n");
            assert!(states.contains(&format!(" {word}: [")), "{kind}: {word}");
            assert!(PAGE.contains(&format!("\"{kind}.{word}\": [")), "{kind}: {word}");
        }
    }

    #[test]
    fn the_page_is_filled_from_the_tables_and_stays_one_page() {
        let tables = between(&PAGE, "id=\"spec\">", "</script>");
        assert!(!tables.contains('<'));
        let tables: Value = serde_json::from_str(tables).unwrap();
        assert_eq!(tables["types"].as_object().unwrap().len(), PAY_TYPES.len());
        assert_eq!(tables["decimals"]["JPY"], 0);
        assert_eq!(
            tables["real"],
            json!({"simulator": false, "sandbox": false, "test": true, "prod": true})
        );
        assert_eq!(RespCode::find(EXPIRED).unwrap().en, "Order expired");
        assert_eq!(tables["codes"][EXPIRED][0], "訂單已過期");
    }
}
