//! What people and agents read says what the product does: generated parts are the product's own
//! words, and nothing is named that does not exist.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use qfpay_mcp::{
    cli::Cli,
    config::{
        self,
        variables::{VARIABLES, Variable},
    },
    domain::{PaymentState, RefundState},
    mcp::{NEEDS_APPROVAL, Server, Status},
    payments::reconcile::What,
    policy::Rule,
    simulator::{Fault, Faults},
    spec::{
        Money, PAY_TYPES,
        environments::{ENVIRONMENTS, EnvironmentRow},
        pay_types::{PayType, Service},
    },
};
use rmcp::model::{Prompt, PromptArgument};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_generated_parts_of_the_readme_are_what_the_product_says() {
    let parts = [
        ("tools", tools_part()),
        ("resources", resources_part()),
        ("prompts", prompts_part()),
        ("statuses", statuses_part(Status::payments(), "order_1001")),
        ("refund-statuses", statuses_part(Status::refunds(), "refund_1001")),
        ("pay-types", pay_types_part()),
        ("environments", environments_part()),
        ("settings", settings_part()),
        ("faults", faults_part()),
    ];
    holds_parts("README.md", &parts);
}

#[test]
fn the_generated_parts_of_the_skill_are_what_the_product_says() {
    let parts = [
        ("statuses", statuses_part(Status::payments(), "order_1001")),
        ("refund-statuses", statuses_part(Status::refunds(), "refund_1001")),
    ];
    holds_parts("skill.md", &parts);
}

fn holds_parts(file: &str, parts: &[(&str, String)]) {
    let committed = read(file);
    let now =
        parts.iter().fold(committed.clone(), |text, (name, part)| with_part(&text, name, part));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join(file), &now).unwrap();
        return;
    }
    assert!(
        committed == now,
        "{file} has old generated parts; to write them anew: UPDATE_DOCS=1 cargo test --test it \
         docs\nfirst difference: {:?}",
        committed.lines().zip(now.lines()).find(|(old, new)| old != new)
    );
}

/// `text` with `part` between the markers of `name`.
fn with_part(text: &str, name: &str, part: &str) -> String {
    let (start, end) = (format!("<!-- {name}:start -->"), format!("<!-- {name}:end -->"));
    let lost = || panic!("README.md has no {start} … {end}");
    let (before, rest) = text.split_once(&start).unwrap_or_else(lost);
    let (_, after) = rest.split_once(&end).unwrap_or_else(lost);
    format!("{before}{start}\n{}\n{end}{after}", part.trim_end())
}

fn tools() -> Vec<(String, Value)> {
    let tools = Server::tools();
    tools.iter().map(|it| (it.name.to_string(), serde_json::to_value(it).unwrap())).collect()
}

fn tools_part() -> String {
    let part = |(name, tool): (String, Value)| {
        let description = tool["description"].as_str().unwrap();
        let words: Vec<&str> = description.split_whitespace().collect();
        let hint = |name: &str| tool["annotations"][name].as_bool().unwrap();
        let kind = match (hint("readOnlyHint"), hint("openWorldHint")) {
            (true, false) => "no network",
            (true, true) => "asks QFPay",
            (false, _) => "moves money",
        };
        format!(
            "**`{name}`** ({kind}) {}\n\n<details><summary>Arguments</summary>\n\n{}\n\n</details>",
            words.join(" "),
            arguments_table(&tool["inputSchema"])
        )
    };
    tools().into_iter().map(part).collect::<Vec<_>>().join("\n\n")
}

fn resources_part() -> String {
    let fixed = Server::resources().into_iter().map(|it| (it.uri, it.description.unwrap()));
    let templates = Server::resource_templates().into_iter();
    let templates = templates.map(|it| (it.uri_template, it.description.unwrap()));
    let sentence = |what: &str| what.split(". ").next().unwrap_or_default().to_owned();
    let row = |(uri, what): (String, String)| [format!("`{uri}`"), sentence(&what)];
    table(["resource", "what"], fixed.chain(templates).map(row))
}

fn prompts_part() -> String {
    let argument = |it: &PromptArgument| {
        let needed = if it.required == Some(true) { ", required" } else { "" };
        format!("`{}`{needed}", it.name)
    };
    let row = |it: Prompt| {
        let arguments: Vec<String> = it.arguments.iter().flatten().map(argument).collect();
        [format!("`{}`", it.name), it.description.unwrap(), arguments.join(", ")]
    };
    table(["prompt", "what", "arguments"], Server::prompts().into_iter().map(row))
}

fn arguments_table(schema: &Value) -> String {
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let row = |(argument, rule): (&String, &Value)| {
        let mut what = rule["description"].as_str().unwrap_or_default().to_owned();
        let words = rule["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let words: Vec<&str> = words.collect();
        if !words.iter().all(|it| what.contains(it)) {
            what += if what.is_empty() { "one of " } else { "; one of " };
            what += &words.join(", ");
        }
        let needed = if required.contains(&argument.as_str()) { ", required" } else { "" };
        let kind = rule["type"].as_str().unwrap();
        [format!("`{argument}`"), format!("{kind}{needed}"), what]
    };
    let properties = schema["properties"].as_object().unwrap();
    table(["argument", "type", "what"], properties.iter().map(row))
}

fn pay_types_part() -> String {
    let served = |it: &&PayType| it.service == Service::Payment;
    let row = |it: &PayType| {
        let all = it.currencies.is_empty();
        let currencies = if all { "all".to_owned() } else { it.currencies.join(", ") };
        let needs: Vec<String> = it.requires.iter().map(|it| format!("`{}`", it.name())).collect();
        let (name, flow) = (it.name.to_owned(), it.flow.word().to_owned());
        [format!("`{}`", it.code), name, flow, currencies, needs.join(", ")]
    };
    let head = ["code", "name", "flow", "currencies", "needs"];
    table(head, PAY_TYPES.iter().filter(served).map(row))
}

fn environments_part() -> String {
    let row = |it: &EnvironmentRow| {
        let money = match it.money {
            Money::Simulated => "simulated",
            Money::Real => "**real**",
        };
        [format!("`{}`", it.name), it.meaning.to_owned(), money.to_owned()]
    };
    table(["`QFPAY_ENV`", "what", "money"], ENVIRONMENTS.iter().map(row))
}

fn settings_part() -> String {
    let row =
        |it: &Variable| [format!("`{}`", it.name), it.meaning.to_owned(), it.default.to_owned()];
    table(["variable", "meaning", "when not set"], VARIABLES.iter().map(row))
}

/// What each status means and what to do about it, as replies say it.
fn statuses_part(statuses: impl Iterator<Item = Status>, number: &str) -> String {
    let row = |it: Status| [format!("`{}`", it.word), it.meaning.to_owned(), it.next(number)];
    table(["`status`", "`meaning`", "`next_step`"], statuses.map(row))
}

fn faults_part() -> String {
    let row = |it: Fault| [format!("`{}`", it.word()), it.meaning().to_owned()];
    table(["fault", "what happens"], Fault::ALL.into_iter().map(row))
}

/// A table as Markdown has it.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| {
        let cells = cells.map(|it| it.replace('|', "\\|"));
        format!("| {} |", cells.join(" | "))
    };
    let mut lines = vec![line(head.map(str::to_owned)), format!("|{}", "---|".repeat(N))];
    lines.extend(rows.map(line));
    lines.join("\n")
}

#[test]
fn readme_and_skill_name_every_tool() {
    for file in ["README.md", "skill.md"] {
        let words = snake_words(&without_parts(&read(file)));
        for (name, _) in tools() {
            // One plain word stands in prose for other things, too.
            let plain = !name.contains('_') && read(file).contains(&format!("`{name}`"));
            assert!(plain || words.contains(&name), "{file} does not name {name}");
        }
    }
}

/// A tool, argument, field of a reply or status that was renamed must not live on in prose.
#[test]
fn every_word_of_the_product_that_is_named_exists() {
    let mut known: BTreeSet<String> =
        ["claude_desktop_config", "late_ms"].map(str::to_owned).into();
    for (name, tool) in tools() {
        known.insert(name);
        collect_properties(&tool["inputSchema"], &mut known);
        collect_properties(&tool["outputSchema"], &mut known);
    }
    known.extend(Fault::ALL.iter().map(|it| it.word().to_owned()));
    known.extend(PaymentState::ALL.iter().map(|it| it.word().to_owned()));
    known.extend(RefundState::ALL.iter().map(|it| it.word().to_owned()));
    known.extend(Rule::ALL.iter().map(|it| it.word().to_owned()));
    known.extend(What::ALL.iter().map(|it| it.word().to_owned()));
    known.insert(NEEDS_APPROVAL.to_owned());
    for file in ["README.md", "skill.md", "CHANGELOG.md"] {
        // Examples of order numbers end in digits.
        let is_number = |it: &String| it.ends_with(|c: char| c.is_ascii_digit());
        let unknown: Vec<String> = snake_words(&without_parts(&read(file)))
            .into_iter()
            .filter(|it| !known.contains(it) && !is_number(it))
            .collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}, which do not exist");
    }
}

fn collect_properties(schema: &Value, known: &mut BTreeSet<String>) {
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        known.insert(name.clone());
        // What the objects of a list hold stands in its description.
        if let Some(names) = below["description"].as_str().filter(|_| below["type"] == "array") {
            known.extend(names.split(", ").map(str::to_owned));
        }
    }
}

/// What people run it as a service with.
const PACKAGING: [&str; 8] = [
    "packaging/Dockerfile",
    "packaging/kubernetes/config.yaml",
    "packaging/kubernetes/deployment.yaml",
    "packaging/kubernetes/networkpolicy.yaml",
    "packaging/kubernetes/secret.example.yaml",
    "packaging/kubernetes/service.yaml",
    "packaging/systemd/environment.example",
    "packaging/systemd/qfpay-mcp.service",
];

#[test]
fn every_variable_that_is_named_exists() {
    let texts = ["README.md", "skill.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/operate.md"];
    for file in texts.into_iter().chain(PACKAGING) {
        let text = read(file);
        for (at, _) in text.match_indices("QFPAY_") {
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
            // One is for the tests, not for the product.
            let known = config::is_known(&name) || name == "QFPAY_TEST_POSTGRES_URL";
            assert!(known, "{file}: there is no variable {name}");
        }
    }
}

#[test]
fn every_option_that_operators_are_told_of_exists() {
    // Of docker and systemctl.
    let others = ["cap-drop", "now", "read-only", "security-opt", "stop-timeout"];
    let mut known: BTreeSet<String> = others.map(str::to_owned).into();
    collect_options(&Cli::command(), &mut known);
    let unknown = |text: &str| -> Vec<String> {
        options(text).into_iter().filter(|it| !known.contains(it)).collect()
    };
    let guide = unknown(&read("docs/operate.md"));
    assert!(guide.is_empty(), "docs/operate.md names {guide:?}, which do not exist");
    // Of the others, the lines that start the program.
    let starts = [
        ("packaging/Dockerfile", "CMD"),
        ("packaging/kubernetes/deployment.yaml", "- --"),
        ("packaging/systemd/qfpay-mcp.service", "ExecStart="),
    ];
    for (file, start) in starts {
        let text = read(file);
        let lines: Vec<&str> = text.lines().filter(|it| it.trim().starts_with(start)).collect();
        assert!(!lines.is_empty(), "{file} does not start the program");
        let unknown = unknown(&lines.join("\n"));
        assert!(unknown.is_empty(), "{file} has {unknown:?}, which do not exist");
    }
}

fn collect_options(command: &clap::Command, known: &mut BTreeSet<String>) {
    known.extend(command.get_arguments().filter_map(|it| it.get_long()).map(str::to_owned));
    for below in command.get_subcommands() {
        collect_options(below, known);
    }
}

/// The words `--like-this`, without what they begin with.
fn options(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c| !is_part(c)).filter_map(|it| it.strip_prefix("--"));
    words.filter(|it| it.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned).collect()
}

/// A figure that nobody explains is not looked at; one that is gone is waited for in vain.
#[test]
fn the_guide_tells_every_figure() {
    let figures = |file: &str| -> BTreeSet<String> {
        let text = read(file);
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let places = text.match_indices("qfpay_mcp_");
        places.map(|(at, _)| text[at..].chars().take_while(|c| is_name(*c)).collect()).collect()
    };
    let (guide, measured) = (figures("docs/operate.md"), figures("src/meter.rs"));
    assert_eq!(guide, measured);
    for name in measured {
        assert!(read("docs/operate.md").contains(&format!("\n| `{name}` |")), "no row for {name}");
    }
}

/// Whoever ends the process has to wait longer than it takes: what is promised for the end is that
/// (`--grace` or `--drain`, whichever is longer, and seven seconds).
#[test]
fn supervisors_wait_for_the_end() {
    let after = |file: &str, word: &str| -> u64 {
        let text = read(file);
        let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("{file} has no {word}"));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|error| panic!("{file}: {word}: {error}"))
    };
    let unit = "packaging/systemd/qfpay-mcp.service";
    let drain = after(unit, "--drain ");
    assert!(drain + 7 < after(unit, "TimeoutStopSec="), "{unit}");
    let pods = "packaging/kubernetes/deployment.yaml";
    let (grace, drain) = (after(pods, "- --grace="), after(pods, "- --drain="));
    let ends = after(pods, "                seconds: ") + grace.max(drain) + 7;
    assert!(ends < after(pods, "terminationGracePeriodSeconds: "), "{pods}");
}

#[test]
fn the_readme_starts_with_the_two_commands_that_ci_runs() {
    let readme = read("README.md");
    let ci = read(".ci/run");
    let commands = [
        ("cargo run --release -- demo", "grep -m 1 '^cargo run --release -- demo' README.md"),
        ("cargo test --locked", "grep -m 1 '^cargo test' README.md"),
    ];
    for (command, read_by_ci) in commands {
        let stem = command.split(" --locked").next().unwrap();
        let lines: Vec<&str> = readme.lines().filter(|it| it.starts_with(stem)).collect();
        assert_eq!(lines, [command], "README.md says it once, in a line of its own");
        assert!(readme.lines().take(20).any(|it| it == command), "{command} is too far down");
        assert!(ci.contains(read_by_ci), ".ci/run does not take `{command}` from README.md");
    }
}

#[test]
fn the_skill_opens_with_its_name_and_description() {
    let skill = read("skill.md");
    let front = skill.strip_prefix("---\n").and_then(|it| it.split_once("\n---\n")).unwrap().0;
    let rows: BTreeMap<&str, &str> = front.lines().filter_map(|it| it.split_once(": ")).collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), ["description", "name"]);
    let name = rows["name"];
    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && name.len() <= 64);
    let long = rows["description"].chars().count();
    assert!((50..=1024).contains(&long), "the description has {long} characters");
    assert!(!rows["description"].contains(": "), "plain YAML cannot hold a colon and a blank");
}

/// Every call that is shown can be typed as it stands.
#[test]
fn every_example_calls_a_tool_that_exists_with_arguments_it_takes() {
    let tools: BTreeMap<String, Value> = tools().into_iter().collect();
    let mut seen = BTreeSet::new();
    for file in ["README.md", "skill.md"] {
        for line in read(file).lines() {
            for name in tools.keys() {
                for opening in [format!("{name} '{{"), format!("`{name} {{")] {
                    let Some((_, rest)) = line.split_once(&opening) else { continue };
                    let json = format!("{{{}}}", rest.split_once('}').unwrap().0);
                    let arguments: Value = serde_json::from_str(&json).unwrap();
                    let known = tools[name]["inputSchema"]["properties"].as_object().unwrap();
                    for argument in arguments.as_object().unwrap().keys() {
                        assert!(known.contains_key(argument), "{file}: {name} takes no {argument}");
                    }
                    seen.insert(name.clone());
                }
            }
        }
    }
    assert_eq!(seen.len(), tools.len(), "each tool has an example; seen: {seen:?}");
}

#[test]
fn every_fault_that_is_shown_can_be_typed() {
    for file in ["README.md", "CHANGELOG.md"] {
        let text = read(file);
        let shown: Vec<&str> = text.split("--faults \"").skip(1).collect();
        assert!(!shown.is_empty(), "{file} shows none");
        for faults in shown.iter().map(|it| it.split('"').next().unwrap()) {
            faults.parse::<Faults>().unwrap_or_else(|error| panic!("{file}: {faults}: {error}"));
        }
    }
}

#[test]
fn every_configuration_that_is_shown_is_json() {
    let readme = read("README.md");
    let blocks: Vec<&str> = readme.split("```json\n").skip(1).collect();
    assert!(blocks.len() >= 5);
    for block in blocks {
        let json = block.split_once("```").unwrap().0;
        serde_json::from_str::<Value>(json).unwrap_or_else(|error| panic!("{error} in\n{json}"));
    }
}

#[test]
fn every_file_module_and_test_that_is_named_exists() {
    let sources = sources();
    let architecture = read("ARCHITECTURE.md");
    let is_there = |span: &String| {
        // A test's name is a sentence.
        let is_test = span.matches('_').count() >= 3
            && span.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_path = span.contains('/') && !span.contains(' ');
        (!is_path || root().join(span).exists())
            && (!is_test || sources.contains(&format!("fn {span}(")))
    };
    let mut missing = code_spans(&architecture);
    missing.retain(|it| !is_there(it));
    assert!(missing.is_empty(), "ARCHITECTURE.md names what does not exist: {missing:#?}");
    for line in read("src/lib.rs").lines() {
        let Some(module) = line.strip_prefix("pub mod ").and_then(|it| it.strip_suffix(';')) else {
            continue;
        };
        let (folder, file) = (format!("| `src/{module}` |"), format!("| `src/{module}.rs` |"));
        let told = architecture.contains(&folder) || architecture.contains(&file);
        assert!(told, "ARCHITECTURE.md has no row for the module {module}");
    }
    for file in ["README.md", "ARCHITECTURE.md", "docs/operate.md"] {
        let folder = root().join(file).parent().unwrap().to_owned();
        for link in read(file).split("](").skip(1).map(|it| it.split(')').next().unwrap()) {
            let here = !link.contains("://") && !link.starts_with('#');
            assert!(!here || folder.join(link).exists(), "{file} links to {link}");
        }
    }
}

/// All code, tests included.
fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("src"), root().join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(Path::new("rs").as_os_str()) {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

/// A text without what is generated, which says what the product says.
fn without_parts(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(":start -->") {
        left += before;
        rest = after.split_once(":end -->").unwrap().1;
    }
    left + rest
}

/// The words `like_this`.
fn snake_words(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    let is_snake = |it: &&str| {
        let mut parts = it.split('_');
        let lower = |it: &str| !it.is_empty() && it.bytes().all(|b| !b.is_ascii_uppercase());
        it.contains('_') && parts.all(lower)
    };
    words.filter(is_snake).map(str::to_owned).collect()
}

/// What stands between single backticks, in lines outside of blocks.
fn code_spans(text: &str) -> BTreeSet<String> {
    let mut spans = BTreeSet::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}
