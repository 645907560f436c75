//! The same local call over every transport, beside rmcp alone with a tool that does nothing; what a
//! session holds; payments over HTTP beside the same signed POST alone.
use std::process::Stdio;

use super::{
    Effort, Trouble,
    desk::{Desk, Simulator},
    figures::{Rate, Table},
    floor::Transport,
    payments::{Alone, arguments},
    peer::Peer,
    wire::{Form, Site},
};

/// A local tool of the product, which the floor has under the same name.
const CALL: &str = r#"{"name":"explain_respcd","arguments":{"query":"1145"}}"#;
const IN_FLIGHT: [usize; 3] = [1, 32, 64];
/// Sessions that are opened to see what they hold.
const SESSIONS: usize = 500;

pub(crate) async fn measure(effort: Effort, postgres: Option<&str>) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let heads = [
        "",
        "in flight",
        "a second",
        "p50",
        "p99",
        "server's work",
        "floor: rmcp alone",
        "its work",
        "share",
    ];
    let mut table = Table::new(heads, 8);
    let (mut ours, mut bare) =
        (Peer::start(desk.command())?, Peer::start(Transport::Stdio.command()?)?);
    ours.open().await?;
    bare.open().await?;
    for in_flight in IN_FLIGHT {
        let mut pairs = Pairs::default();
        for span in effort.spans() {
            let floor = bare.rate(span, in_flight, "tools/call", |_| CALL.to_owned()).await?;
            pairs.add(ours.rate(span, in_flight, "tools/call", |_| CALL.to_owned()).await?, floor);
        }
        table.row(pairs.row("stdio", in_flight));
    }
    ours.end().await?;
    bare.end().await?;

    let token = desk.token().await?;
    let site = Site::start(desk.http(None), &token).await?;
    let bare = Site::start(Transport::Http.command()?, "").await?;
    for era in ["HTTP, 2026-07-28", "HTTP, a session of 2025-11-25"] {
        let forms = if era.ends_with("2026-07-28") {
            (Form::Modern, Form::Modern)
        } else {
            (site.session().await?, bare.session().await?)
        };
        for in_flight in IN_FLIGHT {
            let mut pairs = Pairs::default();
            for span in effort.spans() {
                let floor = bare.rate(&forms.1, span, in_flight, |_| CALL.to_owned()).await?;
                pairs.add(site.rate(&forms.0, span, in_flight, |_| CALL.to_owned()).await?, floor);
            }
            table.row(pairs.row(era, in_flight));
        }
    }
    let bare_sse = Site::start(Transport::Sse.command()?, "").await?;
    for in_flight in IN_FLIGHT {
        let mut pairs = Pairs::default();
        for span in effort.spans() {
            let floor = bare_sse.sse_rate(span, in_flight, CALL).await?;
            pairs.add(site.sse_rate(span, in_flight, CALL).await?, floor);
        }
        table.row(pairs.row("SSE (floor: our transport, no token)", in_flight));
    }
    let memory = format!(
        "  memory of an idle session (HTTP, 2025-11-25, {SESSIONS} of them): {}, rmcp alone {}\n",
        held(&desk, &token).await?,
        bare_held().await?
    );
    let title = "A local call over each transport, with tokens and figures on over HTTP (aim: 0.7 of \
                 rmcp alone)";
    let payments = payments(effort, postgres).await?;
    Ok(format!("{}{memory}\n{payments}", table.written(title)))
}

/// Rounds of ours and of the floor, in turns; the first only warms up.
#[derive(Default)]
struct Pairs {
    warm: bool,
    ours: Vec<Rate>,
    floors: Vec<Rate>,
}

impl Pairs {
    fn add(&mut self, ours: Rate, floor: Rate) {
        if self.warm {
            self.ours.push(ours);
            self.floors.push(floor);
        }
        self.warm = true;
    }

    fn row(self, what: &str, in_flight: usize) -> Vec<String> {
        let (ours, floor) = (Rate::median(self.ours), Rate::median(self.floors));
        let [rate, p50, p99, work] = ours.cells();
        let share = format!("{:.2}", ours.per_second / floor.per_second);
        vec![
            what.to_owned(),
            in_flight.to_string(),
            rate,
            p50,
            p99,
            work,
            floor.whole(),
            floor.work(),
            share,
        ]
    }
}

/// What each of many idle sessions adds to the memory of a server that has served some before.
async fn held(desk: &Desk, token: &str) -> Result<String, Trouble> {
    grown(&Site::start(desk.http(None), token).await?).await
}

async fn bare_held() -> Result<String, Trouble> {
    grown(&Site::start(Transport::Http.command()?, "").await?).await
}

async fn grown(site: &Site) -> Result<String, Trouble> {
    for _ in 0..20 {
        site.session().await?;
    }
    let before = site.memory();
    for _ in 0..SESSIONS / 2 - 20 {
        site.session().await?;
    }
    let grown = site.memory().zip(before).map(|(after, before)| after.saturating_sub(before));
    let each = grown.map(|it| it / u64::try_from(SESSIONS / 2 - 20).unwrap_or(1) / 1024);
    Ok(each.map_or("?".to_owned(), |it| format!("{it} kB")))
}

async fn payments(effort: Effort, postgres: Option<&str>) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let simulator = Simulator::start(&desk).await?;
    let alone = Alone::new(&simulator.url)?;
    let token = desk.token().await?;
    let mut table = Table::new(
        [
            "",
            "in flight",
            "a second",
            "p50",
            "p99",
            "server's work",
            "floor: the POST alone",
            "its work",
            "share",
        ],
        8,
    );
    let stores = [("SQLite", None), ("PostgreSQL", postgres)];
    for (store, ledger) in stores.into_iter().filter(|(at, url)| *at == "SQLite" || url.is_some()) {
        let mut command = desk.http(ledger);
        command.env("QFPAY_SIMULATOR_URL", &simulator.url).stdout(Stdio::null());
        let site = Site::start(command, &token).await?;
        for in_flight in [1, 64] {
            let mut pairs = Pairs::default();
            for (at, span) in effort.spans().into_iter().enumerate() {
                let floor = alone.rate(span, in_flight).await?;
                let number = |id| arguments(&format!("H{store}{in_flight}x{at}x{id}"));
                pairs.add(site.rate(&Form::Modern, span, in_flight, number).await?, floor);
            }
            table.row(pairs.row(&format!("create_payment over HTTP, {store}"), in_flight));
        }
    }
    alone.end();
    Ok(table.written("Durable payments over HTTP, the simulator in a process of its own"))
}
