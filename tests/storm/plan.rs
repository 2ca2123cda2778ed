//! What happens in a storm, decided by its seed before it begins: every call of every caller, and when.

use std::time::Duration;

use super::arguments::Arguments;
use super::dice::Dice;

/// Of 100 orders, how many are of each kind; the rest are of the first.
const SHARES: [(Kind, usize); 5] =
    [(Kind::Transport, 24), (Kind::Acceptance, 8), (Kind::Trip, 4), (Kind::Edited, 4), (Kind::Inbound, 3)];
/// The last moment at which an order is created, as a share of the storm.
const LAST_CREATION: f64 = 0.85;
/// The largest batch that is accepted at once.
const LARGEST_BATCH: usize = 200;
/// In all of an inbound order.
pub const INBOUND_QUANTITY: usize = 10;
/// What a forged confirmation says of it; no event may ever say so.
pub const FORGED_QUANTITY: usize = 7_777;

/// What an order is, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An oTMS order
    Import,
    /// A 3TMS transport order
    Transport,
    /// A 3TMS acceptance order
    Acceptance,
    /// A 3TMS transport order that goes on a vehicle with others
    Trip,
    /// An ILE order, made there
    Edited,
    /// An inbound order at Hongxun, made there
    Inbound,
}

/// An order of the plan. Its place in the list is how others name it.
#[derive(Debug, Clone)]
pub struct PlannedOrder {
    pub number: String,
    pub kind: Kind,
}

/// What a caller, or somebody at a provider, does.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Creates orders together.
    Batch(Vec<usize>),
    /// Creates an order; not always with an idempotency key, and sometimes waits for its end.
    Single {
        order: usize,
        keyed: bool,
        waits: bool,
    },
    /// Creates orders on one vehicle.
    Trip(Vec<usize>),
    /// Registers an order that was made at its provider.
    Adopt(usize),
    /// Changes an order's remarks to a text of its own.
    Amend {
        order: usize,
        marker: String,
    },
    /// Changes a custom field to a text of its own.
    CustomFields {
        order: usize,
        marker: String,
    },
    Cancel(usize),
    /// The provider's people move the order on, who then call back.
    Advance {
        order: usize,
        to: &'static str,
    },
    /// The warehouse confirms that goods came, once or more often, or somebody pretends to be the warehouse.
    Confirm {
        order: usize,
        quantity: usize,
        times: usize,
        forged: bool,
    },
}

/// A deed at its time.
#[derive(Debug, Clone)]
pub struct Work {
    /// Since the storm began
    pub at: Duration,
    /// Idempotency key
    pub key: String,
    /// Whether the caller asks again although it was answered
    pub repeats: bool,
    pub deed: Deed,
}

/// Everything that the callers do.
pub struct Plan {
    pub orders: Vec<PlannedOrder>,
    /// In the order of their times
    pub works: Vec<Work>,
}

impl Plan {
    pub fn of(arguments: &Arguments) -> Self {
        let mut planner = Planner {
            dice: Dice::new(arguments.seed, 1),
            orders: plan_orders(arguments),
            works: Vec::new(),
            seed: arguments.seed,
            duration: arguments.duration(),
        };
        planner.plan();
        planner.works.sort_by_key(|work| work.at);
        Plan { orders: planner.orders, works: planner.works }
    }
}

/// Orders of all kinds, well mixed.
fn plan_orders(arguments: &Arguments) -> Vec<PlannedOrder> {
    let dice = Dice::new(arguments.seed, 0);
    let mut orders = Vec::with_capacity(arguments.orders);
    while orders.len() < arguments.orders {
        let mut throw = dice.below(100);
        let kind = SHARES.iter().find(|(_, share)| {
            let hit = throw < *share;
            throw = throw.wrapping_sub(*share);
            hit
        });
        let kind = kind.map_or(Kind::Import, |(kind, _)| *kind);
        let number = format!("STORM-{}-{}", arguments.seed, orders.len());
        orders.push(PlannedOrder { number, kind });
    }
    orders
}

struct Planner {
    dice: Dice,
    orders: Vec<PlannedOrder>,
    works: Vec<Work>,
    seed: u64,
    duration: Duration,
}

impl Planner {
    fn plan(&mut self) {
        let creations = self.creations();
        let count = creations.len() as f64;
        for (index, deed) in creations.into_iter().enumerate() {
            let at = (index as f64 + 0.5) / count * LAST_CREATION;
            let orders = match &deed {
                Deed::Batch(orders) | Deed::Trip(orders) => orders.clone(),
                Deed::Single { order, .. } | Deed::Adopt(order) => vec![*order],
                _ => Vec::new(),
            };
            self.add(at, deed);
            for order in orders {
                self.follow(order, at);
            }
        }
    }

    fn add(&mut self, at: f64, deed: Deed) {
        let key = format!("storm-{}-{}", self.seed, self.works.len());
        let repeats = self.dice.chance(0.05);
        self.works.push(Work { at: self.duration.mul_f64(at.min(0.99)), key, repeats, deed });
    }

    /// How each order is created: together with others, or alone.
    fn creations(&mut self) -> Vec<Deed> {
        let mut creations = Vec::new();
        let (mut batch, mut trip) = (Vec::new(), Vec::new());
        let largest = LARGEST_BATCH.min(self.orders.len() / 20).max(2);
        let (mut batch_size, mut trip_size) = (largest, 3);
        for order in 0..self.orders.len() {
            match self.orders[order].kind {
                Kind::Edited | Kind::Inbound => creations.push(Deed::Adopt(order)),
                Kind::Trip => {
                    trip.push(order);
                    if trip.len() >= trip_size {
                        creations.push(Deed::Trip(std::mem::take(&mut trip)));
                        trip_size = 2 + self.dice.below(3);
                    }
                }
                _ if self.dice.chance(0.2) => {
                    let (keyed, waits) = (self.dice.chance(0.9), self.dice.chance(0.1));
                    creations.push(Deed::Single { order, keyed, waits });
                }
                _ => {
                    batch.push(order);
                    if batch.len() >= batch_size {
                        creations.push(Deed::Batch(std::mem::take(&mut batch)));
                        batch_size = 2 + self.dice.below(largest);
                    }
                }
            }
        }
        creations.extend((!batch.is_empty()).then_some(Deed::Batch(batch)));
        creations.extend((!trip.is_empty()).then_some(Deed::Trip(trip)));
        creations
    }

    /// What comes after an order's creation: often soon, while that is still under way.
    fn follow(&mut self, order: usize, created: f64) {
        let later = |dice: &Dice| created + dice.share().powi(2) * 0.5 + 0.001;
        let marker = format!("marker-{}-{order}-{}", self.seed, self.works.len());
        match self.orders[order].kind {
            Kind::Inbound => {
                let mut moments = [(); 3].map(|()| later(&self.dice));
                moments.sort_by(f64::total_cmp);
                for (at, quantity) in moments.into_iter().zip([3, 7, INBOUND_QUANTITY]) {
                    let times = 1 + self.dice.below(2);
                    self.add(at, Deed::Confirm { order, quantity, times, forged: false });
                }
                if self.dice.chance(0.1) {
                    let at = later(&self.dice);
                    self.add(at, Deed::Confirm { order, quantity: FORGED_QUANTITY, times: 1, forged: true });
                }
            }
            Kind::Edited => {
                for _ in 0..=self.dice.below(2) {
                    let (at, marker) = (later(&self.dice), format!("{marker}-{}", self.works.len()));
                    self.add(at, Deed::Amend { order, marker });
                }
            }
            kind => {
                let (amends, fields, cancels, advances) = match kind {
                    Kind::Import => (0.03, 0.03, 0.01, 0.0),
                    Kind::Acceptance => (0.03, 0.0, 0.04, 0.03),
                    _ => (0.02, 0.01, 0.03, 0.03),
                };
                if self.dice.chance(amends) {
                    for _ in 0..=self.dice.below(3) {
                        let (at, marker) = (later(&self.dice), format!("{marker}-{}", self.works.len()));
                        self.add(at, Deed::Amend { order, marker });
                    }
                }
                if self.dice.chance(fields) {
                    let at = later(&self.dice);
                    self.add(at, Deed::CustomFields { order, marker });
                }
                if self.dice.chance(cancels) {
                    let at = later(&self.dice);
                    self.add(at, Deed::Cancel(order));
                } else if self.dice.chance(advances) {
                    let at = self.dice.between(created + 0.2, 1.0);
                    for (step, to) in ["confirmed", "picked_up", "delivered"].into_iter().enumerate() {
                        self.add(at + step as f64 * 0.02, Deed::Advance { order, to });
                    }
                }
            }
        }
    }
}
