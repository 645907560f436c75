//! A module uses only the layers below its own; the compiler cannot see this, so a test does.
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each layer, from the bottom up, and what it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("meter", &[]),
    ("places", &[]),
    ("spec", &[]),
    ("domain", &["spec"]),
    ("clock", &[]),
    ("client", &["meter", "spec", "domain", "clock"]),
    ("simulator", &["spec", "domain", "clock", "client::sign", "client::params"]),
    ("ledger", &["spec", "domain", "client::pace"]),
    ("policy", &["spec", "domain"]),
    ("payments", &["spec", "domain", "clock", "client", "ledger", "policy"]),
    (
        "mcp",
        &["meter", "places", "spec", "domain", "clock", "client", "ledger", "policy", "payments"],
    ),
    ("transport", &["meter", "places", "mcp"]),
    ("config", &["spec", "domain", "client", "policy", "simulator"]),
    ("telemetry", &["meter"]),
    (
        "cli",
        &[
            "meter",
            "spec",
            "domain",
            "clock",
            "client",
            "simulator",
            "ledger",
            "policy",
            "payments",
            "mcp",
            "transport",
            "config",
            "telemetry",
        ],
    ),
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn each_layer_uses_only_what_it_may() {
    let mut broken = Vec::new();
    for (layer, may_use) in MAY_USE {
        for file in files_of(layer) {
            for used in crate_paths(&product_code(&file)) {
                let allowed = may_use.iter().chain([layer]).any(|it| within(&used, it));
                if !allowed {
                    broken.push(format!("{}: {layer} may not use {used}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_module_is_a_layer() {
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|it| it.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut modules: Vec<&str> = modules.collect();
    let mut layers: Vec<&str> = MAY_USE.iter().map(|(layer, _)| *layer).collect();
    modules.sort_unstable();
    layers.sort_unstable();
    assert_eq!(modules, layers);
}

/// Libraries that only some layers may name.
#[test]
fn what_belongs_to_one_layer_stays_there() {
    let rows: &[(&str, &[&str])] = &[
        ("rmcp", &["mcp", "transport", "cli"]),
        ("axum", &["transport", "simulator"]),
        ("reqwest", &["client", "simulator", "transport"]),
        ("sqlx", &["ledger", "simulator"]),
        ("clap", &["cli"]),
        ("schemars", &["mcp"]),
    ];
    let mut broken = Vec::new();
    for (library, layers) in rows {
        for (layer, _) in MAY_USE.iter().filter(|(layer, _)| !layers.contains(layer)) {
            for file in files_of(layer) {
                if product_code(&file).contains(&format!("{library}::")) {
                    broken.push(format!("{}: {layer} may not use {library}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn only_main_reads_the_environment() {
    let read = ["env::var(", "env::vars(", "env::var_os(", "env::vars_os("];
    let readers: Vec<String> = rust_files(&src())
        .into_iter()
        .filter(|file| read.iter().any(|it| product_code(file).contains(it)))
        .map(|file| file.strip_prefix(src()).unwrap().display().to_string())
        .collect();
    assert_eq!(readers, ["main.rs"]);
}

#[test]
fn the_domain_derives_no_serde() {
    for file in files_of("domain") {
        let code = product_code(&file);
        assert!(!code.contains("Serialize") && !code.contains("Deserialize"), "{}", file.display());
    }
}

#[test]
fn secrets_are_read_where_signatures_and_connections_are_made_and_nowhere_else() {
    let readers: Vec<String> = rust_files(&src())
        .into_iter()
        .filter(|file| product_code(file).contains("expose_secret()"))
        .map(|file| file.strip_prefix(src()).unwrap().display().to_string())
        .collect();
    assert_eq!(readers, ["client/sign.rs", "ledger/postgres/mod.rs"]);
}

/// A crate that is built from its package has no other files.
#[test]
fn what_is_compiled_in_is_in_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let list = cargo.args(["package", "--list", "--allow-dirty", "--offline"]).current_dir(root);
    let list = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let packaged: Vec<PathBuf> =
        list.lines().filter_map(|it| root.join(it).canonicalize().ok()).collect();
    let mut included = 0;
    for file in rust_files(&src()) {
        for rest in product_code(&file).split("include_str!(\"").skip(1) {
            let wanted = file.parent().unwrap().join(rest.split_once('"').unwrap().0);
            let wanted = wanted.canonicalize().unwrap();
            assert!(packaged.contains(&wanted), "{}: not in the package", wanted.display());
            included += 1;
        }
    }
    assert!(included > 5, "{included}");
}

/// Whether `used` is `allowed` or stands below it.
fn within(used: &str, allowed: &str) -> bool {
    used.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The code of a file without comments and without its tests.
fn product_code(file: &Path) -> String {
    let is_test =
        |part: &std::ffi::OsStr| ["tests", "tests.rs", "conformance"].iter().any(|it| part == *it);
    if file.iter().any(is_test) {
        return String::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines =
        product.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn files_of(layer: &str) -> Vec<PathBuf> {
    let file = src().join(format!("{layer}.rs"));
    if file.exists() { vec![file] } else { rust_files(&src().join(layer)) }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The paths that a source names behind `crate::`, groups taken apart: `a::b`.
fn crate_paths(source: &str) -> Vec<String> {
    let code: String = source.chars().filter(|c| !c.is_whitespace()).collect();
    code.split("crate::").skip(1).flat_map(|rest| expand("", rest)).collect()
}

/// The paths at the start of `rest`, below `above`.
fn expand(above: &str, rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let path = if above.is_empty() { name.clone() } else { format!("{above}::{name}") };
        return match rest.get(name.len()..).and_then(|it| it.strip_prefix("::")) {
            // Two levels are enough to tell layers and their files apart.
            Some(below) if above.is_empty() => expand(&path, below),
            _ => vec![path],
        };
    };
    let mut depth = 0;
    let mut items = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        items.last_mut().unwrap().push(c);
    }
    items.iter().filter(|it| !it.is_empty()).flat_map(|it| expand(above, it)).collect()
}

#[test]
fn crate_paths_sees_names_and_groups() {
    assert_eq!(
        crate_paths("use crate::spec::{A, b::C}; x(crate::mcp)"),
        ["spec::A", "spec::b", "mcp"]
    );
    assert_eq!(
        crate_paths("use crate::{\n client::{sign, params::P},\n spec, policy::Z,\n};"),
        ["client::sign", "client::params", "spec", "policy::Z"]
    );
}
