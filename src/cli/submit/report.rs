//! What became of each order: a line for each, counts for people, and the exit code.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use super::batch::Placed;
use crate::canonical::SubmissionState;
use crate::cli::exit::{Exit, bad_input};
use crate::cli::output::{self, BAD, DIM, DOUBTFUL, GOOD, printable, shown, styled};
use crate::cli::problem::{as_it_is, describe};

/// A person reads so many orders that are well; of more the number is enough.
const FEW: u64 = 20;

/// What became of one order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultLine {
    /// Place among the orders of the input, from 0
    pub index: usize,
    pub line: usize,
    pub order_number: Option<String>,
    pub account: Option<String>,
    /// Id of the order
    pub id: Option<String>,
    pub submission_id: Option<String>,
    /// State of its submission; `refused` or `unreadable` where there is none, `valid` where nothing was to be kept
    pub state: String,
    pub provider_order_number: Option<String>,
    pub results: Value,
    pub problem: Value,
}

/// Where result lines go.
pub enum Results {
    /// For people: what went wrong, and the first that are well
    Words,
    Lines,
    File(BufWriter<File>),
}

impl Results {
    pub fn file(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).map_err(|error| bad_input(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Results::File(BufWriter::new(file)))
    }
}

/// Orders by what became of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    /// Of those, accepted by a run before this one
    pub before: u64,
    pub refused: u64,
    pub unreadable: u64,
    /// By the provider, or cancelled, or tried too often
    pub failed: u64,
    /// Of those that were accepted, not ended yet; only where that is waited for
    pub unfinished: u64,
}

/// Tells what becomes of the orders.
pub struct Report {
    results: Results,
    pub counts: Counts,
    bar: ProgressBar,
    /// Those whose end is waited for, by the ids of their orders
    pub pending: HashMap<String, ResultLine>,
    waits_for_ends: bool,
    /// Orders of which nothing bad is known, as far as they were told
    well: u64,
}

impl Report {
    /// `size` is the number of bytes of the input, where that is known.
    pub fn new(results: Results, size: Option<u64>, waits_for_ends: bool) -> Self {
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
        let template = match size {
            Some(_) => "{bar:30} {percent:>3} %  {msg}",
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Report { results, counts: Counts::default(), bar, pending: HashMap::new(), waits_for_ends, well: 0 }
    }

    /// How much of the input was read.
    pub fn read(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// From now on the ends are counted.
    pub fn begin_waiting(&mut self) {
        self.bar.finish_and_clear();
        let total = self.pending.len().try_into().unwrap_or(u64::MAX);
        self.bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} have ended  {msg}") {
            self.bar.set_style(style);
        }
    }

    /// Says that the gateway is waited for.
    pub fn waits(&self, wait: Duration, why: &str) {
        let words = format!("waiting {:.1} s: {}", wait.as_secs_f64(), printable(why));
        if self.bar.is_hidden() {
            output::note(words);
        } else {
            self.bar.set_message(words);
        }
    }

    pub fn unreadable(&mut self, index: usize, line: usize, why: &str) -> anyhow::Result<()> {
        self.counts.unreadable += 1;
        let words = format!("line {line} {why}");
        let problem = json!({"title": "The line is no order", "detail": words});
        let told = ResultLine {
            index,
            line,
            order_number: None,
            account: None,
            id: None,
            submission_id: None,
            state: "unreadable".to_owned(),
            provider_order_number: None,
            results: json!([]),
            problem,
        };
        self.tell(&told)
    }

    pub fn refused(&mut self, placed: &Placed, status: u16, problem: &Value) -> anyhow::Result<()> {
        self.counts.refused += 1;
        let mut told = line_of(placed, "refused");
        told.problem = if problem.is_null() {
            json!({"title": "The gateway says nothing of it", "status": status})
        } else {
            problem.clone()
        };
        self.tell(&told)
    }

    /// `item` is what the batch answered of the order.
    pub fn accepted(&mut self, placed: &Placed, item: &Value, is_replay: bool) -> anyhow::Result<()> {
        self.counts.accepted += 1;
        self.counts.before += u64::from(is_replay);
        let order = &item["order"];
        if order.is_null() {
            return self.tell(&line_of(placed, "valid"));
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let submission = &order["submission"];
        let mut told = line_of(placed, submission["state"].as_str().unwrap_or("queued"));
        told.id = text(&order["id"]);
        told.submission_id = text(&submission["id"]);
        told.provider_order_number = text(&order["providerOrderNumber"]);
        told.results = submission["results"].clone();
        match told.id.clone() {
            Some(id) if self.waits_for_ends && !is_final(&told.state) => {
                self.pending.insert(id, told);
                Ok(())
            }
            _ => self.ended(&told),
        }
    }

    /// One of those that are waited for has ended.
    pub fn has_ended(&mut self, told: &ResultLine) -> anyhow::Result<()> {
        self.bar.inc(1);
        self.ended(told)
    }

    fn ended(&mut self, told: &ResultLine) -> anyhow::Result<()> {
        if is_failure(&told.state) {
            self.counts.failed += 1;
        }
        self.tell(told)
    }

    fn tell(&mut self, told: &ResultLine) -> anyhow::Result<()> {
        if !self.bar.is_hidden() {
            self.bar.set_message(self.counts.words());
        }
        match &mut self.results {
            Results::Lines => output::json_line(told)?,
            Results::File(file) => {
                serde_json::to_writer(&mut *file, told)?;
                file.write_all(b"\n")?;
                file.flush()?;
            }
            Results::Words => {
                let is_well = told.problem.is_null() && !is_failure(&told.state);
                self.well += u64::from(is_well);
                if !is_well || self.well <= FEW {
                    self.bar.suspend(|| output::line(words_of(told)))?;
                }
            }
        }
        Ok(())
    }

    /// Ends the bar and sums up; those whose end did not come stand as they stood last.
    pub fn finish(mut self) -> anyhow::Result<Counts> {
        self.bar.finish_and_clear();
        let mut left: Vec<ResultLine> = self.pending.drain().map(|(_, told)| told).collect();
        left.sort_by_key(|told| told.index);
        self.counts.unfinished = left.len().try_into().unwrap_or(u64::MAX);
        left.iter().try_for_each(|told| self.tell(told))?;
        Ok(self.counts)
    }
}

fn line_of(placed: &Placed, state: &str) -> ResultLine {
    ResultLine {
        index: placed.index,
        line: placed.line,
        order_number: placed.order.order_number.clone(),
        account: placed.order.account.clone(),
        id: None,
        submission_id: None,
        state: state.to_owned(),
        provider_order_number: None,
        results: json!([]),
        problem: Value::Null,
    }
}

/// Whether nothing more happens to a submission by itself.
pub fn is_final(state: &str) -> bool {
    state.parse::<SubmissionState>().is_ok_and(SubmissionState::is_final)
}

fn is_failure(state: &str) -> bool {
    use SubmissionState::{Cancelled, Dead, Rejected};
    state.parse().is_ok_and(|state: SubmissionState| matches!(state, Rejected | Dead | Cancelled))
}

/// What a person should read of an order.
fn words_of(told: &ResultLine) -> String {
    let number = printable(told.order_number.as_deref().unwrap_or("(no number)"));
    let place = styled(DIM, format!("line {}", told.line));
    if !told.problem.is_null() {
        return format!("{place}  {}  {}", styled(BAD, number), describe(&told.problem, as_it_is));
    }
    let style = if is_failure(&told.state) {
        BAD
    } else if told.state == "in_doubt" {
        DOUBTFUL
    } else {
        GOOD
    };
    let mut words = format!("{place}  {number}  {}", styled(style, &told.state));
    let ids = [&told.provider_order_number, &told.id].into_iter().flatten();
    for id in ids {
        words.push_str("  ");
        words.push_str(&printable(id));
    }
    for result in told.results.as_array().into_iter().flatten() {
        let said = shown(if result["rawMessage"].is_null() { &result["messageEn"] } else { &result["rawMessage"] });
        let _ = write!(words, "\n    {}  {said}", shown(&result["code"]));
    }
    words
}

impl Counts {
    pub fn words(&self) -> String {
        let Counts { accepted, before, refused, unreadable, failed, unfinished } = *self;
        let mut words = format!("{} accepted", HumanCount(accepted));
        let parts = [
            (before, "of them by a run before this one"),
            (refused, "refused"),
            (unreadable, "unreadable"),
            (failed, "failed at the provider"),
            (unfinished, "not ended yet"),
        ];
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(words, ", {} {what}", HumanCount(count));
        }
        words
    }

    pub fn exit(&self) -> Exit {
        let Counts { accepted: _, before: _, refused, unreadable, failed, unfinished } = *self;
        if refused + failed > 0 {
            Exit::Refused
        } else if unreadable > 0 {
            Exit::BadInput
        } else if unfinished > 0 {
            Exit::Unfinished
        } else {
            Exit::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_became_of_an_order_is_the_exit_code() {
        let all = Counts { accepted: 2_000, before: 1_000, refused: 1, unreadable: 1, failed: 0, unfinished: 1 };
        assert_eq!(
            all.words(),
            "2,000 accepted, 1,000 of them by a run before this one, 1 refused, 1 unreadable, 1 not ended yet"
        );
        assert_eq!(all.exit(), Exit::Refused);
        assert_eq!(Counts { refused: 0, ..all }.exit(), Exit::BadInput);
        assert_eq!(Counts { refused: 0, unreadable: 0, ..all }.exit(), Exit::Unfinished);
        assert_eq!(Counts { accepted: 5, ..Counts::default() }.exit(), Exit::Done);
        assert_eq!(Counts { failed: 1, ..Counts::default() }.exit(), Exit::Refused);
    }
}
