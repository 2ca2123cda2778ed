//! Laws of the ledger that hold for any sequence of steps, on a real database.

mod feed;
mod lane;
mod life;

use proptest::test_runner::Config;
use tokio::runtime::Runtime;

/// So many cases, the same in every run of cargo; as many as `PROPTEST_CASES` says, where that is set.
fn cases(number: u32) -> Config {
    let config = Config { max_shrink_iters: 200, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { Config { cases: number, ..config } }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
