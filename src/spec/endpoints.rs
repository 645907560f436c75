//! The calls of QFPay's API that we make, and what each does to money.
//!
//! Source: contract §1; <https://sdk.qfapi.com/integration/common-api/>.

/// One call of the trade API. All are `POST` with a form body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Payment,
    Query,
    Refund,
    Reversal,
    Close,
}

/// Whether a call can change what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Asks only; may be repeated freely inside the pace.
    Reads,
    /// Moves money or ends an order; never repeated unless it surely was not processed.
    Moves,
}

impl Endpoint {
    pub const ALL: [Self; 5] =
        [Self::Payment, Self::Query, Self::Refund, Self::Reversal, Self::Close];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Payment => "/trade/v1/payment",
            Self::Query => "/trade/v1/query",
            Self::Refund => "/trade/v1/refund",
            Self::Reversal => "/trade/v1/reversal",
            Self::Close => "/trade/v1/close",
        }
    }

    pub const fn effect(self) -> Effect {
        match self {
            Self::Query => Effect::Reads,
            Self::Payment | Self::Refund | Self::Reversal | Self::Close => Effect::Moves,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_own_path_and_only_a_query_moves_nothing() {
        let told = Endpoint::ALL.map(|it| format!("{} {:?}", it.path(), it.effect()));
        assert_eq!(
            told,
            [
                "/trade/v1/payment Moves",
                "/trade/v1/query Reads",
                "/trade/v1/refund Moves",
                "/trade/v1/reversal Moves",
                "/trade/v1/close Moves",
            ]
        );
    }
}
