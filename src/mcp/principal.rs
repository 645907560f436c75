//! Who calls, as far as a transport found out, and what they may call. How they proved it is the
//! transport's affair.
use std::fmt;

use rmcp::{RoleServer, service::RequestContext};

use crate::policy::Action;

/// What a caller may do. Each tool needs one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look orders up, and ask the local tables.
    Read,
    /// Take payments, and end those that are not paid.
    Pay,
    /// Give money back.
    Refund,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Pay, Self::Refund];

    /// The word in tokens and challenges.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "qfpay:read",
            Self::Pay => "qfpay:pay",
            Self::Refund => "qfpay:refund",
        }
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// What it takes to call a tool of this name. One that nobody knows takes no more than looking:
    /// the answer is that there is none.
    pub fn of_tool(tool: &str) -> Self {
        match Action::of_tool(tool) {
            Some(Action::CreatePayment | Action::CancelPayment) => Self::Pay,
            Some(Action::Refund) => Self::Refund,
            Some(Action::QueryTransaction) | None => Self::Read,
        }
    }

    /// What it takes to call a method other than `tools/call`, if it takes anything, and its name.
    pub fn of_method(method: &str) -> Option<(&'static str, Self)> {
        LOOKING.into_iter().find(|it| *it == method).map(|it| (it, Self::Read))
    }
}

/// The methods besides calls of tools that take a scope, that of looking. Lists are open to all, and
/// hold for each what they may have.
const LOOKING: [&str; 4] =
    ["resources/read", "resources/subscribe", "skills/get", "subscriptions/listen"];

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes([bool; Scope::ALL.len()]);

impl Scopes {
    pub const ALL: Self = Self([true; Scope::ALL.len()]);

    pub fn has(self, scope: Scope) -> bool {
        self.held().any(|it| it == scope)
    }

    fn held(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().zip(self.0).filter_map(|(scope, held)| held.then_some(scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let given: Vec<Scope> = scopes.into_iter().collect();
        Self(Scope::ALL.map(|it| given.contains(&it)))
    }
}

/// Separated by blanks, as OAuth writes them (RFC 6749 §3.3).
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.held().map(Scope::name).collect::<Vec<_>>().join(" "))
    }
}

/// Whom authentication found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `token:NAME` or `oauth:SUBJECT`, as the audit keeps it.
    pub name: String,
    pub scopes: Scopes,
    /// The merchant profile that it is for.
    pub profile: Option<String>,
}

/// How a request came, in the audit's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via(pub &'static str);

/// Nothing is kept between the requests of a client before 2026-07-28, so nothing can be told to it of
/// the server's own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessionless;

impl Sessionless {
    /// As the transport says.
    pub(super) fn is(context: &RequestContext<RoleServer>) -> bool {
        let parts = context.extensions.get::<http::request::Parts>();
        parts.is_some_and(|it| it.extensions.get::<Self>().is_some())
    }
}

impl Via {
    /// As the transport says; one that says nothing has no requests of HTTP to say it on.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        let parts = context.extensions.get::<http::request::Parts>();
        parts.and_then(|it| it.extensions.get().copied()).unwrap_or(Self("stdio"))
    }
}

impl Principal {
    /// Whoever sent this request; none where the transport asks nobody who they are.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Option<&Self> {
        context.extensions.get::<http::request::Parts>()?.extensions.get()
    }
}

/// What the caller may do: everything, where nobody is asked who they are.
pub(super) fn scopes_of(context: &RequestContext<RoleServer>) -> Scopes {
    Principal::of(context).map_or(Scopes::ALL, |it| it.scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::Server;

    #[test]
    fn a_tool_that_writes_takes_more_than_looking() {
        for tool in Server::tools() {
            let writes = Action::of_tool(&tool.name).is_some_and(Action::writes);
            assert_eq!(Scope::of_tool(&tool.name) == Scope::Read, !writes, "{}", tool.name);
        }
    }

    #[test]
    fn scopes_are_a_set_that_is_written_as_oauth_does() {
        let scopes: Scopes = [Scope::Refund, Scope::Read, Scope::Read].into_iter().collect();
        assert_eq!(scopes.to_string(), "qfpay:read qfpay:refund");
        assert!(scopes.has(Scope::Read) && !scopes.has(Scope::Pay));
        assert_eq!(Scopes::ALL.to_string(), "qfpay:read qfpay:pay qfpay:refund");
        assert_eq!(Scopes::default().to_string(), "");
    }
}
