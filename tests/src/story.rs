//! A life told night by night: what the tool printed, beside what was true.

mod judge;
mod live;
mod page;
mod record;
mod scores;
mod tool;

pub use judge::{Alarm, AlarmKind, Answer, Decision, Judged, PromotionKind, judge};
pub use live::{StoryOptions, live};
pub use page::page;
pub use record::{Check, Night, Printed, Story, Truth};
pub use tool::Operator;
