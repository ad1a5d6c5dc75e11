//! A CRM with a known truth: leads, what they did, what became of them, and the probability that
//! each really had.

mod random;
mod world;

mod simulation;

pub use simulation::{
    Account, Chunk, Deal, Event, Lead, SimulationOptions, Simulator, StageChange,
    TrueContributions, TrueProbability,
};
pub use world::World;
