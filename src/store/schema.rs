//! The database's schema and the one that this binary knows: which may serve on which.

use std::fmt;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use super::{MIGRATIONS, Store, StoreError};

/// The version of this binary, for people.
const BINARY: &str = env!("CARGO_PKG_VERSION");
/// The table of migrations is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// What the database's schema is to this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// Exactly what it knows.
    Current,
    /// All that it knows, and migrations of a newer one.
    Newer { database: i64, known: i64 },
    /// Some of what it knows is missing.
    Older { database: Option<i64>, known: i64 },
    /// Some of what it knows is missing, and there is something else.
    Diverged { unknown: i64, missing: i64 },
    /// A migration has another content here and there.
    Changed { version: i64 },
    /// A migration was begun and did not end.
    Unfinished { version: i64 },
}

/// A migration as the database has it.
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

impl Schema {
    fn of(applied: &[Applied], known: &Migrator) -> Self {
        if let Some(unfinished) = applied.iter().find(|migration| !migration.success) {
            return Schema::Unfinished { version: unfinished.version };
        }
        let mut missing = None;
        for migration in known.iter() {
            match applied.iter().find(|it| it.version == migration.version) {
                Some(it) if it.checksum != *migration.checksum => {
                    return Schema::Changed { version: migration.version };
                }
                Some(_) => {}
                None => missing = missing.or(Some(migration.version)),
            }
        }
        let newest = known.iter().map(|migration| migration.version).max().unwrap_or(0);
        let database = applied.iter().map(|migration| migration.version).max();
        let unknown = applied.iter().map(|it| it.version).find(|version| !known.version_exists(*version));
        match (missing, unknown) {
            (None, None) => Schema::Current,
            (None, Some(version)) => Schema::Newer { database: database.unwrap_or(version), known: newest },
            (Some(_), None) => Schema::Older { database, known: newest },
            (Some(missing), Some(unknown)) => Schema::Diverged { unknown, missing },
        }
    }

    /// Whether a gateway may start on it: only what it knows exactly.
    pub fn may_start(&self) -> bool {
        *self == Schema::Current
    }

    /// Whether a gateway that runs may go on: migrations leave what the version before reads, so that a newer one may
    /// migrate while older ones serve.
    pub fn may_serve(&self) -> bool {
        matches!(self, Schema::Current | Schema::Newer { .. })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schema::Current => write!(f, "the database's schema is the one of this onelane {BINARY}"),
            Schema::Newer { database, known } => write!(
                f,
                "the database's schema is at version {database}, and this onelane {BINARY} knows versions up to {known}: \
                 a newer onelane has migrated it. Run that version; to go back to this one, restore a backup of the \
                 database from before the upgrade"
            ),
            Schema::Older { database: Some(database), known } => write!(
                f,
                "the database's schema is at version {database}, and this onelane {BINARY} needs version {known}; \
                 run `onelane migrate` first"
            ),
            Schema::Older { database: None, known } => write!(
                f,
                "the database has no schema yet, and this onelane {BINARY} needs version {known}; run `onelane migrate` \
                 first"
            ),
            Schema::Diverged { unknown, missing } => write!(
                f,
                "the database's schema has migration {unknown}, which this onelane {BINARY} does not know, and lacks \
                 migration {missing}: the two are of different lines. Run the version of onelane that migrated it last"
            ),
            Schema::Changed { version } => write!(
                f,
                "migration {version} was applied to the database with another content than this onelane {BINARY} has \
                 under that number. A migration that was applied is never edited: run the version of onelane that \
                 migrated the database"
            ),
            Schema::Unfinished { version } => write!(
                f,
                "migration {version} was begun on the database and did not end. Restore a backup, or put the schema \
                 right by hand and delete the row of version {version} from _sqlx_migrations; then run \
                 `onelane migrate` again"
            ),
        }
    }
}

impl Store {
    /// What the database's schema is to this binary.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let applied =
            sqlx::query_as!(Applied, "select version, checksum, success from _sqlx_migrations order by version")
                .fetch_all(self.pool())
                .await;
        let applied = match applied {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => Vec::new(),
            applied => applied?,
        };
        Ok(Schema::of(&applied, &MIGRATIONS))
    }

    /// Brings the schema to what this binary expects. Of several that do so at once one works, and the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self.schema().await? {
            Schema::Current => return Ok(()),
            Schema::Older { .. } => {}
            refused => return Err(StoreError::Schema(refused)),
        }
        // A large table may take its time, and so may the one who migrates at the same moment.
        let unlimited =
            [("lock_timeout", "0"), ("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
        let options = self.pool().connect_options().as_ref().clone().options(unlimited);
        let mut connection = PgConnection::connect_with(&options).await?;
        let migrated = MIGRATIONS.run_direct(None, &mut connection, false).await;
        // It also gives up the lock under which it migrated.
        let closed = connection.close().await;
        match migrated {
            Ok(()) => Ok(closed?),
            // Somebody else was faster, with another version.
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) | MigrateError::Dirty(_)) => {
                Err(StoreError::Schema(self.schema().await?))
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The migrations that this binary knows, as a database has them.
    fn applied() -> Vec<Applied> {
        let applied = MIGRATIONS.iter().map(|migration| Applied {
            version: migration.version,
            checksum: migration.checksum.to_vec(),
            success: true,
        });
        applied.collect()
    }

    fn newest() -> i64 {
        applied().last().unwrap().version
    }

    fn unknown(version: i64) -> Applied {
        Applied { version, checksum: vec![1], success: true }
    }

    #[test]
    fn what_it_knows_exactly_is_started_on() {
        let schema = Schema::of(&applied(), &MIGRATIONS);
        assert_eq!(schema, Schema::Current);
        assert!(schema.may_start() && schema.may_serve());
    }

    #[test]
    fn a_newer_schema_is_served_on_and_not_started_on() {
        let mut newer = applied();
        newer.push(unknown(newest() + 3));
        let schema = Schema::of(&newer, &MIGRATIONS);
        assert_eq!(schema, Schema::Newer { database: newest() + 3, known: newest() });
        assert!(!schema.may_start() && schema.may_serve());
        let words = schema.to_string();
        assert!(words.contains(&format!("version {}", newest() + 3)) && words.contains("newer onelane"), "{words}");
    }

    #[test]
    fn everything_else_is_neither() {
        let mut older = applied();
        older.pop();
        // Numbers may have gaps.
        let before = older.last().map(|migration| migration.version);
        let schema = Schema::of(&older, &MIGRATIONS);
        assert_eq!(schema, Schema::Older { database: before, known: newest() });
        let mut diverged = older;
        diverged.push(unknown(newest() + 1));
        let mut changed = applied();
        changed[0].checksum = vec![1];
        let mut unfinished = applied();
        unfinished[1].success = false;
        let cases = [
            (schema, "run `onelane migrate`"),
            (Schema::of(&[], &MIGRATIONS), "no schema yet"),
            (Schema::of(&diverged, &MIGRATIONS), "different lines"),
            (Schema::of(&changed, &MIGRATIONS), "migration 1 was applied to the database with another content"),
            (Schema::of(&unfinished, &MIGRATIONS), "migration 2 was begun"),
        ];
        for (schema, part) in cases {
            assert!(!schema.may_start() && !schema.may_serve(), "{schema:?}");
            assert!(schema.to_string().contains(part), "{schema}");
        }
    }
}
