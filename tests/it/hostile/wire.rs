//! Bytes on a connection, as no HTTP library would send them.
use std::{net::SocketAddr, pin::pin, task::Poll, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::harness::soon;

/// A connection, on which something may have been sent.
pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    loop {
        // Its queue is full for a moment, where thousands come at once.
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends bytes that may be half a request, and does not wait for an answer.
pub(super) async fn begun(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(address).await;
    // Who was cut off is found out later.
    let _ = stream.write_all(bytes).await;
    stream
}

/// The status of the next answer; `cut` where the connection ends without one.
pub(super) async fn status(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    let read = async {
        while head.len() < 12 {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
    };
    soon("an answer, or the end of the connection", read).await;
    let text = String::from_utf8_lossy(&head).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "));
    status.map_or_else(|| "cut".to_owned(), str::to_owned)
}

/// What is answered to bytes on a connection of their own. The answer may come before they were sent.
pub(super) async fn asked(address: SocketAddr, bytes: &[u8]) -> String {
    let (mut reader, mut writer) = connect(address).await.into_split();
    let write = async {
        let _ = writer.write_all(bytes).await;
        // What follows would be another request.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = status(&mut reader) => status,
        () = write => unreachable!("it never ends"),
    }
}

/// What has been answered so far: a status, `cut`, or `otherwise`.
pub(super) async fn so_far(stream: &mut TcpStream, otherwise: &str) -> String {
    // What a task may do at once is bounded, and thousands of connections are more than that.
    tokio::task::yield_now().await;
    match futures::poll!(pin!(status(stream))) {
        Poll::Ready(status) => status,
        Poll::Pending => otherwise.to_owned(),
    }
}

/// Whether the server has ended a connection on which it has nothing to say.
pub(super) fn is_cut(stream: &TcpStream) -> bool {
    match stream.try_read(&mut [0; 1]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}
