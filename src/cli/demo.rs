//! `demo`: an agent's whole conversation on the simulator, for a person to watch.
//!
//! Nothing in it is staged: a real MCP client speaks to the real server over a pipe, which signs
//! and sends real HTTP requests to the simulator.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::{
    complain, qr,
    session::{Session, SessionError, text},
    style::Style,
};
use crate::{
    config::variables as var,
    domain::{Amount, PaymentState},
    spec::{Currency, Environment},
};

/// How long the simulated payer looks at the code.
const PAYER_SECONDS: u64 = 4;
/// How often the demo asks whether it is paid.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// When the demo stops waiting.
const GIVE_UP: Duration = Duration::from_secs(60);
/// What a shell expects of a program that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;
const AMOUNT_MINOR: u64 = 10_500;

/// What can go wrong in a demo.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("{tool} was refused: {said}")]
    Refused { tool: &'static str, said: String },
    #[error("the payment was not paid within {} s", GIVE_UP.as_secs())]
    NotPaid,
    #[error("no directory for the demo: {0}")]
    Directory(#[from] std::io::Error),
}

pub(super) async fn run(style: Style) -> ExitCode {
    tokio::select! {
        result = show(style) => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("qfpay-mcp demo: {error}"));
                ExitCode::FAILURE
            }
        },
        _ = tokio::signal::ctrl_c() => {
            style.over("");
            complain("Stopped. Nothing is left behind.");
            ExitCode::from(INTERRUPTED)
        }
    }
}

async fn show(style: Style) -> Result<(), DemoError> {
    let directory = Directory::new()?;
    let settings = [
        (var::ENV, Environment::Simulator.name().to_owned()),
        (var::STATE_DIR, directory.path().display().to_string()),
        (var::SIMULATOR_PAYER_SECONDS, PAYER_SECONDS.to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    style.line(&style.bold("An agent takes a payment, on the built-in QFPay simulator."));
    style.line(&style.dim("No account, no money. Ctrl-C ends it at any time."));
    let talk = Talk { session: Session::start(Some(BTreeMap::from(settings))).await?, style };
    let result = talk.conversation().await;
    talk.session.end().await;
    result
}

struct Talk {
    session: Session,
    style: Style,
}

impl Talk {
    async fn conversation(&self) -> Result<(), DemoError> {
        self.ways_to_pay().await?;
        let number = self.pay().await?;
        self.wait(&number).await?;
        self.refund_half(&number).await?;
        self.explain().await?;
        self.style.line("");
        self.style.line(&self.style.bold("That was all of it."));
        self.style
            .line("Connect your own agent: README.md tells how, for Claude, Cursor and VS Code.");
        Ok(())
    }

    async fn ways_to_pay(&self) -> Result<(), DemoError> {
        self.person("How can my customers pay by WeChat?");
        let reply = self.call("list_pay_types", &json!({"wallet": "wechat"})).await?;
        for it in reply.get("pay_types").and_then(Value::as_array).into_iter().flatten() {
            let (code, flow, name) = (word(it, "code"), word(it, "flow"), word(it, "name"));
            self.style.line(&format!("    {code}  {flow:<5} {name}"));
        }
        Ok(())
    }

    async fn pay(&self) -> Result<String, DemoError> {
        let amount = Currency::find("HKD").and_then(|it| Amount::from_minor(AMOUNT_MINOR, it).ok());
        let amount = amount.map(|it| it.to_string()).unwrap_or_default();
        self.person(&format!("Take {amount} for coffee beans, by QR code."));
        let arguments = json!({
            "amount": AMOUNT_MINOR, "currency": "HKD", "pay_type": "800201",
            "goods_name": "Coffee beans",
        });
        let reply = self.call("create_payment", &arguments).await?;
        if let Some(scanned) = qr::of_reply(&reply, self.style) {
            self.style.line(&scanned);
        }
        self.fields(&reply, &["status", "out_trade_no", "syssn", "amount_text"]);
        self.next_step(&reply);
        Ok(word(&reply, "out_trade_no").to_owned())
    }

    async fn wait(&self, number: &str) -> Result<(), DemoError> {
        self.person("Tell me when it is paid.");
        self.style.line(&self.style.dim(&format!(
            "  the simulated payer pays in about {PAYER_SECONDS} s; a person can use the page \
             behind the code"
        )));
        let start = Instant::now();
        self.announce("query_transaction", &json!({"out_trade_no": number}));
        loop {
            let arguments = object(json!({"out_trade_no": number}));
            let reply = self.quiet("query_transaction", arguments).await?;
            let order = reply.pointer("/orders/0").cloned().unwrap_or_default();
            let (status, waited) = (word(&order, "status"), start.elapsed().as_secs());
            if status == PaymentState::Paid.word() {
                self.style.over("");
                self.style.line(&format!("    {} after {waited} s", self.style.good("paid")));
                self.fields(&order, &["paid_at", "left_text"]);
                return Ok(());
            }
            if start.elapsed() > GIVE_UP {
                return Err(DemoError::NotPaid);
            }
            let line = format!("    {status} … {waited} s");
            self.style.progress(&line);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn refund_half(&self, number: &str) -> Result<(), DemoError> {
        self.person("Half of the beans were broken. Give half of it back.");
        let arguments = json!({"out_trade_no": number, "amount": AMOUNT_MINOR / 2});
        let reply = self.call("refund", &arguments).await?;
        self.fields(&reply, &["status", "refund_no", "amount_text", "left_text"]);
        let reply = self.call("query_transaction", &json!({"out_trade_no": number})).await?;
        let order = reply.pointer("/orders/0").cloned().unwrap_or_default();
        self.fields(&order, &["status", "amount_text", "left_text"]);
        Ok(())
    }

    async fn explain(&self) -> Result<(), DemoError> {
        self.person("Last week I saw code 1269 on a refund. What was that?");
        let reply = self.call("explain_respcd", &json!({"query": "1269"})).await?;
        let first = reply.pointer("/matches/0").cloned().unwrap_or_default();
        self.fields(&first, &["respcd", "meaning", "zh_hant", "on_refund", "retry"]);
        self.next_step(&first);
        Ok(())
    }

    fn person(&self, says: &str) {
        self.style.line("");
        self.style.line(&format!("{} {says}", self.style.bold("You:")));
    }

    fn announce(&self, tool: &str, arguments: &Value) {
        self.style.line(&format!(
            "  → {} {}",
            self.style.bold(tool),
            self.style.dim(&arguments.to_string())
        ));
    }

    async fn call(&self, tool: &'static str, arguments: &Value) -> Result<Value, DemoError> {
        self.announce(tool, arguments);
        self.quiet(tool, object(arguments.clone())).await
    }

    async fn quiet(&self, tool: &'static str, arguments: JsonObject) -> Result<Value, DemoError> {
        let result = self.session.call(tool, arguments).await?;
        match result.structured_content {
            Some(content) if result.is_error != Some(true) => Ok(content),
            _ => Err(DemoError::Refused { tool, said: text(&result) }),
        }
    }

    fn fields(&self, reply: &Value, names: &[&str]) {
        for name in names {
            let value = word(reply, name);
            if !value.is_empty() {
                self.style.line(&format!("    {:<13} {value}", self.style.dim(name)));
            }
        }
    }

    fn next_step(&self, reply: &Value) {
        self.style.line(&format!("    {}", self.style.dim(word(reply, "next_step"))));
    }
}

fn word<'a>(reply: &'a Value, name: &str) -> &'a str {
    reply.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn object(value: Value) -> JsonObject {
    if let Value::Object(object) = value { object } else { JsonObject::new() }
}

/// A directory of the demo's own, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self, std::io::Error> {
        let name = format!("qfpay-mcp-demo-{:08x}", rand::random::<u32>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
