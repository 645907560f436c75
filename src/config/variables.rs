//! Every environment variable, once: its name, meaning and default. The README's table is
//! generated from here.

/// One variable.
#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    pub meaning: &'static str,
    /// What holds when it is not set, in words.
    pub default: &'static str,
}

macro_rules! variables {
    ($($constant:ident = $name:literal, $default:literal, $meaning:literal;)+) => {
        $(pub const $constant: &str = $name;)+

        /// All variables, in the order they are told in.
        pub static VARIABLES: &[Variable] =
            &[$(Variable { name: $constant, meaning: $meaning, default: $default }),+];
    };
}

variables! {
    ENV = "QFPAY_ENV", "`sandbox` with credentials, else `simulator`",
        "The environment: `simulator`, `sandbox`, `test` (real money, not settled) or `prod`.";
    APPCODE = "QFPAY_APPCODE", "none",
        "The app code QFPay issued. `QFPAY_SANDBOX_APPCODE`, `QFPAY_TEST_APPCODE` and `QFPAY_PROD_APPCODE` hold for one environment and come first; so for the next two.";
    KEY = "QFPAY_KEY", "none",
        "The client key that signs requests. Better: `QFPAY_KEY_FILE` (or `QFPAY_PROD_KEY_FILE` …), a file that holds it.";
    MCHID = "QFPAY_MCHID", "none; then it is never sent",
        "The merchant id, if QFPay issued one.";
    NOTIFY_URL = "QFPAY_NOTIFY_URL", "none",
        "Where QFPay is asked to send notifications, with each payment: the public address of `/qfpay/notifications`. Payers see it in the address of a checkout page.";
    PROFILES = "QFPAY_PROFILES", "none; then there is one merchant",
        "The names of several merchants that one server works for, comma-separated: `shopa,shopb`. `QFPAY_PROFILE_SHOPA_MCHID`, `QFPAY_PROFILE_SHOPA_KEY_FILE` and so on set for one what is common otherwise.";
    PROFILE = "QFPAY_PROFILE", "none",
        "Which of them this process works for, where no token says it: over stdio, and in commands.";
    PROD_ALLOW = "QFPAY_PROD_ALLOW", "nothing",
        "What may run in production, comma-separated: `create_payment`, `query_transaction` (with it `wait_for_payment` and `reconcile`), `refund`, `cancel_payment`.";
    PAY_TYPES = "QFPAY_PAY_TYPES", "all",
        "The only pay types that are open, comma-separated codes. `QFPAY_PROD_PAY_TYPES` and the like hold for one environment and come first; so for the next seven.";
    CURRENCIES = "QFPAY_CURRENCIES", "all",
        "The only currencies that are open, comma-separated codes.";
    MCHIDS = "QFPAY_MCHIDS", "all",
        "The only merchant ids that are open, comma-separated.";
    MAX_AMOUNT = "QFPAY_MAX_AMOUNT", "no limit; in `prod` it must be set to open `create_payment`",
        "The most for one payment, by currency, in minor units: `HKD:500000,USD:60000`; a currency that is not named is closed.";
    MAX_AMOUNT_PER_DAY = "QFPAY_MAX_AMOUNT_PER_DAY", "no limit; in `prod` as before",
        "The most for all payments of a day on the merchant's clock, in the same form.";
    MAX_PAYMENTS_PER_HOUR = "QFPAY_MAX_PAYMENTS_PER_HOUR", "no limit",
        "The most payments in any hour, whatever became of them: 1 to 1000000.";
    MAX_REFUND = "QFPAY_MAX_REFUND", "no limit; in `prod` it must be set to open `refund`",
        "The most for one refund, in the same form as payments.";
    MAX_REFUND_PER_DAY = "QFPAY_MAX_REFUND_PER_DAY", "no limit; in `prod` as before",
        "The most for all refunds of a day.";
    READ_ONLY = "QFPAY_READ_ONLY", "`off`",
        "`on` (or `1`): the tools that write are not offered, and refused.";
    CONFIRM = "QFPAY_CONFIRM", "`money`",
        "Where a person has to say yes to each payment and refund: `always`, `money` (where it is real: `test`, `prod`) or `never`.";
    CONFIRM_SECONDS = "QFPAY_CONFIRM_SECONDS", "300",
        "How long a question to a person waits for the answer, 5 to 3600 seconds.";
    APPROVAL_MINUTES = "QFPAY_APPROVAL_MINUTES", "15",
        "How long an approval outside the conversation may take, and how long it holds once it is given, 1 to 1440 minutes.";
    PUBLIC_URL = "QFPAY_PUBLIC_URL", "none",
        "The address under which clients reach the HTTP server, without `/mcp`: `https://pay.example.com`, or `https://example.com/qfpay` behind a proxy. Tokens of an authorization server are for this address with `/mcp`.";
    ALLOWED_HOSTS = "QFPAY_ALLOWED_HOSTS", "the public address and this machine's own names",
        "More names that the HTTP server answers to, comma-separated.";
    ALLOWED_ORIGINS = "QFPAY_ALLOWED_ORIGINS", "none",
        "Web pages that may call the HTTP server, comma-separated: `https://app.example.com`, `http://localhost:*`.";
    TRUSTED_PROXIES = "QFPAY_TRUSTED_PROXIES", "none",
        "Networks from which plain HTTP is taken, and whose `X-Forwarded-For` is believed: `10.0.0.0/8`.";
    TOKENS_FILE = "QFPAY_TOKENS_FILE", "none",
        "A file of the tokens that the HTTP server takes, a line each, as `qfpay-mcp token new NAME` prints it.";
    OAUTH_ISSUER = "QFPAY_OAUTH_ISSUER", "none",
        "The authorization server whose tokens the HTTP server takes: `https://auth.example.com`.";
    OAUTH_JWKS_URL = "QFPAY_OAUTH_JWKS_URL", "as the authorization server says",
        "Where its keys are.";
    OAUTH_PROFILE_CLAIM = "QFPAY_OAUTH_PROFILE_CLAIM", "`qfpay_profile`",
        "The claim of a token that names the merchant profile.";
    MAX_SESSIONS = "QFPAY_MAX_SESSIONS", "1000",
        "The most sessions of older clients at once over HTTP, 1 to 100000; about 85 kB each.";
    OPERATORS_FILE = "QFPAY_OPERATORS_FILE", "none; then approvals are given in a terminal only",
        "A file of those who may approve over HTTP, a line each, as `qfpay-mcp operator NAME` prints it.";
    STATE_DIR = "QFPAY_STATE_DIR", "`qfpay-mcp` in the user's state directory",
        "The directory that holds everything we write.";
    LEDGER = "QFPAY_LEDGER", "`ledger.db` in the state directory",
        "Another file for the ledger, or `postgres://user:password@host/database` for a ledger that several machines share.";
    LEDGER_FILE = "QFPAY_LEDGER_FILE", "none",
        "A file that holds what `QFPAY_LEDGER` would, so that a password stays out of the environment.";
    REPEAT_MINUTES = "QFPAY_REPEAT_MINUTES", "5",
        "For how many minutes, 0 to 1440, a payment or refund without a number is refused after one with the same terms. What is unfinished counts however old it is.";
    GIVE_UP_MINUTES = "QFPAY_GIVE_UP_MINUTES", "120",
        "After how many minutes, 10 to 10080 (in the simulator from 1), something in doubt that QFPay has no record of is taken never to have arrived: `failed`. Never sooner than some twelve. So long after its end a checkout page on which nobody paid is `closed`.";
    RECOVERY_SECONDS = "QFPAY_RECOVERY_SECONDS", "60",
        "How often what is unfinished is looked for and asked about, 5 to 3600 seconds; at the start as well. `off` leaves it to `qfpay-mcp orders recover`.";
    TIME_ZONE = "QFPAY_TIME_ZONE", "`Asia/Hong_Kong`",
        "The merchant's time zone, for the times we send.";
    TIMEOUT_SECONDS = "QFPAY_TIMEOUT_SECONDS", "30",
        "How long QFPay may take to answer, 1 to 120 seconds. After that a payment is in doubt, not failed.";
    SIGN_TYPE = "QFPAY_SIGN_TYPE", "`SHA256`",
        "The digest of request signatures: `SHA256` or `MD5`.";
    VERIFY_RESPONSES = "QFPAY_VERIFY_RESPONSES", "`on`",
        "`off` trusts answers whose signature is wrong; they are reported either way.";
    PACE = "QFPAY_PACE", "QFPay's limits: `100/s,400/min`",
        "Other limits, or `off`; honoured in the simulator only.";
    SIMULATOR_URL = "QFPAY_SIMULATOR_URL", "a simulator inside the server",
        "A simulator that runs already; loopback addresses only.";
    SIMULATOR_PAYER_SECONDS = "QFPAY_SIMULATOR_PAYER_SECONDS", "3",
        "After how many seconds the simulated payer pays; `never` leaves it to the page behind the QR code. On a checkout page nobody pays by themselves.";
    LOG = "QFPAY_LOG", "`warn`",
        "What is logged on stderr, as a `tracing` filter: `info`, `qfpay_mcp=debug` ….";
    LOG_FORMAT = "QFPAY_LOG_FORMAT", "`text`",
        "`json`: a JSON object for each line of the log.";
}
