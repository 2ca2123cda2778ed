//! Which trace something belongs to, as W3C Trace Context writes it in `traceparent`. It goes from a caller's request
//! with the submission to the exchange that sends it, and with the events to webhooks, whether or not spans are exported.

use std::fmt;
use std::str::FromStr;

use tracing::Span;
use uuid::Uuid;

use super::export;

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    pub trace_id: u128,
    pub span_id: u64,
    pub flags: u8,
}

/// Somebody recorded it: our log does.
const SAMPLED: u8 = 1;

impl TraceParent {
    /// The beginning of a trace.
    pub fn random() -> Self {
        let (_, span_id) = Uuid::new_v4().as_u64_pair();
        TraceParent { trace_id: Uuid::new_v4().as_u128(), span_id, flags: SAMPLED }
    }

    /// As log lines show it.
    pub fn id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// What was given is no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no traceparent")]
pub struct NoTraceParent;

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Of a version that is not known yet, what this one knows is read.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        const LENGTH: usize = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01".len();
        let known = text.get(..LENGTH).ok_or(NoTraceParent)?;
        let [version, trace_id, span_id, flags] =
            known.split('-').collect::<Vec<_>>().try_into().map_err(|_| NoTraceParent)?;
        let more = &text[LENGTH..];
        let may_be_longer = version != "00" && more.starts_with('-');
        if version == "ff" || !(more.is_empty() || may_be_longer) {
            return Err(NoTraceParent);
        }
        hexadecimal(version, 2)?;
        let read = TraceParent {
            trace_id: hexadecimal(trace_id, 32)?,
            span_id: u64::try_from(hexadecimal(span_id, 16)?).map_err(|_| NoTraceParent)?,
            flags: u8::try_from(hexadecimal(flags, 2)?).map_err(|_| NoTraceParent)?,
        };
        if read.trace_id == 0 || read.span_id == 0 { Err(NoTraceParent) } else { Ok(read) }
    }
}

fn hexadecimal(text: &str, length: usize) -> Result<u128, NoTraceParent> {
    let is_one = text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_one { u128::from_str_radix(text, 16).map_err(|_| NoTraceParent) } else { Err(NoTraceParent) }
}

/// Continues a trace in a span that has just been made, or begins one; `trace_id` is written into it. Where no spans are
/// exported, the place in a trace that was begun elsewhere stays what it was: nobody would find ours.
pub fn begin(span: &Span, parent: Option<TraceParent>) -> TraceParent {
    let place = export::begin(span, parent).unwrap_or_else(|| unexported(parent));
    span.record("trace_id", place.id());
    place
}

/// The place of a span that is yet to be made, where none are exported; to be written into it when it is made, which is
/// cheaper than to do so later.
pub fn begin_early(parent: Option<TraceParent>) -> Option<TraceParent> {
    (!export::is_on()).then(|| unexported(parent))
}

fn unexported(parent: Option<TraceParent>) -> TraceParent {
    parent.unwrap_or_else(TraceParent::random)
}

/// The same as [`begin`] for what several asked for. Those of one trace continue it; else it is a trace of its own, with
/// links to theirs. Gives the traces beside it.
pub fn begin_of_several(span: &Span, parents: impl Iterator<Item = Option<TraceParent>>) -> Vec<TraceParent> {
    let mut traces: Vec<TraceParent> = Vec::new();
    let mut others = false;
    for parent in parents {
        match parent {
            Some(parent) if traces.iter().any(|known| known.trace_id == parent.trace_id) => {}
            Some(parent) => traces.push(parent),
            None => others = true,
        }
    }
    match traces.as_slice() {
        [only] if !others => {
            begin(span, Some(*only));
            Vec::new()
        }
        _ => {
            export::link(span, &traces);
            begin(span, None);
            traces
        }
    }
}

/// Reads what the ledger keeps.
pub fn kept(text: Option<&str>) -> Option<TraceParent> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read: TraceParent = text.parse().unwrap();
        assert_eq!(read.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(read.to_string(), text);
        let made = TraceParent::random();
        assert_eq!(made.to_string().parse(), Ok(made));
        assert_ne!(made, TraceParent::random());
    }

    #[test]
    fn later_versions_are_read_as_far_as_they_are_known() {
        let read = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-what-the-future".parse::<TraceParent>();
        assert_eq!(read.unwrap().to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
    }

    #[test]
    fn what_is_none_is_not_read() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7--01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bé-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NoTraceParent), "{text}");
        }
    }
}
