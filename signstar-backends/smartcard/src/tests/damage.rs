//! Answers that are not what the card said.
