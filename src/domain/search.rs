//! What of a record the search reads.

/// The text a record is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText {
    /// What the record is called; results are ordered by it.
    pub title: String,
    /// Everything it is found by, the title included.
    pub text: String,
}
