//! The `wellmet` binary: see `cli.rs`.

fn main() -> std::process::ExitCode {
    wellmet::cli::run()
}
