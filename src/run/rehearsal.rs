//! A test's way to make a thread panic where a test could not otherwise reach: `MIDWATCH_TEST_PANIC=machine|io|painter`
//! in the environment. It is in debug builds alone; in what is shipped there is nothing here to call.

/// Panics when the environment names this place. Called once a frame was written (`painter`), drawn (`machine`) or an
/// effect was taken (`io`), so that the terminal is in our hands when it happens.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "that is its purpose, and it is in no release build")]
pub fn panic_at(place: &str) {
    if std::env::var_os("MIDWATCH_TEST_PANIC").is_some_and(|named| named == place) {
        panic!("rehearsed in {place}");
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn panic_at(_place: &str) {}
