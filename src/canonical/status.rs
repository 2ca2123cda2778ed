//! Where an order stands, and the one table of how that may change.

use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::ToSchema;

/// Where the transport stands (OTM5 consignment.status).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderStatus {
    /// The provider has not answered yet.
    Pending,
    Rejected,
    Draft,
    Requested,
    Confirmed,
    InTransit,
    Completed,
    Cancelled,
    /// Adopted, and the provider was not asked yet.
    Unknown,
}

impl OrderStatus {
    /// Whether an order that stands here may be moved to `next` by what a provider tells of it.
    ///
    /// What is told may come late, twice, or before the answer to the order's own creation, so an order only ever
    /// moves forward: draft, requested, confirmed, in transit, completed, with stages left out at will. Completed
    /// and cancelled are ends. A refusal (`rejected`) is the answer to a creation and to nothing else; an order that
    /// counted as refused and of which the provider tells all the same stands there after all. `pending` and
    /// `unknown` are the gateway's own words: nobody tells them.
    pub fn may_become(self, next: OrderStatus) -> bool {
        match next {
            OrderStatus::Pending | OrderStatus::Unknown => false,
            OrderStatus::Rejected => self == OrderStatus::Pending,
            OrderStatus::Cancelled => !self.is_end(),
            _ => !self.is_end() && self.stage() < next.stage(),
        }
    }

    /// Whether an order that stands here may be put to `next` because the provider, asked about it just now, says so.
    ///
    /// A live answer is the truth: it may take back what was told too early, and even a completion. It never brings
    /// a cancelled order back, since what is found under its number then is another order.
    pub fn may_be_found(self, next: OrderStatus) -> bool {
        self != next && self != OrderStatus::Cancelled && next.stage() > 0
    }

    /// Where an order may stand for `rule` to let it become `next`.
    pub fn before(next: OrderStatus, rule: fn(OrderStatus, OrderStatus) -> bool) -> Vec<OrderStatus> {
        OrderStatus::VARIANTS.iter().copied().filter(|status| rule(*status, next)).collect()
    }

    /// Whether nothing comes after it.
    pub fn is_end(self) -> bool {
        matches!(self, OrderStatus::Completed | OrderStatus::Cancelled)
    }

    /// How far the order has come at its provider; 0 where the provider does not hold it, as far as is known.
    fn stage(self) -> u8 {
        match self {
            OrderStatus::Pending | OrderStatus::Rejected | OrderStatus::Unknown => 0,
            OrderStatus::Draft => 1,
            OrderStatus::Requested => 2,
            OrderStatus::Confirmed => 3,
            OrderStatus::InTransit => 4,
            OrderStatus::Completed | OrderStatus::Cancelled => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: where the order stands. Columns: what it may become, in the order of the variants.
    fn matrix(rule: fn(OrderStatus, OrderStatus) -> bool) -> Vec<String> {
        let row = |from: &OrderStatus| {
            let cells = OrderStatus::VARIANTS.iter().map(|to| if rule(*from, *to) { 'x' } else { '.' });
            format!("{from:<10} {}", cells.collect::<String>())
        };
        OrderStatus::VARIANTS.iter().map(row).collect()
    }

    #[test]
    fn what_is_told_moves_an_order_forward_only() {
        // pending, rejected, draft, requested, confirmed, in transit, completed, cancelled, unknown
        assert_eq!(
            matrix(OrderStatus::may_become),
            [
                "pending    .xxxxxxx.",
                "rejected   ..xxxxxx.",
                "draft      ...xxxxx.",
                "requested  ....xxxx.",
                "confirmed  .....xxx.",
                "in_transit ......xx.",
                "completed  .........",
                "cancelled  .........",
                "unknown    ..xxxxxx.",
            ]
        );
    }

    #[test]
    fn what_is_found_is_true_but_for_an_order_that_was_cancelled() {
        assert_eq!(
            matrix(OrderStatus::may_be_found),
            [
                "pending    ..xxxxxx.",
                "rejected   ..xxxxxx.",
                "draft      ...xxxxx.",
                "requested  ..x.xxxx.",
                "confirmed  ..xx.xxx.",
                "in_transit ..xxx.xx.",
                "completed  ..xxxx.x.",
                "cancelled  .........",
                "unknown    ..xxxxxx.",
            ]
        );
    }

    /// Every status that may come of this one, by however many steps.
    fn reachable(from: OrderStatus, rule: fn(OrderStatus, OrderStatus) -> bool) -> Vec<OrderStatus> {
        let mut found: Vec<OrderStatus> = Vec::new();
        let mut open = vec![from];
        while let Some(status) = open.pop() {
            for next in OrderStatus::VARIANTS.iter().copied().filter(|next| rule(status, *next)) {
                if !found.contains(&next) {
                    found.push(next);
                    open.push(next);
                }
            }
        }
        found
    }

    #[test]
    fn what_is_told_never_goes_in_a_circle_and_ends_are_ends() {
        use OrderStatus::{Cancelled, Completed, Pending, Unknown};
        for status in OrderStatus::VARIANTS.iter().copied() {
            let after = reachable(status, OrderStatus::may_become);
            assert!(!after.contains(&status), "{status} comes again");
            assert!(!after.contains(&Pending) && !after.contains(&Unknown), "nobody tells {status} back to the start");
            assert_eq!(after.is_empty(), status.is_end(), "{status}");
            // Every way leads to both ends, and a step that was left out is no obstacle.
            assert_eq!(after.contains(&Completed) && after.contains(&Cancelled), !status.is_end(), "{status}");
            for later in after {
                assert!(OrderStatus::may_become(status, later), "{status} to {later} at once");
            }
        }
    }

    #[test]
    fn what_is_found_goes_in_circles_only_where_the_provider_holds_the_order() {
        use OrderStatus::{Cancelled, Completed, Confirmed, Draft, InTransit, Pending, Rejected, Requested, Unknown};
        let held = [Draft, Requested, Confirmed, InTransit, Completed];
        for status in OrderStatus::VARIANTS.iter().copied() {
            let after = reachable(status, OrderStatus::may_be_found);
            assert_eq!(after.contains(&status), held.contains(&status), "{status}");
            assert!([Pending, Rejected, Unknown].iter().all(|own| !after.contains(own)), "{status}");
            assert_eq!(after.is_empty(), status == Cancelled, "a cancelled order does not come back");
            // What is told is never against what could be found, but for the answer to a creation.
            for next in OrderStatus::VARIANTS.iter().copied().filter(|next| *next != Rejected) {
                assert!(!status.may_become(next) || status.may_be_found(next), "{status} to {next}");
            }
        }
    }

    #[test]
    fn where_an_order_may_come_from() {
        use OrderStatus::{Confirmed, Draft, Pending, Rejected, Requested, Unknown};
        let before = OrderStatus::before(Confirmed, OrderStatus::may_become);
        assert_eq!(before, [Pending, Rejected, Draft, Requested, Unknown]);
        assert_eq!(OrderStatus::before(Unknown, OrderStatus::may_be_found), []);
    }
}
