//! Prometheus's text format, read.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::Caller;

/// How long a test waits for a value.
const PATIENCE: Duration = Duration::from_secs(60);

/// One series.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// All that was exposed at one moment.
#[derive(Debug, Default)]
pub struct Exposition {
    /// Kind and help of each family
    pub families: BTreeMap<String, (String, String)>,
    pub samples: Vec<Sample>,
}

impl Exposition {
    pub async fn of(caller: &Caller) -> Self {
        let answer = caller.without_key().get("/metrics").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Self::read(answer.body.as_str().unwrap())
    }

    /// Asks until it says what is waited for.
    pub async fn until(caller: &Caller, wanted: impl Fn(&Self) -> bool) -> Self {
        let said = async {
            loop {
                let said = Self::of(caller).await;
                if wanted(&said) {
                    return said;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, said).await {
            Ok(said) => said,
            Err(late) => panic!("it never says so ({late}): {:#?}", Self::of(caller).await),
        }
    }

    fn read(text: &str) -> Self {
        let mut read = Exposition::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let (what, name, said) =
                    (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or_default());
                let family = read.families.entry(name.to_owned()).or_default();
                match what {
                    "TYPE" => said.clone_into(&mut family.0),
                    "HELP" => said.clone_into(&mut family.1),
                    _ => panic!("{line}"),
                }
            } else {
                read.samples.push(sample(line));
            }
        }
        read
    }

    /// The series of a metric with these labels, whatever others it has.
    pub fn series(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let fits = |sample: &Sample| {
            labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|found| found == value))
        };
        self.samples.iter().filter(|sample| sample.name == name && fits(sample)).collect()
    }

    /// Their sum; nothing when there is none.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let series = self.series(name, labels);
        (!series.is_empty()).then(|| series.iter().map(|sample| sample.value).sum())
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
    let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
    let Some((name, labels)) = series.split_once('{') else {
        return Sample { name: series.to_owned(), labels: BTreeMap::new(), value };
    };
    let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
    let pairs = labels.split("\",").filter(|pair| !pair.is_empty());
    let labels = pairs
        .map(|pair| {
            let (label, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            (label.to_owned(), value.trim_end_matches('"').to_owned())
        })
        .collect();
    Sample { name: name.to_owned(), labels, value }
}
