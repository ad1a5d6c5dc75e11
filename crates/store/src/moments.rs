//! The rule between moments that are handed out and times of recording: a moment sees every event
//! recorded before it, and no later event is recorded before it.

/// The store's own time, in microseconds. It never goes back, whatever the wall clock does.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    /// The latest time of recording that is visible.
    last_recorded: i64,
    /// The latest moment that was handed out.
    last_moment: Option<i64>,
    /// The first time of recording of events that are being committed.
    in_flight: Option<i64>,
    /// Up to here, moments may be handed out: after a crash, recording continues from it.
    reserved: Option<i64>,
    /// Whether more were asked for.
    is_reserving: bool,
}

/// How far ahead moments are reserved. After a crash the store's time continues from there, so it
/// is at most this much ahead of the clock.
pub(crate) const RESERVED_MICROS: i64 = 5_000_000;

/// A moment, and whether it may be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It may; soon there will be none left.
    Given {
        /// The moment.
        at: i64,
        /// Whether it is time to reserve more, which is told once.
        reserve_soon: bool,
    },
    /// First, moments up to this one have to be reserved durably.
    Reserve(i64),
}

impl Moments {
    pub(crate) fn new(last_recorded: i64, reserved: Option<i64>) -> Self {
        Self {
            last_recorded,
            last_moment: reserved,
            in_flight: None,
            reserved,
            is_reserving: false,
        }
    }

    /// The earliest time that is still free.
    fn floor(&self) -> i64 {
        let after = self.moment_of_reader();
        self.last_moment.map_or(after, |moment| moment.max(after))
    }

    fn next_moment(&self, clock: i64) -> i64 {
        // Events in flight have times before the clock already, and are not to be seen.
        self.in_flight.unwrap_or_else(|| clock.max(self.floor()))
    }

    /// The moment for a score, by what the wall clock shows.
    pub(crate) fn moment(&mut self, clock: i64) -> Moment {
        let at = self.next_moment(clock);
        match self.reserved {
            Some(reserved) if at <= reserved => {
                self.last_moment = Some(at.max(self.last_moment.unwrap_or(at)));
                let reserve_soon = at > reserved - RESERVED_MICROS / 2 && !self.is_reserving;
                self.is_reserving |= reserve_soon;
                Moment::Given { at, reserve_soon }
            }
            Some(_) | None => Moment::Reserve(at.saturating_add(RESERVED_MICROS)),
        }
    }

    /// As [`Moments::moment`], where nothing can be reserved because the disk is full: scores go on.
    pub(crate) fn moment_unreserved(&mut self, clock: i64) -> i64 {
        let at = self.next_moment(clock);
        self.last_moment = Some(at.max(self.last_moment.unwrap_or(at)));
        at
    }

    /// As [`Moments::moment`], where nothing can be reserved, and another process may write by now:
    /// time stops at the last moment that it leaves alone.
    pub(crate) fn moment_reserved(&mut self, clock: i64) -> i64 {
        let last = self.reserved.unwrap_or_else(|| self.moment_of_reader());
        let at = self.next_moment(clock).min(last);
        self.last_moment = Some(at.max(self.last_moment.unwrap_or(at)));
        at
    }

    /// The moment that a reader has, who appends nothing: everything that is visible is before it.
    pub(crate) fn moment_of_reader(&self) -> i64 {
        self.last_recorded.saturating_add(1)
    }

    /// Up to where moments are reserved, if any ever was handed out.
    pub(crate) fn reserved(&self) -> Option<i64> {
        self.reserved
    }

    /// Moments up to `upto` are reserved durably now.
    pub(crate) fn reserve(&mut self, upto: i64) {
        self.reserved = Some(self.reserved.map_or(upto, |reserved| reserved.max(upto)));
    }

    /// The first time of recording for events that are committed now. From here on, no moment is
    /// later, until [`Moments::land`].
    ///
    /// Events that are imported have earlier times, `earliest` the first of them.
    pub(crate) fn take_off(&mut self, clock: i64, earliest: Option<i64>) -> i64 {
        let first = clock.max(self.floor());
        // Imported events that are earlier than a moment are refused, so they need no care.
        let earliest = earliest.map(|at| self.last_moment.map_or(at, |moment| at.max(moment)));
        let at = earliest.map_or(first, |at| at.min(first));
        // Events of an earlier commit may be in doubt yet.
        self.in_flight = Some(self.in_flight.map_or(at, |earlier| earlier.min(at)));
        first
    }

    /// The events in flight are visible, up to this time of recording, or `None` if they failed.
    pub(crate) fn land(&mut self, last_recorded: Option<i64>) {
        self.in_flight = None;
        self.is_reserving = false;
        if let Some(last) = last_recorded {
            self.last_recorded = self.last_recorded.max(last);
        }
    }

    /// The latest moment that was handed out, if any ever was.
    pub(crate) fn last_moment(&self) -> Option<i64> {
        self.last_moment
    }

    /// The latest time of recording that is visible.
    pub(crate) fn last_recorded(&self) -> i64 {
        self.last_recorded
    }

    /// How far the store's time is ahead of the wall clock, in microseconds.
    pub(crate) fn ahead_of(&self, clock: i64) -> i64 {
        self.floor().saturating_sub(clock).max(0)
    }
}
