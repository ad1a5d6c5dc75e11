//! Families of features: what a config asks for by name, each with its definition and an example
//! worked by hand.

/// A family of features.
///
/// The examples are of one lead, created on 1 January at 00:00 and looked at on 31 January at
/// 00:00, with these events:
///
/// ```text
/// 3 January 10:00   page   value 2
/// 3 January 15:00   page   value 4
/// 13 January 00:00  mail   no value
/// 25 January 12:00  page   value 6
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Columns of the leads and of the lookups.
    Attributes,
    /// The calendar of creation.
    Created,
    /// Days since creation.
    Age,
    /// Days from Monday to Friday since creation.
    Weekdays,
    /// The calendar of the snapshot.
    Snapshot,
    /// Age and number of entries of attributes with a history.
    History,
    /// Numbers of events.
    Counts,
    /// Sums and means of event values.
    Values,
    /// Largest event values.
    Max,
    /// Days with an event.
    ActiveDays,
    /// Days with an event in each window.
    RecentDays,
    /// Days since the latest event.
    Recency,
    /// Days since the first event.
    First,
    /// Intensity that fades with time.
    Decay,
    /// A window against the one before.
    Trend,
    /// Share of a kind among all events.
    Share,
    /// Days between events.
    Gaps,
    /// Time to the first event after creation.
    Reply,
    /// Kinds that came after other kinds.
    Sequence,
    /// Values of several kind columns together.
    Combinations,
    /// The latest event itself.
    Latest,
    /// The account's other leads.
    Account,
    /// That leads closed before.
    Reopened,
}

impl Family {
    /// Every family, in the order of the columns that they make.
    pub const ALL: [Self; 23] = [
        Self::Attributes,
        Self::Created,
        Self::Age,
        Self::Weekdays,
        Self::Snapshot,
        Self::History,
        Self::Counts,
        Self::Values,
        Self::Max,
        Self::ActiveDays,
        Self::RecentDays,
        Self::Recency,
        Self::First,
        Self::Decay,
        Self::Trend,
        Self::Share,
        Self::Gaps,
        Self::Reply,
        Self::Sequence,
        Self::Combinations,
        Self::Latest,
        Self::Account,
        Self::Reopened,
    ];

    /// Its name in the config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Created => "created",
            Self::Age => "age",
            Self::Weekdays => "weekdays",
            Self::Snapshot => "snapshot",
            Self::History => "history",
            Self::Counts => "counts",
            Self::Values => "values",
            Self::Max => "max",
            Self::ActiveDays => "active_days",
            Self::RecentDays => "recent_days",
            Self::Recency => "recency",
            Self::First => "first",
            Self::Decay => "decay",
            Self::Trend => "trend",
            Self::Share => "share",
            Self::Gaps => "gaps",
            Self::Reply => "reply",
            Self::Sequence => "sequence",
            Self::Combinations => "combinations",
            Self::Latest => "latest",
            Self::Account => "account",
            Self::Reopened => "reopened",
        }
    }

    /// Whether `"default"` stands for it.
    pub fn is_default(self) -> bool {
        match self {
            Self::Attributes
            | Self::Created
            | Self::Age
            | Self::History
            | Self::Counts
            | Self::Values
            | Self::ActiveDays
            | Self::Latest
            | Self::Account
            | Self::Reopened => true,
            Self::Weekdays
            | Self::Snapshot
            | Self::Max
            | Self::RecentDays
            | Self::Recency
            | Self::First
            | Self::Decay
            | Self::Trend
            | Self::Share
            | Self::Gaps
            | Self::Reply
            | Self::Sequence
            | Self::Combinations => false,
        }
    }

    /// What its features say, and how they are computed.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Attributes => {
                "columns of the leads and of the tables that they point to, as they were known before the snapshot where they have a history, else as they are today"
            }
            Self::Created => {
                "weekday, day of the month, hour and (over two years of data) month of creation, in UTC"
            }
            Self::Age => "days from creation to the snapshot",
            Self::Weekdays => "days from Monday to Friday from creation to the snapshot",
            Self::Snapshot => {
                "weekday, day of the month and (over two years of data) month of the snapshot, in UTC"
            }
            Self::History => {
                "of each attribute with a history: days since it took its value, and number of its entries so far; for a stage these are the days in it"
            }
            Self::Counts => "number of events, for all and for each kind, in each window and ever",
            Self::Values => {
                "sum and mean of each value column, for all events and for each kind, in each window and ever"
            }
            Self::Max => {
                "largest value of each value column, for all events and for each kind, in each window and ever"
            }
            Self::ActiveDays => {
                "number of calendar days (UTC) with an event, for all and for each kind, ever"
            }
            Self::RecentDays => {
                "number of calendar days (UTC) with an event, for all and for each kind, in each window"
            }
            Self::Recency => "days since the latest event, for all and for each kind",
            Self::First => "days since the first event, for all and for each kind",
            Self::Decay => {
                "sum over events of ½ to the power of their age in half-lives, for all and for each kind"
            }
            Self::Trend => {
                "number of events in each window less the number in as long a time before it, for all and for each kind"
            }
            Self::Share => "events of each kind as a share of all events",
            Self::Gaps => "mean and most days between consecutive events, for all events",
            Self::Reply => {
                "days from creation to the first event at or after it, for all and for each kind"
            }
            Self::Sequence => {
                "for each ordered pair of the most frequent kinds: 1 if one of the first came strictly after one of the second, else 0"
            }
            Self::Combinations => {
                "count and recency of events by the values of two kind columns together, the most frequent pairs of values"
            }
            Self::Latest => "kind columns and value columns of the latest event",
            Self::Account => {
                "over the other leads of the account: how many are open, were won, were lost; count, sum, mean and recency of their events; all as known before the snapshot"
            }
            Self::Reopened => {
                "where outcomes are a log: how often the lead closed before, and days since it was open again"
            }
        }
    }

    /// An example worked by hand: the feature, of events in a table `web`, and its value. `None`
    /// where no events are needed.
    pub fn example(self) -> Option<(&'static str, f64)> {
        Some(match self {
            Self::Age => ("age", 30.0),
            // 25 January alone lies in [24, 31).
            Self::Counts => ("web.page.count.7d", 1.0),
            // (2 + 4 + 6) / 3.
            Self::Values => ("web.mean_value.30d", 4.0),
            Self::Max => ("web.max_value.30d", 6.0),
            // The 3rd (twice), the 13th, the 25th.
            Self::ActiveDays => ("web.days.ever", 3.0),
            // The 25th alone lies in [17, 31).
            Self::RecentDays => ("web.days.14d", 1.0),
            // From 25 January 12:00.
            Self::Recency => ("web.recency", 5.5),
            // From 3 January 10:00, which is 27 days and 14 hours before.
            Self::First => ("web.first", 27.0 + 14.0 / 24.0),
            // 18 days are three half-lives of 6 days.
            Self::Decay => ("web.mail.decay.6d", 0.125),
            // One in [17, 31), three in [3, 17).
            Self::Trend => ("web.trend.14d", -2.0),
            // Three pages of four events.
            Self::Share => ("web.page.share.ever", 0.75),
            // From 3 January 10:00 to 25 January 12:00 in three steps.
            Self::Gaps => ("web.gap_mean", (22.0 + 2.0 / 24.0) / 3.0),
            // 13 January 00:00.
            Self::Reply => ("web.mail.reply", 12.0),
            // A page on the 25th, a mail on the 13th.
            Self::Sequence => ("web.page.after.mail", 1.0),
            Self::Latest => ("web.latest_value", 6.0),
            Self::Attributes
            | Self::Created
            | Self::Weekdays
            | Self::Snapshot
            | Self::History
            | Self::Combinations
            | Self::Account
            | Self::Reopened => return None,
        })
    }
}
