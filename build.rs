//! A new migration must reach the binary, which holds them all.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
