//! Sessions take turns with the threads: first come, first served.

use std::sync::{Condvar, Mutex, PoisonError};

/// One turn at a time, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Turns {
    tickets: Mutex<Tickets>,
    next: Condvar,
}

#[derive(Default)]
struct Tickets {
    given: u64,
    served: u64,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    is_held: bool,
}

impl Turns {
    /// Waits for its turn.
    pub(super) fn take(&self) -> Turn<'_> {
        let mut turn = Turn { turns: self, is_held: false };
        turn.resume();
        turn
    }
}

impl Turn<'_> {
    /// Gives the turn back, to take it again with [`Turn::resume`].
    pub(super) fn pause(&mut self) {
        if std::mem::take(&mut self.is_held) {
            self.turns.tickets.lock().unwrap_or_else(PoisonError::into_inner).served += 1;
            self.turns.next.notify_all();
        }
    }

    /// Waits for the next turn, unless it is had already.
    pub(super) fn resume(&mut self) {
        if self.is_held {
            return;
        }
        let mut tickets = self.turns.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets.given;
        tickets.given += 1;
        let waited = self.turns.next.wait_while(tickets, |tickets| tickets.served != ticket);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.is_held = true;
    }

    /// Lets whoever waits have a turn in between.
    pub(super) fn share(&mut self) {
        let others_wait = {
            let tickets = self.turns.tickets.lock().unwrap_or_else(PoisonError::into_inner);
            tickets.given > tickets.served + 1
        };
        if others_wait {
            self.pause();
            self.resume();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pause();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn of_many_that_share_one_goes_on_at_a_time_and_none_waits_for_ever() {
        let (turns, n_inside) = (Turns::default(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut turn = turns.take();
                    for _ in 0..200 {
                        assert_eq!(n_inside.fetch_add(1, SeqCst), 0);
                        n_inside.fetch_sub(1, SeqCst);
                        turn.share();
                    }
                });
            }
        });
    }
}
