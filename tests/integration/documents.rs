//! The documents say what is there: their links lead somewhere, and the tests that they name exist.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .iter()
        .map(|name| root().join(name))
        .collect();
    for directory in ["docs", "docs/providers"] {
        let entries = fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    found
}

/// What stands between two texts, each time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split_once(end).map(|(inside, _)| inside)).collect()
}

/// The anchors of a document's headings, as they are made of their words.
fn anchors(document: &str) -> Vec<String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
            kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for path in documents() {
        let document = fs::read_to_string(&path).unwrap();
        for link in between(&document, "](", ")").into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            if let Some(anchor) = anchor {
                let found = anchors(&fs::read_to_string(&target).unwrap());
                assert!(found.iter().any(|found| found == anchor), "{}: {link} in {found:?}", path.display());
            }
            links += 1;
        }
    }
    assert!(links > 20, "{links}");
}

/// The image is built from what `.dockerignore` lets through.
#[test]
fn what_the_image_copies_is_there_and_let_through() {
    let recipe = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let let_through = fs::read_to_string(root().join(".dockerignore")).unwrap();
    let let_through: Vec<&str> = let_through.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let copied: Vec<&str> = recipe
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ").filter(|rest| !rest.starts_with("--from")))
        .flat_map(|files| files.split_whitespace().rev().skip(1).collect::<Vec<_>>())
        .collect();
    for file in &copied {
        assert!(root().join(file).exists() && let_through.contains(file), "{file}");
    }
    for file in let_through {
        assert!(copied.contains(&file), "{file} is let through and not copied");
    }
    assert!(copied.len() > 5, "{copied:?}");
}

#[test]
fn every_guard_has_a_test_that_exists() {
    let document = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let mut named = 0;
    for (file, test) in document.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(": ")) {
        if !test.contains('_') || test.contains([' ', '"', '/']) {
            continue;
        }
        let places = ["tests/integration", "src"].iter().flat_map(|place| {
            [format!("{place}/{file}.rs"), format!("{place}/{file}/mod.rs")].map(|path| root().join(path))
        });
        let sources: Vec<String> = places.filter_map(|path| fs::read_to_string(path).ok()).collect();
        let tests = sources.iter().flat_map(|source| source.split("#[test]").chain(source.split("#[tokio::test")));
        let begins = format!("fn {test}(");
        let found = tests.filter_map(|source| source.split_once('{')).any(|(head, _)| head.contains(&begins));
        assert!(found, "there is no test {file}: {test}");
        named += 1;
    }
    assert!(named > 50, "{named}");
}
