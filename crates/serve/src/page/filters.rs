//! What of the queue is shown: the fields of an address, the query that the engine gets, and the
//! form by which people change it.

use axum::http::StatusCode;
use leadscore_core::{ContactPriority, Timestamp, count, printable};
use maud::{Markup, html};

use super::answer::Notice;
use super::guard::{self, Refusal, Visitor};
use super::words::shown;
use super::{Asked, Page, field, tiers};
use crate::QueueQuery;
use crate::auth::Caller;
use crate::percent::encoded;

/// Rows of a page.
pub(crate) const ROWS: usize = 50;

/// Owners that a list can have before it weighs more than the queue; beyond, they are typed.
const MOST_OWNERS: usize = 40;

/// Characters of what is searched for at most.
const MOST_SEARCH: usize = 200;

/// What of the queue is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filters {
    pub(crate) owner: Option<String>,
    pub(crate) tier: Option<ContactPriority>,
    pub(crate) search: Option<String>,
    pub(crate) changed: bool,
    pub(crate) crossed: Option<String>,
    pub(crate) cursor: Option<String>,
}

/// Who asks for a list, what of it, and its address: without filters, and with them.
pub(crate) fn admit(
    page: &Page,
    asked: &Asked,
    fields: &[(String, String)],
    bare: &str,
    address: fn(&Filters) -> String,
) -> Result<(Visitor, Filters, String), Refusal> {
    let filters = Filters::of(fields);
    let here = filters.as_ref().map_or_else(|_| bare.to_owned(), address);
    let visitor = guard::admit(page, asked, &here)?;
    match filters {
        Ok(filters) => {
            let filters = filters.with_owner_as_it_is(|| page.app.engine().owners());
            Ok((visitor, filters, here))
        }
        Err(notice) => Err(Box::new(visitor.plain(page, &notice))),
    }
}

impl Filters {
    /// The filters of an address, or what it cannot mean.
    pub(crate) fn of(fields: &[(String, String)]) -> Result<Self, Notice> {
        let given = |name| {
            field(fields, name)
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        let refuse = |text: String| {
            Err(
                Notice::new(StatusCode::BAD_REQUEST, "This address cannot be meant")
                    .text(text)
                    .queue_link(),
            )
        };
        let tier = match given("tier") {
            None => None,
            Some(key) => match tiers::by_key(&key) {
                Some(tier) => Some(tier),
                None => {
                    return refuse(format!(
                        "There is no tier \u{201c}{}\u{201d}: expected very-high, high, medium or low.",
                        shown(&key, 40)
                    ));
                }
            },
        };
        let search = given("q");
        if search
            .as_ref()
            .is_some_and(|text| text.chars().count() > MOST_SEARCH)
        {
            return refuse(format!(
                "What is searched for is longer than {MOST_SEARCH} characters."
            ));
        }
        Ok(Self {
            owner: given("owner"),
            tier,
            search,
            changed: given("changed").is_some(),
            crossed: given("crossed"),
            cursor: given("from"),
        })
    }

    /// Whether anything is left out of the queue.
    pub(crate) fn are_set(&self) -> bool {
        *self
            != Self {
                cursor: self.cursor.clone(),
                ..Self::default()
            }
    }

    /// The same with the owner's own name, where a form has it with characters that act as escapes.
    pub(crate) fn with_owner_as_it_is(
        mut self,
        owners: impl FnOnce() -> Vec<(String, usize)>,
    ) -> Self {
        if let Some(given) = self.owner.as_mut()
            && given.contains('\\')
            && let Some((name, _)) = owners()
                .into_iter()
                .find(|(name, _)| printable(name) == given.as_str())
        {
            *given = name;
        }
        self
    }

    /// What the engine is asked for. An owner scope takes the place of any owner that was asked for.
    pub(crate) fn query(&self, caller: &Caller, since: Timestamp) -> QueueQuery {
        QueueQuery {
            tier: self.tier,
            owner: caller.owner.clone().or_else(|| self.owner.clone()),
            search: self.search.clone(),
            changed_since: self.changed.then_some(since),
            compare_with: Some(since),
            crossed: self.crossed.clone(),
            cursor: self.cursor.clone(),
            limit: ROWS,
        }
    }

    /// The address of the queue with these filters.
    pub(crate) fn address(&self) -> String {
        let fields = [
            ("owner", self.owner.as_deref()),
            ("tier", self.tier.map(tiers::key)),
            ("q", self.search.as_deref()),
            ("changed", self.changed.then_some("1")),
            ("crossed", self.crossed.as_deref()),
            ("from", self.cursor.as_deref()),
        ];
        address("/", fields)
    }

    /// The address of the held-back leads with those of these filters that tell nothing of a score.
    pub(crate) fn held_back_address(&self) -> String {
        let fields = [
            ("owner", self.owner.as_deref()),
            ("q", self.search.as_deref()),
            ("from", self.cursor.as_deref()),
        ];
        address("/held-back", fields)
    }

    /// The form of the held-back leads.
    pub(crate) fn held_back_form(&self, page: &Page, caller: &Caller) -> Markup {
        html! {
            form.filters method="get" action="/held-back" role="search" aria-label="Filter leads" {
                (self.search_field())
                @if caller.owner.is_none() { (self.owners(page)) }
                button type="submit" { "Show" }
                @if self.owner.is_some() || self.search.is_some() { a href="/held-back" { "All held-back leads" } }
            }
        }
    }

    fn search_field(&self) -> Markup {
        html! { label { span { "Search" } input type="search" name="q" value=[self.search.as_deref()] maxlength=(MOST_SEARCH) placeholder="Name, ID …"; } }
    }

    /// The form.
    pub(crate) fn form(&self, page: &Page, caller: &Caller, since: &str) -> Markup {
        html! {
            form.filters method="get" action="/" role="search" aria-label="Filter leads" {
                (self.search_field())
                @if caller.owner.is_none() { (self.owners(page)) }
                label { span { "Tier" }
                    select name="tier" {
                        option value="" { "All tiers" }
                        @for tier in ContactPriority::QUARTILES {
                            option value=(tiers::key(tier)) selected[self.tier == Some(tier)] { (tier.name()) }
                        }
                    }
                }
                @if !page.options.thresholds.is_empty() {
                    label { span { "Crossed" }
                        select name="crossed" {
                            option value="" { "Any or none" }
                            @for name in &page.options.thresholds {
                                option value=(name) selected[self.crossed.as_ref() == Some(name)] { (shown(name, 30)) }
                            }
                        }
                    }
                }
                label.tick title={ "By a point or more since " (since) } { input type="checkbox" name="changed" value="1" checked[self.changed]; " Changed" }
                button type="submit" { "Show" }
                @if self.are_set() { a href="/" { "All leads" } }
            }
        }
    }

    fn owners(&self, page: &Page) -> Markup {
        let owners = page.app.engine().owners();
        if owners.is_empty() && self.owner.is_none() {
            return html! {};
        }
        let asked = self.owner.as_deref();
        html! {
            label { span { "Owner" }
                @if owners.len() > MOST_OWNERS {
                    input name="owner" value=[asked] placeholder={ "One of " (count(owners.len())) };
                } @else {
                    select name="owner" {
                        option value="" { "All owners" }
                        @for (name, n) in &owners {
                            option value=(printable(name)) selected[asked == Some(name)] { (shown(name, 30)) " (" (count(*n)) ")" }
                        }
                        @if let Some(name) = asked && !owners.iter().any(|(known, _)| known == name) {
                            option value=(printable(name)) selected { (shown(name, 30)) " (0)" }
                        }
                    }
                }
            }
        }
    }
}

/// An address with those fields that have a value.
fn address<const N: usize>(path: &str, fields: [(&str, Option<&str>); N]) -> String {
    let pairs: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value?))))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &[(&str, &str)]) -> Result<Filters, Notice> {
        let fields: Vec<_> = text
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        Filters::of(&fields)
    }

    #[test]
    fn an_address_comes_back_from_its_filters() {
        let filters = of(&[
            ("owner", "Kim & \u{e9}"),
            ("tier", "very-high"),
            ("q", " a=b#\u{202e} "),
            ("changed", "1"),
            ("crossed", "hot"),
            ("from", "2:9"),
        ])
        .expect("all can be meant");
        assert_eq!(
            filters.address(),
            "/?owner=Kim%20%26%20%C3%A9&tier=very-high&q=a%3Db%23%E2%80%AE&changed=1&crossed=hot&from=2%3A9"
        );
        assert_eq!(
            of(&[("q", "  "), ("tier", ""), ("owner", "")]).expect("none"),
            Filters::default()
        );
        assert!(!of(&[("from", "9")]).expect("a page").are_set());
        assert!(filters.are_set());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for fields in [
            ("tier", "Very high"),
            ("tier", "closed-won"),
            ("q", &"x".repeat(201)),
        ] {
            let refused = of(&[fields]).expect_err("refused");
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn an_owner_whose_name_acts_is_found_again() {
        let owners = || vec![("a\\".to_owned(), 1), ("\u{202e}\0x".to_owned(), 2)];
        for (given, expected) in [
            ("\\u{202e}\\u{0}x", "\u{202e}\0x"),
            ("a\\", "a\\"),
            ("b\\", "b\\"),
        ] {
            let filters = of(&[("owner", given)])
                .expect("an owner")
                .with_owner_as_it_is(owners);
            assert_eq!(filters.owner.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_scope_cannot_be_left() {
        let caller = Caller {
            owner: Some("kim".into()),
            ..Caller::local()
        };
        let filters = of(&[("owner", "lee")]).expect("an owner");
        let query = filters.query(&caller, Timestamp::MIN);
        assert_eq!(query.owner.as_deref(), Some("kim"));
    }
}
