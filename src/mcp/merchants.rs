//! What clients speak to: for each request the server of the merchant whose caller it is.
//!
//! The caller's token says which merchant that is, never an argument. Ledger, pace, limits and
//! policy are the server's, so nothing is shared between two merchants but the process.
use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams,
        GetSkillResult, InitializeRequestParams, InitializeResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};

use super::{
    Principal, Server, Sessionless, Taken, resources::may_read, skill, subscriptions,
    subscriptions::Session, tools::ROUTER,
};
use crate::{
    ledger::{Approval, LedgerError},
    meter,
    payments::notify::Belongs,
    places::Places,
};

/// The servers of a process, one a merchant; at least one. Each session is served by a clone of its
/// own.
pub struct Merchants {
    /// By the name of their profile; one without a name where there is one merchant only.
    all: Arc<[(Option<String>, Server)]>,
    /// Whose callers are who have no profile.
    picked: Option<String>,
    /// Room for what is followed, for all sessions.
    followed: Places,
    /// What this session alone has.
    session: Session,
}

impl Clone for Merchants {
    fn clone(&self) -> Self {
        Self {
            all: self.all.clone(),
            picked: self.picked.clone(),
            followed: self.followed.clone(),
            session: Session::default(),
        }
    }
}

/// One merchant, whatever profile a caller has.
impl From<Server> for Merchants {
    fn from(server: Server) -> Self {
        Self::of_all(None, Arc::new([(None, server)]))
    }
}

impl Merchants {
    /// Several merchants by the names of their profiles; `picked` is whose callers are who have no
    /// token.
    pub fn new(picked: Option<String>, profiles: Vec<(String, Server)>) -> Self {
        let all = profiles.into_iter().map(|(name, server)| (Some(name), server)).collect();
        Self::of_all(picked, all)
    }

    fn of_all(picked: Option<String>, all: Arc<[(Option<String>, Server)]>) -> Self {
        Self { all, picked, followed: subscriptions::places(), session: Session::default() }
    }

    /// Every server once.
    fn all(&self) -> impl Iterator<Item = &Server> {
        self.all.iter().map(|(_, server)| server)
    }

    fn of(&self, context: &RequestContext<RoleServer>) -> Result<&Server, ErrorData> {
        let wanted = match Principal::of(context) {
            Some(principal) => &principal.profile,
            None => &self.picked,
        };
        // One that has no name is everybody's.
        let found = self.all.iter().find(|(name, _)| name.is_none() || name == wanted);
        found.map(|(_, server)| server).ok_or_else(|| {
            let text = "your token names none of this server's merchant profiles; an operator has \
                        to issue one that does";
            ErrorData::invalid_request(text, None)
        })
    }

    /// From now on persons are sent to `url` to approve, with a code behind it.
    pub fn approve_at(&self, url: &str) {
        for server in self.all() {
            server.approve_at(url.to_owned());
        }
    }

    /// The question under a code that a person was given, and whose it is.
    pub async fn approval(&self, code: &str) -> Result<Option<(&Server, Approval)>, LedgerError> {
        for server in self.all() {
            if let Some(approval) = server.approval(code).await? {
                return Ok(Some((server, approval)));
            }
        }
        Ok(None)
    }

    /// The questions that wait for a person.
    pub async fn waiting(&self) -> Result<Vec<Approval>, LedgerError> {
        let mut waiting = Vec::new();
        for server in self.all() {
            waiting.extend(server.waiting().await?);
        }
        Ok(waiting)
    }

    /// Takes in what QFPay told of its own accord. It sends to one address for each app code, which
    /// several merchants may share: whose it is, the key says, then the order, then the merchant id.
    pub async fn notified(&self, body: &[u8], signature: Option<&str>) -> Taken {
        let mut told = Taken::NotBelieved("no merchant".to_owned());
        let mut believed = Vec::new();
        for server in self.all() {
            match server.belongs(body, signature).await {
                Ok(belongs) => believed.push((belongs, server)),
                // It may be theirs who cannot say so now.
                Err(Taken::Later) => told = Taken::Later,
                Err(why) if told != Taken::Later => told = why,
                Err(_) => {}
            }
        }
        let sure = believed.iter().any(|(belongs, _)| *belongs == Belongs::Order);
        if told == Taken::Later && !sure {
            return told;
        }
        // Where nobody knows the order, an operator finds it at the first whose key is right.
        believed.sort_by_key(|(belongs, _)| std::cmp::Reverse(*belongs));
        match believed.first() {
            Some((_, server)) => server.notified(body, signature).await,
            None => told,
        }
    }

    /// Measures what nothing tells when it happens, of all merchants.
    pub async fn measure(&self) -> Result<(), LedgerError> {
        meter::followed(self.followed.taken());
        for server in self.all() {
            server.measure().await?;
        }
        Ok(())
    }

    /// Whether the ledgers of all merchants can be reached; the first that cannot says why.
    pub async fn check(&self) -> Result<(), LedgerError> {
        for server in self.all() {
            server.check().await?;
        }
        Ok(())
    }
}

impl ServerHandler for Merchants {
    /// What all have in common, which rmcp asks for with every request without a session; what is said to
    /// one caller, `initialize` and `discover` say.
    fn get_info(&self) -> ServerConfig {
        Server::about()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let server = self.of(&context)?;
        context.peer.set_peer_info(request.clone());
        let negotiated = self.negotiate_initialize(&request)?;
        let mut info = server.info_of(&context);
        if let Some(resources) = &mut info.capabilities.resources
            && Sessionless::is(&context)
        {
            resources.subscribe = None;
        }
        info.protocol_version = negotiated.protocol_version;
        Ok(info)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.of(&context)?.info_of(&context)))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(self.of(&context)?.list(&context))
    }

    /// For the shape of a tool's arguments, which is the same for all.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        ROUTER.get(name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.of(&context)?.call(request, context).await
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(Server::list_resources(&context))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(Server::list_templates(&context))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(self.of(&context)?.read_resource(&request.uri, &context).await?.into())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        may_read("resources/subscribe", &context)?;
        let server = self.of(&context)?;
        self.session.subscribe(server, &self.followed, &request.uri, &context).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session.unsubscribe(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        asked: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(subscriptions::accepted(asked))
    }

    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        may_read("subscriptions/listen", stream.request_context())?;
        subscriptions::listen(self.of(stream.request_context())?, &self.followed, stream).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(self.of(&context)?.list_prompts(&context))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(self.of(&context)?.prompt(request, &context)?.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.of(&context)?.complete(request, &context).await
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        Ok(skill::list(&context))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        may_read("skills/get", &context)?;
        skill::get(&request.uri)
    }
}
