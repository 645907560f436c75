//! `simulator`: the QFPay simulator alone, until Ctrl-C.
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use super::{complain, ended, wire};
use crate::{
    config::Config,
    simulator::{self, Faults, Simulator},
    transport::Shutdown,
};

pub(super) async fn run(
    config: &Config,
    bind: SocketAddr,
    book: Option<PathBuf>,
    faults: Option<Faults>,
) -> ExitCode {
    let mut settings = wire::simulator_settings(config, bind);
    if let Some(book) = book {
        settings.book = book;
    }
    let on_purpose = faults.as_ref().map_or(String::new(), |it| format!("\n  faults   {it}"));
    settings.faults = faults;
    let (app_code, book) = (settings.app_code.clone(), settings.book.display().to_string());
    let key = if simulator::is_built_in(&settings.key) {
        simulator::KEY
    } else {
        "(yours, from the environment)"
    };
    let shutdown = Shutdown::new();
    if let Err(error) = shutdown.stop_on_signals() {
        return ended(Err(error));
    }
    let simulator = match Simulator::start(settings).await {
        Ok(simulator) => simulator,
        Err(error) => return ended(Err(error)),
    };
    complain(&format!(
        "QFPay simulator on {}\n  app code {app_code}\n  key      {key}\n  orders   {book}{on_purpose}\n\
         See them in a browser at that address. Ctrl-C ends it.",
        simulator.url()
    ));
    shutdown.stopped().await;
    simulator.stop().await;
    ExitCode::SUCCESS
}
