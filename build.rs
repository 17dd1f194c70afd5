//! Tells cargo what else the crate is made of. Generates nothing.

fn main() {
    // `embed_migrations!` reads the folder at compile time, and a new file in it is not seen otherwise.
    println!("cargo:rerun-if-changed=migrations");
}
