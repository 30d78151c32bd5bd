//! The starts that are under way, to be withdrawn together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::gate::{Gate, WeakGate};

/// The gates of all starts under way, and how often they were withdrawn.
#[derive(Default)]
pub(crate) struct Starts(Mutex<UnderWay>);

#[derive(Default)]
struct UnderWay {
    withdrawals: u64,
    gates: Vec<WeakGate>,
}

impl Starts {
    /// How often all were withdrawn so far. A call that remembers it knows later whether it is meant.
    pub(crate) fn withdrawals(&self) -> u64 {
        self.locked().withdrawals
    }

    /// Lets a start be withdrawn that may go. False if it was withdrawn before, since `withdrawals` was asked.
    pub(crate) fn enter(&self, withdrawals: u64, gate: &Gate) -> bool {
        let mut under_way = self.locked();
        if under_way.withdrawals != withdrawals {
            return false;
        }
        under_way.gates.retain(WeakGate::is_used);
        under_way.gates.push(gate.downgrade());
        true
    }

    /// Shuts every gate whose bytes haven't left.
    pub(crate) fn withdraw(&self) {
        let mut under_way = self.locked();
        under_way.withdrawals += 1;
        for gate in std::mem::take(&mut under_way.gates) {
            gate.withdraw();
        }
    }

    /// Nothing panics while it holds this lock.
    fn locked(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
