//! What every page has around its content: the head, the way to the content, the way to the other
//! pages, what the request before came to, and who is signed in.

use maud::{DOCTYPE, Markup, html};

use super::assets::{script_address, style_address};
use super::words::shown;
use crate::auth::{Caller, Right};

/// The pages that can be reached from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Queue,
    Manager,
}

/// What a page has beside its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    /// The page that is open, if it can be reached from every other.
    pub(crate) tab: Option<Tab>,
    /// Who is signed in, and the token of their forms.
    pub(crate) who: Option<(&'a Caller, &'a str)>,
    /// What the request before came to.
    pub(crate) notice: Option<&'a str>,
}

/// A whole page.
pub(crate) fn frame(about: &Frame, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shown(about.title, 80)) " · leadscore" }
                link rel="stylesheet" href=(style_address());
                link rel="icon" href="data:,";
                script src=(script_address()) defer {}
            }
            body {
                a.skip href="#content" { "Skip to content" }
                (top(about))
                main id="content" tabindex="-1" {
                    @if let Some(notice) = about.notice {
                        p.told role="status" { (notice) }
                    }
                    (body)
                }
            }
        }
    }
}

fn top(about: &Frame) -> Markup {
    let Some((caller, form_token)) = about.who else {
        return html! { header.top { span.brand { "leadscore" } } };
    };
    html! {
        header.top {
            span.brand { "leadscore" }
            nav aria-label="Pages" {
                (link("/", "Queue", about.tab == Some(Tab::Queue)))
                @if caller.role.may(Right::Act) {
                    (link("/manager", "Manager", about.tab == Some(Tab::Manager)))
                }
            }
            form.out method="post" action="/sign-out" {
                input type="hidden" name="form" value=(form_token);
                span { bdi { (shown(&caller.name, 40)) } }
                button type="submit" { "Sign out" }
            }
        }
    }
}

fn link(to: &str, text: &str, is_open: bool) -> Markup {
    html! { a href=(to) aria-current=[is_open.then_some("page")] { (text) } }
}
