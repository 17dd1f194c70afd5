//! Where the files of the tests lie: in memory where the machine has a place for that, and gone
//! when the test process is. What the files are for is written where they are made.

use std::{
    env,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

/// Linux's file system in memory. A test database in it costs a fifth of one on a disk, because
/// SQLite's `synchronous=FULL` and PostgreSQL's many files cost nothing there.
const IN_MEMORY: &str = "/dev/shm";

/// Free space that a place in memory must have to be used, in KiB.
const NEEDED_KIB: u64 = 1024 * 1024;

/// A folder for one test, which is removed when it is dropped, or else when the process ends.
pub fn scratch() -> TempDir {
    TempDir::new_in(of_this_process()).expect("a folder in a folder of our own")
}

/// The place in memory, if there is one with enough room.
pub fn in_memory() -> Option<&'static Path> {
    static HAS_ROOM: OnceLock<bool> = OnceLock::new();
    let has_room = *HAS_ROOM.get_or_init(|| {
        let df = Command::new("df").args(["-Pk", IN_MEMORY]).output();
        let table = df.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let free = table.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
        free.is_some_and(|kib| kib >= NEEDED_KIB) && TempDir::new_in(IN_MEMORY).is_ok()
    });
    has_room.then_some(Path::new(IN_MEMORY))
}

/// The folder of this test process, and the shell that waits to remove it.
fn of_this_process() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (folder, _) = FOLDER.get_or_init(|| {
        let place = in_memory().map_or_else(env::temp_dir, Path::to_owned);
        let folder =
            tempfile::Builder::new().prefix("wellmet-test-").tempdir_in(place).expect("a temporary folder").keep();
        let broom = Command::new("/bin/sh")
            .args(["-c", "trap '' HUP INT TERM; read -r _; rm -rf \"$1\"", "wellmet-test-broom"])
            .arg(&folder)
            .current_dir("/")
            // We hold the only other end of it, which the kernel closes however we end.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        (folder, broom)
    });
    folder
}
