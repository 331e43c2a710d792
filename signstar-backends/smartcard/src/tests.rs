//! The back end over a virtual card in this process, where every answer passes by and can be
//! spoiled. What goes by way of pcscd stands in `tests/`.

mod card;
mod conformance;
mod damage;
mod keys;
mod pins;
