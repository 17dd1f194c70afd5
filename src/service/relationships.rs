//! The rules of relationships.

use super::records::rules::Rules;
use crate::domain::relationship::Relationship;

impl Rules for Relationship {}
