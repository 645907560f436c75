//! MCP over standard input and output, one JSON message a line; it does not know what is served.
//!
//! End of input and a stop are the same thing here: no more is read, what is in flight is answered
//! and written down, and the call returns, all within [`END_LIMIT`]. `main` should then leave by
//! `std::process::exit` (or `Runtime::shutdown_background`): where standard input is no FIFO (Node
//! gives its children sockets), tokio reads it on a thread that only a further byte would end.
use std::{io, pin::pin, time::Duration};

use rmcp::{
    RoleServer, ServerHandler, serve_server,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport, stdio_pipes},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{MAX_MESSAGE_BYTES, ServeError, Shutdown, opening::Opening};

/// How long what is in flight may take after the end of input.
pub const END_LIMIT: Duration = Duration::from_secs(4);

/// Serves the client at the other end of this process's standard input and output.
pub async fn serve<S: ServerHandler>(server: S, shutdown: Shutdown) -> Result<(), ServeError> {
    let (reader, writer) = stdio_pipes();
    serve_on(server, reader, writer, shutdown).await
}

/// Serves the client at the other end of any pair of pipes.
///
/// A client that goes before it opened a conversation is no failure: several start a server only to
/// see whether it is there.
pub async fn serve_on<S, R, W>(
    server: S,
    reader: R,
    writer: W,
    shutdown: Shutdown,
) -> Result<(), ServeError>
where
    S: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let lines =
        AsyncRwTransport::new_server(reader, writer).with_max_line_length(MAX_MESSAGE_BYTES);
    let ended = CancellationToken::new();
    let input = Input { lines, stop: shutdown.token().clone(), ended: ended.clone() };
    let transport = Opening::new(input, &server);
    let running = match serve_server(server, transport).await {
        Ok(running) => running,
        Err(error) => {
            tracing::debug!(%error, "the client left before it opened a conversation");
            shutdown.stop();
            shutdown.drain(END_LIMIT).await;
            return Ok(());
        }
    };
    let cancel = running.cancellation_token();
    let mut finish = pin!(running.waiting());
    let quit = tokio::select! {
        quit = finish.as_mut() => Some(quit),
        () = ended.cancelled() => None,
    };
    if let Some(quit) = quit {
        shutdown.stop();
        shutdown.drain(END_LIMIT).await;
        quit?;
        return Ok(());
    }
    // What only waits has nobody to wait for any more.
    shutdown.stop();
    // Answers are still on their way to the client, and work to the ledger: both share the limit.
    let answered = tokio::time::timeout(END_LIMIT, finish);
    let (answered, _) = tokio::join!(answered, shutdown.drain(END_LIMIT));
    if let Ok(quit) = answered {
        quit?;
    } else {
        tracing::warn!(limit = ?END_LIMIT, "some calls were not answered before the end");
        cancel.cancel();
    }
    Ok(())
}

/// The lines of a client, which end where the client's do or when we are told to stop.
struct Input<T> {
    lines: T,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl<T: Transport<RoleServer, Error = io::Error>> Transport<RoleServer> for Input<T> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.lines.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = tokio::select! {
            () = self.stop.cancelled() => None,
            message = self.lines.receive() => message,
        };
        if message.is_none() {
            self.ended.cancel();
        }
        message
    }

    async fn close(&mut self) -> io::Result<()> {
        self.lines.close().await
    }
}
