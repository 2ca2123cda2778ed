//! Data flows one way, and providers are named in their folders only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each part of the crate must not refer to.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "canonical",
        &[
            "provider",
            "store",
            "delivery",
            "callback",
            "upkeep",
            "api",
            "console",
            "sandbox",
            "gateway",
            "cli",
            "metrics",
            "telemetry",
            "axum",
            "sqlx",
            "reqwest",
        ],
    ),
    (
        "provider",
        &[
            "store",
            "delivery",
            "callback",
            "event",
            "api",
            "sandbox",
            "gateway",
            "cli",
            "vault",
            "metrics",
            "telemetry",
            "axum",
            "sqlx",
            "tokio",
        ],
    ),
    (
        "store",
        &[
            "delivery",
            "callback",
            "event",
            "api",
            "console",
            "sandbox",
            "gateway",
            "cli",
            "provider",
            "metrics",
            "telemetry",
            "axum",
            "reqwest",
        ],
    ),
    ("delivery", &["callback", "event", "api", "sandbox", "gateway", "cli", "axum", "sqlx"]),
    ("callback", &["event", "api", "sandbox", "gateway", "cli", "axum", "sqlx", "reqwest"]),
    ("upkeep", &["event", "api", "sandbox", "gateway", "cli", "axum", "sqlx", "reqwest"]),
    ("event", &["provider", "delivery", "callback", "api", "sandbox", "gateway", "cli", "axum", "sqlx"]),
    ("api", &["console", "sandbox", "gateway", "cli", "sqlx", "reqwest"]),
    // What the API does is asked of the API.
    ("console", &["callback", "event", "upkeep", "reach", "sandbox", "gateway", "cli", "sqlx", "reqwest"]),
    ("sandbox", &["provider", "store", "delivery", "callback", "api", "canonical", "gateway", "cli", "sqlx"]),
    ("postgres", &["provider", "store", "delivery", "api", "canonical", "sandbox", "gateway", "cli", "axum"]),
    (
        "reach",
        &[
            "provider",
            "store",
            "delivery",
            "callback",
            "event",
            "api",
            "canonical",
            "sandbox",
            "gateway",
            "cli",
            "axum",
        ],
    ),
    (
        "metrics",
        &[
            "canonical",
            "provider",
            "store",
            "delivery",
            "callback",
            "event",
            "api",
            "sandbox",
            "gateway",
            "cli",
            "monitor",
            "axum",
            "sqlx",
            "reqwest",
            "tokio",
        ],
    ),
    (
        "telemetry",
        &[
            "canonical",
            "provider",
            "store",
            "delivery",
            "callback",
            "event",
            "api",
            "sandbox",
            "gateway",
            "cli",
            "monitor",
            "axum",
            "sqlx",
        ],
    ),
    ("monitor.rs", &["callback", "event", "api", "sandbox", "gateway", "cli", "axum", "sqlx", "reqwest"]),
    ("server", &["canonical", "provider", "store", "delivery", "callback", "event", "api", "gateway", "cli", "sqlx"]),
    // Clients of the REST API, and what needs no gateway at all.
    ("cli/remote", REMOTE),
    ("cli/submit", REMOTE),
    ("cli/watch", REMOTE),
    ("cli/accounts", REMOTE),
    ("cli/keys.rs", REMOTE),
    ("cli/translate", REMOTE),
    ("throttle.rs", &["store", "delivery", "api", "sandbox", "sqlx", "axum", "tokio"]),
];

/// What a client of a running gateway does not have.
const REMOTE: &[&str] =
    &["store", "delivery", "callback", "event", "upkeep", "sandbox", "vault", "config", "axum", "sqlx"];

fn sources(below: &Path) -> Vec<PathBuf> {
    if below.is_file() {
        return vec![below.to_owned()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The code of a file without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_part_refers_to_what_stands_above_it() {
    let mut found = Vec::new();
    for (part, forbidden) in FORBIDDEN {
        for path in sources(&source_root().join(part)) {
            let tests = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
            let code = code(&path);
            for name in *forbidden {
                let refers = code.contains(&format!("crate::{name}::"))
                    || code.contains(&format!("crate::{name};"))
                    || code.contains(&format!("use {name}::"))
                    || code.contains(&format!(" {name}::"))
                    || code.contains(&format!("crate::{{{name}"));
                // A test may go through HTTP to its subject.
                if refers && !(tests && matches!(*name, "axum" | "tokio")) {
                    found.push(format!("{} refers to {name}", path.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Every word of the code in lower case: names as they are written, and the parts of those in camel case. A short
/// id is part of many words that do not mean it.
fn words(code: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for name in code.split(|character: char| !character.is_ascii_alphanumeric()) {
        words.insert(name.to_lowercase());
        let mut part = String::new();
        for character in name.chars() {
            if character.is_ascii_uppercase() && part.ends_with(|last: char| !last.is_ascii_uppercase()) {
                words.insert(std::mem::take(&mut part).to_lowercase());
            }
            part.push(character);
        }
        words.insert(part.to_lowercase());
    }
    words
}

#[test]
fn words_are_found_in_names_and_not_inside_of_others() {
    let found = words("use crate::provider::ile::Otms; let hxSettings = \"oTMS\"; while mobile { TtmsCall }");
    for word in ["ile", "otms", "hx", "settings", "while", "mobile", "ttms", "call"] {
        assert!(found.contains(word), "{word}: {found:?}");
    }
    let found = words("while mobile { File::compile() }");
    assert!(!found.contains("ile"), "{found:?}");
}

#[test]
fn only_the_folders_of_providers_and_their_simulators_name_a_provider() {
    let root = source_root();
    let ids: Vec<&str> = onelane::provider::ALL.iter().map(|provider| provider.profile().id).collect();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap().to_owned();
        if relative.starts_with("provider") || relative.starts_with("sandbox") {
            continue;
        }
        let code = code(&path);
        // What follows is the file's own tests, which need an example.
        let words = words(code.split("#[cfg(test)]").next().unwrap());
        for id in &ids {
            assert!(!words.contains(*id), "{} names {id}", relative.display());
        }
    }
}

/// Whoever calls somebody has the guards of the one place for it.
#[test]
fn only_few_places_make_http_calls() {
    let root = source_root();
    let callers =
        ["delivery/send.rs", "event/webhook/sender.rs", "sandbox/calling.rs", "cli/health.rs", "cli/remote/client.rs"];
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap();
        let calls = code(&path).contains("reqwest::Client");
        assert!(!calls || callers.iter().any(|caller| relative.ends_with(caller)), "{} calls", relative.display());
    }
}

#[test]
fn sql_stands_in_the_store_only() {
    let root = source_root();
    for path in sources(&root) {
        if path.strip_prefix(&root).unwrap().starts_with("store") {
            continue;
        }
        assert!(!code(&path).contains("sqlx::"), "{} uses sqlx", path.display());
    }
}

/// The pool's own transactions are not closed when they are broken off while they begin.
#[test]
fn transactions_are_begun_by_the_store_alone() {
    for path in sources(&source_root()).into_iter().filter(|path| !path.starts_with(source_root().join("sandbox"))) {
        let code: String = code(&path).split_whitespace().collect();
        assert!(!code.contains("pool().begin(") && !code.contains("pool.begin("), "{}", path.display());
    }
}

/// Members that hold a secret, unless their type shows none.
const SECRET_MEMBERS: &[&str] = &[
    "password",
    "secret",
    "secret_key",
    "token",
    "access_token",
    "refresh_token",
    "key",
    "master_key",
    "admin_key",
    "sign",
    "credentials",
    "session",
    "callback_url",
    "database_url",
];
/// Types that print as `***`, or hold what is sealed.
const OPAQUE: &[&str] = &["SecretString", "Sealed", "Credentials", "Session", "Vec<SecretString>"];

/// What prints itself is printed some day. The simulators' secrets are none: the sandbox prints them.
#[test]
fn nothing_that_holds_a_secret_derives_debug() {
    let mut found = Vec::new();
    let mut looked_at = 0;
    for path in sources(&source_root()).into_iter().filter(|path| !path.starts_with(source_root().join("sandbox"))) {
        let code = code(&path);
        for (at, _) in code.match_indices("struct ") {
            let before = code[..at].rsplit(['}', ';']).next().unwrap_or_default();
            let Some(members) = code[at..].split_once('{').and_then(|(_, rest)| rest.split_once("\n}")) else {
                continue;
            };
            if !before.contains("derive(") || !before.contains("Debug") {
                continue;
            }
            looked_at += 1;
            for line in members.0.lines() {
                let Some((name, kind)) = line.trim().trim_start_matches("pub ").split_once(": ") else { continue };
                let kind = kind.trim_end_matches(',');
                let kind = kind.strip_prefix("Option<").and_then(|kind| kind.strip_suffix('>')).unwrap_or(kind);
                if SECRET_MEMBERS.contains(&name) && !OPAQUE.contains(&kind) {
                    found.push(format!("{}: {name}: {kind}", path.display()));
                }
            }
        }
    }
    assert!(looked_at > 50, "{looked_at}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
