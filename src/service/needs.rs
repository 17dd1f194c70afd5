//! The rules of needs.

use super::records::rules::Rules;
use crate::domain::need::Need;

impl Rules for Need {}
