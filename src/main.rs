//! The `wellmet` binary: see `cli.rs`.

fn main() -> std::process::ExitCode {
    wellmet::memory::configure();
    wellmet::cli::run()
}
