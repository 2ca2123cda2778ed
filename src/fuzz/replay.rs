//! The corpora of the fuzz targets, and what fuzzing once found, replayed by every test run.

use std::fs;
use std::path::{Path, PathBuf};

/// What holds for any bytes.
type Law = fn(&[u8]);

/// Every target by its name, which is that of its file and of its corpus.
const TARGETS: &[(&str, Law)] = &[
    ("amendments", super::amendments),
    ("answers", super::answers),
    ("callbacks", super::callbacks),
    ("heads", super::heads),
    ("merge_patches", super::merge_patches),
    ("orders", super::orders),
    ("xml", super::xml),
];

fn fuzz_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".rs", "")).collect();
    names.sort();
    names
}

fn replay(target: &str) {
    let (name, law) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let corpus = fuzz_directory().join("corpus").join(name);
    let findings = fuzz_directory().join("findings").join(name);
    assert!(names(&corpus).len() >= 5, "the corpus of {name} is too small");
    for directory in [corpus, findings].iter().filter(|directory| directory.exists()) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(std::panic::catch_unwind(|| law(&bytes)).is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_is_replayed() {
    let listed: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    for directory in ["targets", "corpus"] {
        assert_eq!(names(&fuzz_directory().join(directory)), listed, "fuzz/{directory}");
    }
}

#[test]
fn amendments() {
    replay("amendments");
}

#[test]
fn answers() {
    replay("answers");
}

#[test]
fn callbacks() {
    replay("callbacks");
}

#[test]
fn heads() {
    replay("heads");
}

#[test]
fn merge_patches() {
    replay("merge_patches");
}

#[test]
fn orders() {
    replay("orders");
}

#[test]
fn xml() {
    replay("xml");
}

/// What is too large to lie in a corpus: depth, length, digits, references that would grow.
#[test]
fn large_and_deep_inputs_are_read_in_bounds() {
    const MANY: usize = 100_000;
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(MANY), close.repeat(MANY));
    let number = "9".repeat(MANY);
    let inputs = [
        nested("[", "]"),
        nested("{\"a\":", "}"),
        nested("<a>", "</a>"),
        "<a>".repeat(MANY),
        format!("<a>{}</a>", "<b/>".repeat(3 * MANY)),
        format!("<a {}/>", list(MANY / 10, |index| format!("b{index}='' "))),
        format!("<a>{}</a>", "&#65;".repeat(MANY)),
        format!("<a>{}</a>", "<![CDATA[x]]>".repeat(MANY)),
        format!("<!DOCTYPE a [{}]><a>&e9;</a>", list(9, entity)),
        format!("{{\"code\":{number}}}"),
        format!("{{\"code\":1e{number}}}"),
        format!("{{\"code\":200,\"data\":[{}1]}}", "1,".repeat(MANY)),
        format!("{{\"totals\":{{\"grossWeight\":{number}}}}}"),
        format!("{{\"totals\":{{\"grossWeight\":1e-{number}}}}}"),
        format!("{{\"lines\":[{}{{}}]}}", "{},".repeat(MANY / 100)),
        format!("{{\"customFields\":{{\"text1\":{number}}}}}"),
        format!("[{0},{0},{0}]", nested("[", "]")),
        "W/".repeat(MANY),
        format!("https://{}/", "a.".repeat(MANY)),
        "10.0.0.0/8,".repeat(MANY / 10),
        format!("wait={number}"),
        number,
    ];
    for input in inputs {
        for (_, law) in TARGETS {
            law(input.as_bytes());
        }
    }
}

fn list(count: usize, text: fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

/// A reference to eight of the one before.
fn entity(index: usize) -> String {
    format!("<!ENTITY e{} \"{}\">", index + 1, format!("&e{index};").repeat(8))
}
