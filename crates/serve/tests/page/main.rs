//! The page as a browser meets it: requests and their answers, over made leads.

mod doors;
mod held_back;
#[path = "../../examples/demo_page/made.rs"]
mod made;
mod pages;
mod problems;
mod proxy;
mod site;
mod words;
