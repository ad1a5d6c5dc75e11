//! A company over three years whose truth is known: leads come, act, are won or lost, and are
//! entered into a CRM that is exported every night, while things happen to it on known days.

mod company;
mod days;
mod draws;
mod entries;
mod export;
mod hazards;
mod person;
mod plan;
mod truth;

pub use company::{Life, LifeOptions};
pub use days::{Day, FIRST_NIGHT, date, midnight};
pub use hazards::{DRIFT, PACE};
pub use person::Person;
pub use plan::{Event, Happening, Plan};
