//! How the process allocates memory. glibc's defaults keep what a storm of requests took: an arena for each thread, and
//! after the first large block that is freed, large blocks within the arenas.

/// Arenas that threads share. With four, a load of lists takes no more CPU than with one for each thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 4;
/// A block of this size is taken from the system and given back to it: what argon2 works in has 19 MiB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BLOCK_BYTES: libc::c_int = 8 * 1024 * 1024;
/// Free memory at the end of an arena that is not given back. Less makes lists take a sixth more CPU.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_FREE_BYTES: libc::c_int = 4 * 1024 * 1024;

/// Has freed memory go back to the system. Called before any other thread is started; elsewhere than on glibc it does
/// nothing.
#[allow(unsafe_code, reason = "glibc can be told by these calls only")]
pub fn configure() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two integers and changes nothing but later allocations; a value that it does not take leaves
    // its default.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
    }
}

/// Gives free memory back that lies between what is in use: what a storm of connections took, after they have closed.
#[allow(unsafe_code, reason = "glibc can be told by this call only")]
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes a number of bytes to keep, and touches only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}
