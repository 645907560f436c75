//! Several merchants in one process: each profile is the whole of the settings, with what is its own
//! in place of what is common.
use std::collections::BTreeMap;

use super::{Config, ConfigError, OWN, Vars, environments, own_name, variables as var};

/// What else a profile can have of its own.
const MORE: [&str; 8] = [
    var::PROD_ALLOW,
    var::READ_ONLY,
    var::CONFIRM,
    var::REPEAT_MINUTES,
    var::GIVE_UP_MINUTES,
    var::TIME_ZONE,
    var::NOTIFY_URL,
    var::PACE,
];

/// The settings of a process, and of each merchant that it works for.
#[derive(Debug, Clone)]
pub struct Profiles {
    /// Whatever is no merchant's, and the merchant of who has no profile; none where there are
    /// profiles, and none was picked.
    pub picked: Option<Config>,
    /// By name, in the order they were written in; empty where there is one merchant only.
    pub all: Vec<(String, Config)>,
}

impl Profiles {
    /// Reads the settings of all profiles.
    pub fn from_vars(vars: Vars<'_>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let names = names(vars, &mut problems);
        let wanted = set(vars, var::PROFILE);
        if names.is_empty() && problems.is_empty() {
            if let Some(wanted) = wanted {
                let (one, all) = (var::PROFILE, var::PROFILES);
                problems
                    .push(format!("{one} is `{wanted}`, but {all} names no profile; add it there"));
                return Err(ConfigError(problems));
            }
            return Ok(Self { picked: Some(Config::from_vars(vars)?), all: Vec::new() });
        }
        let mut all: Vec<(String, Config)> = Vec::new();
        for name in names {
            match Config::from_vars(&|it| lookup(vars, &name, it)) {
                Ok(config) => all.push((name.clone(), Config { profile: Some(name), ..config })),
                // What is wrong with common settings is told once.
                Err(ConfigError(more)) => {
                    let told = more.into_iter().map(|it| format!("profile {name}: {it}"));
                    problems.extend(told);
                }
            }
        }
        problems.extend(twice(&all));
        let picked = all.iter().find(|(name, _)| Some(name) == wanted.as_ref());
        let picked = picked.map(|(_, config)| config.clone());
        if let Some(wanted) = wanted.filter(|_| picked.is_none() && problems.is_empty()) {
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            problems.push(format!("{} is `{wanted}`; use one of {names}", var::PROFILE));
        }
        if problems.is_empty() { Ok(Self { picked, all }) } else { Err(ConfigError(problems)) }
    }

    /// The settings that hold where nobody says whose they are.
    pub fn one(self) -> Result<Config, ConfigError> {
        let names: Vec<String> = self.all.into_iter().map(|(name, _)| name).collect();
        self.picked.ok_or_else(|| {
            ConfigError(vec![format!(
                "{} names several merchants, and this works for one; set {} to one of {}",
                var::PROFILES,
                var::PROFILE,
                names.join(", ")
            )])
        })
    }

    /// The settings that are no merchant's.
    pub fn common(&self) -> Option<&Config> {
        self.picked.as_ref().or(self.all.first().map(|(_, config)| config))
    }
}

fn set(vars: Vars<'_>, name: &str) -> Option<String> {
    vars(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

fn names(vars: Vars<'_>, problems: &mut Vec<String>) -> Vec<String> {
    let given = set(vars, var::PROFILES).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for name in given.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if name.len() > 32 || !name.chars().all(fits) {
            let all = var::PROFILES;
            problems.push(format!("{all} names `{name}`; a name has 1 to 32 of a-z 0-9"));
        } else if names.iter().any(|it| it == name) {
            problems.push(format!("{} names `{name}` twice", var::PROFILES));
        } else {
            names.push(name.to_owned());
        }
    }
    names
}

/// Two profiles that are one merchant would share ledger, limits and pace.
fn twice(all: &[(String, Config)]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, String), &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, config) in all {
        let merchant = (config.environment.name(), config.ledger_merchant());
        if let Some(other) = seen.insert(merchant, name) {
            problems.push(format!(
                "profiles {other} and {name} are the same merchant; give each its own {} or {}",
                own_of(name, var::MCHID),
                own_of(name, var::APPCODE)
            ));
        }
    }
    problems
}

/// `QFPAY_KEY` of `shopa` → `QFPAY_PROFILE_SHOPA_KEY`.
fn own_of(profile: &str, name: &str) -> String {
    let rest = name.trim_start_matches("QFPAY_");
    format!("{}_{}_{rest}", var::PROFILE, profile.to_uppercase())
}

/// A variable as a profile sees it: its own, else the common one. Where a profile sets it for all
/// environments, the common ones for one are not looked at. Of what says who a merchant is, no common
/// form is looked at where a profile sets any (for one environment, or as a file); nor is a key or a
/// merchant id of others where a profile has an app code of its own.
fn lookup(vars: Vars<'_>, profile: &str, name: &str) -> Option<String> {
    let forms = forms_of(name);
    if let Some(own) = forms.iter().any(|it| it == name).then(|| own_of(profile, name)) {
        if let Some(value) = set(vars, &own) {
            return Some(value);
        }
        // A limit for one environment must not hide the common ones of the others.
        let is_of = |names: &[&str]| names.iter().any(|it| forms.iter().any(|form| form == it));
        let goes_with_app = is_of(&[var::KEY, var::MCHID]);
        let forms: Vec<String> = if goes_with_app || is_of(&[var::APPCODE]) {
            forms
        } else {
            forms.into_iter().filter(|it| OWN.contains(&it.as_str())).collect()
        };
        let has =
            |forms: &[String]| forms.iter().any(|it| set(vars, &own_of(profile, it)).is_some());
        if has(&forms) || (goes_with_app && has(&forms_of(var::APPCODE))) {
            return None;
        }
    }
    vars(name)
}

/// All forms of the setting that `name` is one of; none where no profile can have it.
fn forms_of(name: &str) -> Vec<String> {
    let alone = MORE.iter().filter(|it| **it == name).map(|it| vec![(*it).to_owned()]);
    let several = OWN.iter().map(|common| {
        let environments = environments::ENVIRONMENTS.iter();
        let mut forms: Vec<String> =
            environments.map(|it| own_name(it.environment, common)).collect();
        forms.push((*common).to_owned());
        if *common == var::KEY {
            let files: Vec<String> = forms.iter().map(|it| format!("{it}_FILE")).collect();
            forms.extend(files);
        }
        forms
    });
    alone.chain(several).find(|forms| forms.iter().any(|it| it == name)).unwrap_or_default()
}

/// Whether a variable is a profile's; which profiles there are does not matter.
pub(super) fn is_known(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(var::PROFILE).and_then(|it| it.strip_prefix('_')) else {
        return false;
    };
    let Some((_, rest)) = rest.split_once('_') else { return false };
    !forms_of(&format!("QFPAY_{rest}")).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Profiles, ConfigError> {
        let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        Profiles::from_vars(&|name| pairs.get(name).map(|it| (*it).to_owned()))
    }

    const TWO: [(&str, &str); 8] = [
        ("QFPAY_STATE_DIR", "/tmp/x"),
        ("QFPAY_ENV", "simulator"),
        ("QFPAY_APPCODE", "common"),
        ("QFPAY_KEY", "common-key"),
        ("QFPAY_PROFILES", "shopa, shopb"),
        ("QFPAY_PROFILE_SHOPA_MCHID", "m1"),
        ("QFPAY_PROFILE_SHOPB_MCHID", "m2"),
        ("QFPAY_PROFILE_SHOPB_MAX_AMOUNT", "HKD:100"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> Result<Profiles, ConfigError> {
        read(&TWO.iter().chain(more).copied().collect::<Vec<_>>())
    }

    #[test]
    fn a_profile_has_what_is_its_own_and_the_rest_in_common() {
        let profiles = with(&[]).unwrap();
        let names: Vec<&str> = profiles.all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["shopa", "shopb"]);
        let merchants: Vec<String> =
            profiles.all.iter().map(|(_, it)| it.ledger_merchant()).collect();
        assert_eq!(merchants, ["m1", "m2"]);
        let books: Vec<_> = profiles.all.iter().map(|(_, it)| it.simulator_book()).collect();
        assert_ne!(books[0], books[1]);
        assert_eq!(profiles.all[0].1.policy.limits, crate::policy::Limits::default());
        assert_ne!(profiles.all[1].1.policy.limits, crate::policy::Limits::default());
        assert!(profiles.one().is_err());
        let picked = with(&[("QFPAY_PROFILE", "shopb")]).unwrap().one().unwrap();
        assert_eq!(picked.ledger_merchant(), "m2");
    }

    #[test]
    fn a_key_of_its_own_in_any_form_hides_every_common_one() {
        let vars = |name: &str| match name {
            "QFPAY_PROD_KEY" | "QFPAY_KEY" => Some("common".to_owned()),
            "QFPAY_PROFILE_SHOPA_KEY_FILE" => Some("file".to_owned()),
            _ => None,
        };
        let find = |name| lookup(&vars, "shopa", name);
        assert_eq!((find("QFPAY_PROD_KEY"), find("QFPAY_KEY")), (None, None));
        assert_eq!(find("QFPAY_KEY_FILE").as_deref(), Some("file"));
        assert_eq!(lookup(&vars, "shopb", "QFPAY_KEY").as_deref(), Some("common"));
    }

    #[test]
    fn a_limit_of_its_own_for_one_environment_leaves_the_common_ones_of_others() {
        let vars = |name: &str| match name {
            "QFPAY_PROD_PAY_TYPES" | "QFPAY_TEST_MAX_AMOUNT" => Some("common".to_owned()),
            "QFPAY_PROFILE_SHOPA_SANDBOX_PAY_TYPES"
            | "QFPAY_PROFILE_SHOPA_SANDBOX_MAX_AMOUNT"
            | "QFPAY_PROFILE_SHOPB_PAY_TYPES" => Some("own".to_owned()),
            _ => None,
        };
        for name in ["QFPAY_PROD_PAY_TYPES", "QFPAY_TEST_MAX_AMOUNT"] {
            assert_eq!(lookup(&vars, "shopa", name).as_deref(), Some("common"), "{name}");
        }
        assert_eq!(lookup(&vars, "shopb", "QFPAY_PROD_PAY_TYPES"), None);
    }

    #[test]
    fn an_app_code_of_its_own_comes_with_its_own_key_and_merchant() {
        let vars = |name: &str| match name {
            "QFPAY_KEY" | "QFPAY_PROD_MCHID" | "QFPAY_APPCODE" => Some("common".to_owned()),
            "QFPAY_PROFILE_SHOPB_APPCODE" => Some("b".to_owned()),
            _ => None,
        };
        for name in ["QFPAY_KEY", "QFPAY_PROD_MCHID", "QFPAY_MCHID"] {
            assert_eq!(lookup(&vars, "shopb", name), None, "{name}");
        }
        assert_eq!(lookup(&vars, "shopa", "QFPAY_KEY").as_deref(), Some("common"));
    }

    #[test]
    fn what_is_wrong_is_told_by_profile() {
        let say = |more| with(more).map(|_| ()).unwrap_err().to_string();
        insta::assert_snapshot!(say(&[("QFPAY_PROFILE_SHOPB_MCHID", "m1")]), @"
        the settings are not right:
          - profiles shopa and shopb are the same merchant; give each its own QFPAY_PROFILE_SHOPB_MCHID or QFPAY_PROFILE_SHOPB_APPCODE
        ");
        insta::assert_snapshot!(say(&[("QFPAY_PROFILES", "shopa,Shop B,shopa"), ("QFPAY_PROFILE_SHOPA_CONFIRM", "maybe")]), @"
        the settings are not right:
          - QFPAY_PROFILES names `Shop B`; a name has 1 to 32 of a-z 0-9
          - QFPAY_PROFILES names `shopa` twice
          - profile shopa: QFPAY_CONFIRM is `maybe`; use one of always, money, never
        ");
        insta::assert_snapshot!(say(&[("QFPAY_PROFILE", "shopc")]), @"
        the settings are not right:
          - QFPAY_PROFILE is `shopc`; use one of shopa, shopb
        ");
        assert!(read(&[("QFPAY_PROFILE", "shopa")]).is_err());
    }

    #[test]
    fn a_profiles_variable_is_known_and_a_misspelt_one_is_not() {
        for known in [
            "QFPAY_PROFILE_SHOPA_KEY_FILE",
            "QFPAY_PROFILE_X_PROD_MAX_REFUND",
            "QFPAY_PROFILE_X_CONFIRM",
        ] {
            assert!(is_known(known), "{known}");
        }
        for not in [
            "QFPAY_PROFILE_SHOPA_KEYS",
            "QFPAY_PROFILE_SHOPA",
            "QFPAY_PROFILE_X_LEDGER",
            "QFPAY_PROFILES_X_KEY",
        ] {
            assert!(!is_known(not), "{not}");
        }
    }
}
