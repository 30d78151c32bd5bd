//! The protocol of *exactly once*, searched exhaustively in a small world.
//!
//! Two files, one volume, a program that runs their transfer and perhaps a second one, and everything that can happen to
//! them in any order: see [`action::Action`]. What follows from what is seen the engine's own functions decide
//! (`cavatica_transfer::proof`: the state machine, whose answer is whose, whose job is whose, when nothing is nothing), so
//! the model can't drift from them; the loop around them, the platform and the disk are played here.

mod action;
mod answers;
mod checker;
mod inquiry;
mod names;
mod platform;
mod run;
mod setting;
mod story;
mod world;

#[cfg(test)]
mod tests;
