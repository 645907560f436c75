//! Where QFPay can be reached, and whether the money there is real.
//!
//! Source: <https://sdk.qfapi.com/integration/preparation/environments>; other regions from
//! older official pages.

/// An environment the server can run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Environment {
    /// The built-in simulator, on loopback.
    Simulator,
    /// QFPay's sandbox: simulated, chiefly cards.
    Sandbox,
    /// QFPay's live test: real wallets, real money, never settled; refund at once.
    Test,
    /// Production.
    Prod,
}

/// Whether payments in an environment move money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    Simulated,
    Real,
}

/// One environment, as told to people.
#[derive(Debug)]
pub struct EnvironmentRow {
    pub environment: Environment,
    /// The value of `QFPAY_ENV` and the word in replies.
    pub name: &'static str,
    /// Scheme and host; none for the simulator, whose port is chosen at start.
    pub base_url: Option<&'static str>,
    pub money: Money,
    /// One plain sentence.
    pub meaning: &'static str,
}

#[rustfmt::skip]
pub static ENVIRONMENTS: &[EnvironmentRow; 4] = &[
    EnvironmentRow { environment: Environment::Simulator, name: "simulator", base_url: None, money: Money::Simulated,
        meaning: "the built-in QFPay simulator on this machine; no account, no money" },
    EnvironmentRow { environment: Environment::Sandbox, name: "sandbox", base_url: Some("https://openapi-int.qfapi.com"), money: Money::Simulated,
        meaning: "QFPay's sandbox; simulated, chiefly cards, may not support all payment types" },
    EnvironmentRow { environment: Environment::Test, name: "test", base_url: Some("https://test-openapi-hk.qfapi.com"), money: Money::Real,
        meaning: "QFPay's live test; real wallets and real money that is not settled, so refund at once" },
    EnvironmentRow { environment: Environment::Prod, name: "prod", base_url: Some("https://openapi-hk.qfapi.com"), money: Money::Real,
        meaning: "QFPay production in Hong Kong; real money" },
];

/// A host of another region. Credentials are per country, so none of these is offered yet.
#[derive(Debug)]
pub struct OtherRegion {
    pub region: &'static str,
    pub prod: &'static str,
    pub test: &'static str,
}

#[rustfmt::skip]
pub static OTHER_REGIONS: &[OtherRegion] = &[
    OtherRegion { region: "Mainland China",  prod: "https://openapi.qfpay.com",      test: "https://openapi-test.qfpay.com" },
    OtherRegion { region: "Japan",           prod: "https://openapi-jp.qfapi.com",   test: "https://test-openapi-jp.qfapi.com" },
    OtherRegion { region: "Thailand",        prod: "https://openapi-th.qfapi.com",   test: "https://test-openapi-th.qfapi.com" },
    OtherRegion { region: "Singapore",       prod: "https://openapi-sg.qfapi.com",   test: "https://test-openapi-sg.qfapi.com" },
    OtherRegion { region: "Indonesia",       prod: "https://openapi-id.qfapi.com",   test: "https://test-openapi-id.qfapi.com" },
    OtherRegion { region: "Europe",          prod: "https://openapi-eur.qfapi.com",  test: "https://test-openapi-eur.qfapi.com" },
    OtherRegion { region: "Dubai",           prod: "https://openapi-db.qfapi.com",   test: "https://test-openapi-db.qfapi.com" },
];

impl Environment {
    /// The environment called `name` in `QFPAY_ENV`.
    pub fn find(name: &str) -> Option<Self> {
        ENVIRONMENTS.iter().find(|it| it.name == name).map(|it| it.environment)
    }

    /// Its row in [`ENVIRONMENTS`], which a test holds in the enum's order.
    pub fn row(self) -> &'static EnvironmentRow {
        let [simulator, sandbox, test, prod] = ENVIRONMENTS;
        match self {
            Self::Simulator => simulator,
            Self::Sandbox => sandbox,
            Self::Test => test,
            Self::Prod => prod,
        }
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Where that is, in a sentence: `in production`.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Simulator => "in the simulator",
            Self::Sandbox => "in the sandbox",
            Self::Test => "in `test`",
            Self::Prod => "in production",
        }
    }

    pub fn moves_real_money(self) -> bool {
        self.row().money == Money::Real
    }
}

/// All names, for messages.
pub fn names() -> Vec<&'static str> {
    ENVIRONMENTS.iter().map(|it| it.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_environment_has_its_own_row_and_only_qfpay_hosts_are_named() {
        for row in ENVIRONMENTS {
            assert_eq!(row.environment.row().name, row.name);
            assert_eq!(Environment::find(row.name), Some(row.environment));
            assert_eq!(row.base_url.is_none(), row.environment == Environment::Simulator);
        }
        let others = OTHER_REGIONS.iter().flat_map(|it| [it.prod, it.test]);
        let hosts: Vec<&str> =
            ENVIRONMENTS.iter().filter_map(|it| it.base_url).chain(others).collect();
        for url in &hosts {
            let host = url.strip_prefix("https://").unwrap();
            assert!(host.ends_with(".qfapi.com") || host.ends_with(".qfpay.com"), "{host}");
        }
        let mut once = hosts.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), hosts.len());
    }

    #[test]
    fn only_test_and_prod_move_real_money() {
        let real: Vec<&str> = ENVIRONMENTS
            .iter()
            .filter(|it| it.environment.moves_real_money())
            .map(|it| it.name)
            .collect();
        assert_eq!(real, ["test", "prod"]);
    }
}
