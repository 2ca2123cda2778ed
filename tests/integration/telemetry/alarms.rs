//! The dashboard and the alert rules use metrics and labels that exist, and each alert has a run-book.

use std::collections::{BTreeMap, BTreeSet};

use onelane::api::CONTRACT;
use onelane::metrics::Kind;
use promql_parser::label::Matchers;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use serde::Deserialize;
use serde_json::Value;

use super::definitions;

const DASHBOARD: &str = include_str!("../../../deploy/grafana/dashboards/onelane.json");
const RULES: &str = include_str!("../../../deploy/prometheus/alerts.yaml");
const RUNBOOKS: &str = include_str!("../../../docs/alarms.md");

/// What Prometheus adds to every series that it scrapes.
const OF_TARGETS: [&str; 2] = ["job", "instance"];

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: String,
    expr: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_norway::from_str(RULES).unwrap();
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// The labels of every name that a query may use: of each metric, and of each part of a histogram.
fn known() -> BTreeMap<String, BTreeSet<String>> {
    let mut known = BTreeMap::from([("up".to_owned(), BTreeSet::new())]);
    for metric in definitions() {
        let labels: BTreeSet<String> = metric.labels.iter().map(ToString::to_string).collect();
        if metric.kind == Kind::Histogram {
            let mut with_bound = labels.clone();
            with_bound.insert("le".to_owned());
            known.insert(format!("{}_bucket", metric.name), with_bound);
            known.insert(format!("{}_sum", metric.name), labels.clone());
            known.insert(format!("{}_count", metric.name), labels);
        } else {
            known.insert(metric.name.to_owned(), labels);
        }
    }
    for labels in known.values_mut() {
        labels.extend(OF_TARGETS.map(str::to_owned));
    }
    known
}

/// What an expression uses: metrics with the labels that select among their series, and the labels by which it groups.
#[derive(Default)]
struct Uses {
    metrics: BTreeMap<String, BTreeSet<String>>,
    groups: BTreeSet<String>,
}

impl Uses {
    fn of(expression: &str) -> Self {
        let parsed = parser::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut uses = Uses::default();
        uses.read(&parsed);
        uses
    }

    fn read(&mut self, expression: &Expr) {
        match expression {
            Expr::Aggregate(aggregate) => {
                self.group(aggregate.modifier.as_ref());
                self.read(&aggregate.expr);
                if let Some(parameter) = &aggregate.param {
                    self.read(parameter);
                }
            }
            Expr::Binary(binary) => {
                self.group(binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref()));
                self.read(&binary.lhs);
                self.read(&binary.rhs);
            }
            Expr::Unary(unary) => self.read(&unary.expr),
            Expr::Paren(inner) => self.read(&inner.expr),
            Expr::Subquery(subquery) => self.read(&subquery.expr),
            Expr::Call(call) => {
                for argument in &call.args.args {
                    self.read(argument);
                }
            }
            Expr::VectorSelector(selector) => self.select(selector),
            Expr::MatrixSelector(selector) => self.select(&selector.vs),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => {}
            other @ Expr::Extension(_) => panic!("{other:?} is not read by this test"),
        }
    }

    fn group(&mut self, modifier: Option<&LabelModifier>) {
        if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier {
            self.groups.extend(labels.labels.iter().cloned());
        }
    }

    fn select(&mut self, VectorSelector { name, matchers, .. }: &VectorSelector) {
        let Matchers { matchers, or_matchers } = matchers;
        assert!(or_matchers.is_empty());
        let name = name.clone().expect("a selector names its metric");
        self.metrics.entry(name).or_default().extend(matchers.iter().map(|matcher| matcher.name.clone()));
    }

    /// What of it does not exist.
    fn unknown(&self, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
        let mut unknown = Vec::new();
        let mut grouped = BTreeSet::new();
        for (metric, labels) in &self.metrics {
            match known.get(metric) {
                Some(its) => {
                    unknown.extend(labels.difference(its).map(|label| format!("{metric} has no label {label}")));
                    grouped.extend(its.clone());
                }
                None => unknown.push(format!("there is no metric {metric}")),
            }
        }
        unknown.extend(self.groups.difference(&grouped).map(|label| format!("nothing there has a label {label}")));
        unknown
    }
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors() -> BTreeSet<String> {
    RUNBOOKS
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

/// Every value of a member, wherever it stands.
fn all<'a>(document: &'a Value, member: &str, found: &mut Vec<&'a Value>) {
    match document {
        Value::Object(members) => {
            found.extend(members.get(member));
            for value in members.values() {
                all(value, member, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                all(item, member, found);
            }
        }
        _ => {}
    }
}

#[test]
fn what_does_not_exist_is_found() {
    let unknown = |expression: &str| Uses::of(expression).unknown(&known());
    assert!(unknown(r#"sum by (account) (rate(onelane_exchanges_total{outcome="answered"}[5m]))"#).is_empty());
    assert_eq!(unknown("rate(onelane_exchange_total[5m])"), ["there is no metric onelane_exchange_total"]);
    assert_eq!(unknown(r#"onelane_exchanges_total{order="1"}"#), ["onelane_exchanges_total has no label order"]);
    assert_eq!(unknown("max by (path) (onelane_ledger_up) == 0"), ["nothing there has a label path"]);
    assert_eq!(unknown("onelane_exchange_items"), ["there is no metric onelane_exchange_items"]);
    assert_eq!(
        unknown("onelane_ledger_up unless on (order) onelane_event_streams"),
        ["nothing there has a label order"]
    );
}

#[test]
fn alerts_use_what_exists_and_have_a_runbook() {
    let (known, anchors, rules) = (known(), anchors(), rules());
    assert!(rules.len() >= 10, "{}", rules.len());
    let mut runbooks = BTreeSet::new();
    for Rule { alert, expr, labels, annotations } in &rules {
        assert_eq!(Uses::of(expr).unknown(&known), [""; 0], "{alert}");
        assert!(["critical", "warning", "info"].contains(&labels["severity"].as_str()), "{alert}");
        assert!(!annotations["summary"].is_empty(), "{alert}");
        let runbook = annotations["runbook"].strip_prefix("docs/alarms.md#").unwrap_or_else(|| panic!("{alert}"));
        assert!(anchors.contains(runbook), "{alert}: {runbook} is no heading of docs/alarms.md");
        assert!(runbooks.insert(runbook), "{alert}: {runbook} belongs to another alert");
        // What a summary tells of must be there when the alert fires.
        let uses = Uses::of(expr);
        for label in annotations["summary"].split("$labels.").skip(1) {
            let label = label.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap();
            let kept = uses.groups.contains(label) || (uses.groups.is_empty() && OF_TARGETS.contains(&label));
            assert!(kept, "{alert} tells of {label}");
        }
    }
    let headings: BTreeSet<&str> = RUNBOOKS
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|line| line.starts_with("Onelane"))
        .collect();
    let alerts: BTreeSet<&str> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    assert_eq!(headings, alerts, "each run-book belongs to an alert");
}

/// The paths that run-books ask for exist.
#[test]
fn runbooks_ask_for_what_is_there() {
    let paths = &CONTRACT.document()["paths"];
    let templates: BTreeSet<String> = paths.as_object().unwrap().keys().map(|path| without_names(path)).collect();
    let mut asked = BTreeSet::new();
    for part in RUNBOOKS.split("$ONELANE/").skip(1) {
        let path = part.split(|letter: char| !(letter.is_alphanumeric() || "/-_".contains(letter))).next().unwrap();
        asked.insert(format!("/{path}"));
    }
    assert!(asked.len() > 10, "{asked:?}");
    for path in asked.iter().filter(|path| *path != "/metrics") {
        assert!(templates.contains(&without_names(path)), "there is no {path}");
    }
}

/// A path whose parts in braces, or in capitals, are all alike.
fn without_names(path: &str) -> String {
    let part = |part: &str| {
        let is_name =
            part.starts_with('{') || (!part.is_empty() && part.chars().all(|letter| letter.is_ascii_uppercase()));
        if is_name { "{}".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn the_dashboard_uses_what_exists() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let known = known();
    let mut expressions = Vec::new();
    all(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() > 30, "{}", expressions.len());
    let mut shown = BTreeSet::new();
    for expression in expressions {
        let expression = expression.as_str().unwrap().replace("$__rate_interval", "5m");
        let uses = Uses::of(&expression);
        assert_eq!(uses.unknown(&known), [""; 0], "{expression}");
        shown.extend(uses.metrics.into_keys());
    }
    // A variable lists the values of a label that exists, too.
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let Some(definition) = variable["definition"].as_str() else { continue };
        let (metric, label) =
            definition.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap().split_once(", ").unwrap();
        assert!(known[metric].contains(label), "{definition}");
        assert_eq!(variable["query"]["query"], definition);
    }
    // What is measured is shown, but for what says the same as something that is.
    let stems = shown.iter().map(|name| {
        ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned()
    });
    let shown: BTreeSet<String> = stems.chain(shown.iter().cloned()).collect();
    let hidden: Vec<&str> = definitions()
        .map(|metric| metric.name)
        .filter(|name| name.starts_with("onelane_") && !shown.contains(*name))
        .collect();
    assert_eq!(hidden, ["onelane_build_info"]);
}
