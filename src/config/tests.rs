use std::{collections::HashMap, path::Path};

use secrecy::ExposeSecret as _;

use super::*;

fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let vars: HashMap<&str, &str> = vars.iter().copied().collect();
    let home = |name: &str| (name == "HOME").then(|| "/home/someone".to_owned());
    Config::from_vars(&|name| vars.get(name).map(|it| (*it).to_owned()).or_else(|| home(name)))
}

fn problems(vars: &[(&str, &str)]) -> String {
    read(vars).unwrap_err().to_string()
}

#[test]
fn with_nothing_set_it_is_the_simulator_in_the_users_state_directory() {
    let config = read(&[]).unwrap();
    assert_eq!(config.environment, Environment::Simulator);
    let file = Path::new("/home/someone/.local/state/qfpay-mcp/ledger.db");
    assert!(matches!(&config.ledger, LedgerAt::File(it) if it == file));
    assert_eq!(config.pace, pace::QFPAY);
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.zone.iana_name(), Some("Asia/Hong_Kong"));
}

#[test]
fn with_credentials_it_is_the_sandbox() {
    let config = read(&[("QFPAY_APPCODE", "a"), ("QFPAY_KEY", "k")]).unwrap();
    assert_eq!(config.environment, Environment::Sandbox);
    assert_eq!(config.ledger_merchant(), "app:a");
}

#[test]
fn an_environments_own_credentials_come_first() {
    let vars = [
        ("QFPAY_ENV", "prod"),
        ("QFPAY_APPCODE", "a"),
        ("QFPAY_KEY", "k"),
        ("QFPAY_PROD_KEY", "pk"),
        ("QFPAY_TEST_KEY", "tk"),
        ("QFPAY_PROD_MCHID", "m"),
    ];
    let merchant = read(&vars).unwrap().merchant;
    assert_eq!(merchant.key.expose_secret(), "pk");
    assert_eq!((merchant.app_code.as_str(), merchant.mchid.as_deref()), ("a", Some("m")));
}

#[test]
fn a_key_can_stand_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let vars = [("QFPAY_APPCODE", "a"), ("QFPAY_KEY_FILE", path)];
    assert_eq!(read(&vars).unwrap().merchant.key.expose_secret(), "from-file");
}

#[test]
fn every_problem_is_told_at_once() {
    let vars = [
        ("QFPAY_ENV", "live"),
        ("QFPAY_TIME_ZONE", "Mars/Olympus"),
        ("QFPAY_TIMEOUT_SECONDS", "0"),
        ("QFPAY_SIGN_TYPE", "SHA1"),
        ("QFPAY_VERIFY_RESPONSES", "no"),
        ("QFPAY_PACE", "fast"),
        ("QFPAY_PROD_ALLOW", "refund,pay"),
        ("QFPAY_PAY_TYPES", "1"),
        ("QFPAY_MCHIDS", ""),
        ("QFPAY_SIMULATOR_CURRENCIES", "HKD,hkd"),
        ("QFPAY_SIMULATOR_URL", "http://example.com"),
        ("QFPAY_SIMULATOR_PAYER_SECONDS", "soon"),
        ("QFPAY_LEDGER", "mysql://x"),
        ("QFPAY_REPEAT_MINUTES", "-1"),
        ("QFPAY_GIVE_UP_MINUTES", "0"),
        ("QFPAY_RECOVERY_SECONDS", "never"),
        ("QFPAY_KEY", "${QFPAY_KEY}"),
    ];
    insta::assert_snapshot!(problems(&vars), @"
    the settings are not right:
      - QFPAY_ENV is `live`; use one of simulator, sandbox, test, prod
      - QFPAY_KEY is the literal text of a placeholder: the program that started us did not expand it; write the value there, or set QFPAY_KEY in the environment
      - QFPAY_PROD_ALLOW has `pay`; use some of create_payment, query_transaction, refund, cancel_payment
      - QFPAY_PAY_TYPES has `1`; use six-digit codes such as 800201
      - QFPAY_SIMULATOR_CURRENCIES has `hkd`; use some of AED, AUD, CAD, CNY, EUR, HKD, IDR, JPY, MMK, MYR, SGD, THB, USD
      - QFPAY_MCHIDS is set and empty; name what is open, or unset it
      - QFPAY_LEDGER is an address, but not of PostgreSQL; use postgres://user:password@host/database, or the path of a file
      - QFPAY_REPEAT_MINUTES is `-1`; use a whole number from 0 to 1440
      - QFPAY_GIVE_UP_MINUTES is `0`; use a whole number from 1 to 10080
      - QFPAY_RECOVERY_SECONDS is `never`; use a whole number from 5 to 3600, or off
      - QFPAY_TIME_ZONE is `Mars/Olympus`, which is no time zone; use a name such as Asia/Hong_Kong
      - QFPAY_TIMEOUT_SECONDS is `0`; use a whole number from 1 to 120
      - QFPAY_SIGN_TYPE is `SHA1`; use SHA256 or MD5
      - QFPAY_VERIFY_RESPONSES is `no`; use on or off
      - QFPAY_PACE is `fast`; use off, or limits such as 100/s,400/min
      - QFPAY_SIMULATOR_URL is `http://example.com`; only http:// on a loopback address is allowed, such as http://127.0.0.1:8790
      - QFPAY_SIMULATOR_PAYER_SECONDS is `soon`; use seconds up to 86400, or never
    ");
}

#[test]
fn missing_credentials_are_named_and_production_pace_is_fixed() {
    insta::assert_snapshot!(problems(&[("QFPAY_ENV", "prod"), ("QFPAY_PACE", "off")]), @"
    the settings are not right:
      - QFPAY_APPCODE (or QFPAY_PROD_APPCODE) is not set: the app code QFPay issued for `prod`; or set QFPAY_ENV=simulator to try without an account
      - QFPAY_KEY (or QFPAY_PROD_KEY) is not set: the client key QFPay issued for `prod`; or set QFPAY_ENV=simulator to try without an account
      - QFPAY_PACE is honoured in the simulator only; QFPay's limits hold in `prod`, so unset it
    ");
}

#[test]
fn only_loopback_addresses_are_simulators() {
    for good in
        ["http://127.0.0.1:8790", "http://[::1]:1", "http://localhost:80", "http://127.9.9.9"]
    {
        assert!(is_loopback(good), "{good}");
    }
    for bad in [
        "https://127.0.0.1",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://example.com/127.0.0.1",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "",
    ] {
        assert!(!is_loopback(bad), "{bad}");
    }
}

#[test]
fn the_pace_of_the_simulator_can_be_set() {
    assert_eq!(read(&[("QFPAY_PACE", "off")]).unwrap().pace, []);
    assert_eq!(read(&[("QFPAY_PACE", "100/s,400/min")]).unwrap().pace, pace::QFPAY);
}

/// The policy names them to people, and knows no settings.
#[test]
fn the_policys_own_variables_are_settings() {
    use crate::policy::variables;
    assert_eq!(variables::ALLOW, var::PROD_ALLOW);
    assert_eq!(variables::READ_ONLY, var::READ_ONLY);
}

#[test]
fn limits_and_lists_hold_for_an_environment_and_its_own_come_first() {
    let config = read(&[
        ("QFPAY_MAX_AMOUNT", "HKD:500000, USD:60000"),
        ("QFPAY_SIMULATOR_MAX_AMOUNT", "HKD:100"),
        ("QFPAY_PROD_MAX_AMOUNT_PER_DAY", "HKD:1"),
        ("QFPAY_CURRENCIES", "HKD"),
        ("QFPAY_MAX_PAYMENTS_PER_HOUR", "20"),
        ("QFPAY_READ_ONLY", "1"),
        ("QFPAY_CONFIRM", "always"),
    ]);
    let policy = config.unwrap().policy;
    let caps = policy.limits.payment.unwrap();
    assert_eq!(caps.variable, "QFPAY_SIMULATOR_MAX_AMOUNT");
    assert_eq!(caps.most, [("HKD", 100)].into());
    assert_eq!(policy.limits.payments_per_day, None, "that is production's");
    assert_eq!(policy.limits.payments_per_hour.unwrap().most, 20);
    assert_eq!(policy.allowlist.currencies.unwrap().words, ["HKD"]);
    assert!(policy.read_only);
    assert_eq!(policy.confirm.word(), "always");
}

#[test]
fn no_key_is_in_debug_output() {
    let config = read(&[("QFPAY_APPCODE", "a"), ("QFPAY_KEY", "very-secret")]).unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
}
