//! A transport that skips what a client should not send before it opens the conversation; it knows
//! rmcp's rule of what opens one, and nothing of how the bytes travel.
//!
//! rmcp gives a connection up when its first message is a notification or an answer. Clients do send
//! such messages (a cancel of their own probe, an early `initialized`), and a server that then ends
//! leaves them without one.
use std::borrow::Cow;

use rmcp::{
    RoleServer, ServerHandler,
    model::{ClientRequest, GetMeta as _, JsonRpcMessage, ProtocolVersion},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};

/// `T`, without stray messages before the conversation is open.
pub(super) struct Opening<T> {
    inner: T,
    versions: Cow<'static, [ProtocolVersion]>,
    open: bool,
}

impl<T> Opening<T> {
    /// Wraps `inner` for `server`, whose versions decide what opens a conversation.
    pub(super) fn new(inner: T, server: &impl ServerHandler) -> Self {
        Self { inner, versions: server.supported_protocol_versions(), open: false }
    }

    /// `initialize` opens a conversation, as does a request that carries its own context; a ping or
    /// a `server/discover` does not.
    fn opens(&self, request: &ClientRequest) -> bool {
        if matches!(request, ClientRequest::InitializeRequest(_)) {
            return true;
        }
        if matches!(request, ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_)) {
            return false;
        }
        let meta = request.get_meta();
        meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
            && meta.protocol_version().is_some_and(|version| self.versions.contains(&version))
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Opening<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let message = self.inner.receive().await?;
            if self.open {
                return Some(message);
            }
            match &message {
                JsonRpcMessage::Request(request) => {
                    self.open = self.opens(&request.request);
                    return Some(message);
                }
                JsonRpcMessage::Notification(_)
                | JsonRpcMessage::Response(_)
                | JsonRpcMessage::Error(_) => {
                    tracing::debug!("skipped a message that came before the conversation opened");
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.inner.close().await
    }
}
