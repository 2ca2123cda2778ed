//! The table of ratios.

use std::fmt::Write as _;
use std::path::Path;

use crate::server::Server;
use crate::statistics::{median, quantile, ratios};

/// Which direction is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
}

/// What a ratio, or a value, should be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub floor: f64,
    pub goal: f64,
    pub better: Better,
}

impl Bounds {
    fn verdict(&self, value: f64) -> &'static str {
        let holds = |bound: f64| match self.better {
            Better::More => value >= bound,
            Better::Less => value <= bound,
        };
        if holds(self.goal) {
            "goal"
        } else if holds(self.floor) {
            "floor"
        } else {
            "**missed**"
        }
    }
}

/// One line of the table.
pub struct Row {
    what: String,
    against: String,
    ours: String,
    yardstick: String,
    ratio: String,
    wanted: String,
    verdict: &'static str,
}

impl Row {
    /// Both sides round by round, and what is wanted of the median of their ratios.
    pub fn of(what: &str, against: &str, unit: &str, ours: &[f64], yardstick: &[f64], goal: Option<Bounds>) -> Self {
        let ratios = ratios(ours, yardstick);
        let ratio = median(&ratios);
        Row {
            what: what.to_owned(),
            against: against.to_owned(),
            ours: format!("{} {unit}", written(median(ours))),
            yardstick: format!("{} {unit}", written(median(yardstick))),
            ratio: format!("{ratio:.2} ({:.2}–{:.2})", quantile(&ratios, 0.0), quantile(&ratios, 1.0)),
            wanted: goal.map_or_else(String::new, |goal| format!("{} / {}", goal.floor, goal.goal)),
            verdict: goal.map_or("", |goal| goal.verdict(ratio)),
        }
    }

    /// One side that has no other, round by round.
    pub fn alone(what: &str, unit: &str, ours: &[f64], goal: Option<Bounds>) -> Self {
        let value = median(ours);
        Row {
            what: what.to_owned(),
            against: String::new(),
            ours: format!(
                "{} {unit} ({}–{})",
                written(value),
                written(quantile(ours, 0.0)),
                written(quantile(ours, 1.0))
            ),
            yardstick: String::new(),
            ratio: String::new(),
            wanted: goal.map(|goal| format!("{} / {} {unit}", goal.floor, goal.goal)).unwrap_or_default(),
            verdict: goal.map(|goal| goal.verdict(value)).unwrap_or_default(),
        }
    }

    pub fn line(&self) -> String {
        let cells =
            [&self.what, &self.against, &self.ours, &self.yardstick, &self.ratio, &self.wanted].map(String::as_str);
        format!("| {} | {} |", cells.join(" | "), self.verdict)
    }
}

/// Three digits of a number.
fn written(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

pub struct Report {
    machine: String,
    rows: Vec<Row>,
}

/// Between these stands the table in a document.
const MARKS: [&str; 2] = ["<!-- the table of the load harness -->", "<!-- its end -->"];

impl Report {
    pub async fn begin(server: &Server) -> Self {
        let processors = std::thread::available_parallelism().unwrap();
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map_or("unknown", |(_, name)| name);
        let mut machine =
            format!("{processors} processors ({model}), PostgreSQL {}", server.setting("server_version").await);
        for name in ["synchronous_commit", "fsync", "shared_buffers"] {
            let _ = write!(machine, ", {name} = {}", server.setting(name).await);
        }
        Report { machine, rows: Vec::new() }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn table(&self) -> String {
        let head = "| what | yardstick | gateway | yardstick's | ratio (least–most) | floor / goal | holds |\n|---|---|---|---|---|---|---|";
        let rows: Vec<String> = self.rows.iter().map(Row::line).collect();
        format!("{}\n\n{head}\n{}\n", self.machine, rows.join("\n"))
    }

    /// Puts the table in the place of the one that stands in the document.
    pub fn write(&self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let (before, rest) = text.split_once(MARKS[0]).expect("the document has the marks of the table");
        let (_, after) = rest.split_once(MARKS[1]).expect("the table ends");
        let written = format!("{before}{}\n\n{}\n{}{after}", MARKS[0], self.table(), MARKS[1]);
        std::fs::write(file, written).unwrap();
    }
}
