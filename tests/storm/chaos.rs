//! What goes wrong in a storm besides the providers: decided by its seed before it begins, and done at its time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::arguments::Arguments;
use super::database::Database;
use super::dice::Dice;
use super::fleet::Fleet;

/// In a storm of this length a replica may hang for longer than a lease.
const LONG: Duration = Duration::from_secs(300);
const BEYOND_A_LEASE: Duration = Duration::from_secs(95);

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    Kill { replica: usize, downtime: Duration },
    Stop { replica: usize, time: Duration },
    CrashDatabase,
}

/// All of it, each at its time since the storm began.
pub struct Schedule(Vec<(Duration, Blow)>);

impl Schedule {
    pub fn of(arguments: &Arguments) -> Self {
        let dice = Dice::new(arguments.seed, 3);
        let duration = arguments.duration();
        let replica = || dice.below(usize::from(arguments.replicas));
        let moments = |count| dice.moments(count, 0.08, 0.97);
        let mut blows = Vec::new();
        for at in moments(arguments.kills) {
            let downtime = Duration::from_secs_f64(dice.between(0.2, 2.0));
            blows.push((duration.mul_f64(at), Blow::Kill { replica: replica(), downtime }));
        }
        for (index, at) in moments(arguments.stops).into_iter().enumerate() {
            let short = Duration::from_secs_f64(dice.between(0.3, 6.0));
            let time = if duration >= LONG && index % 3 == 2 { BEYOND_A_LEASE } else { short };
            blows.push((duration.mul_f64(at), Blow::Stop { replica: replica(), time }));
        }
        for at in moments(arguments.database_restarts) {
            blows.push((duration.mul_f64(at), Blow::CrashDatabase));
        }
        blows.sort_by_key(|(at, _)| *at);
        Schedule(blows)
    }

    /// Does it all, and gives what was done.
    pub async fn run(&self, fleet: &Arc<Fleet>, database: &Arc<Database>, began: Instant) -> Vec<String> {
        let mut under_way = JoinSet::new();
        let mut done = Vec::new();
        for (at, blow) in &self.0 {
            tokio::time::sleep_until(began + *at).await;
            done.push(format!("{:7.1} s  {blow}", at.as_secs_f64()));
            let (fleet, database, blow) = (Arc::clone(fleet), Arc::clone(database), *blow);
            under_way.spawn(async move {
                match blow {
                    Blow::Kill { replica, downtime } => fleet.kill(replica, downtime).await,
                    Blow::Stop { replica, time } => fleet.stop(replica, time).await,
                    Blow::CrashDatabase => database.crash().await,
                }
            });
        }
        while let Some(ended) = under_way.join_next().await {
            ended.unwrap();
        }
        done
    }

    /// Without the crashes of a database that cannot crash.
    pub fn without_crashes(self) -> Self {
        Schedule(self.0.into_iter().filter(|(_, blow)| !matches!(blow, Blow::CrashDatabase)).collect())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, blow) in &self.0 {
            writeln!(formatter, "  {:7.1} s  {blow}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Blow::Kill { replica, downtime } => {
                write!(formatter, "replica {replica} is killed, back after {:.1} s", downtime.as_secs_f64())
            }
            Blow::Stop { replica, time } => {
                write!(formatter, "replica {replica} hangs for {:.1} s", time.as_secs_f64())
            }
            Blow::CrashDatabase => write!(formatter, "the database crashes"),
        }
    }
}
