//! Making and importing keys.
