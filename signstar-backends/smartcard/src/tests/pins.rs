//! What a PIN costs, and what a card says that is not about it.
