//! Where a person has to say yes before money moves.
use crate::spec::Environment;

/// The value of `QFPAY_CONFIRM`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Confirm {
    /// In every environment.
    Always,
    /// Where money is real.
    #[default]
    Money,
    /// Nowhere.
    Never,
}

impl Confirm {
    pub const ALL: [Self; 3] = [Self::Always, Self::Money, Self::Never];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Money => "money",
            Self::Never => "never",
        }
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    pub fn asks(self, environment: Environment) -> bool {
        match self {
            Self::Always => true,
            Self::Money => environment.moves_real_money(),
            Self::Never => false,
        }
    }
}
