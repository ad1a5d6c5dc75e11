//! The word of sales on a lead: a form becomes an event, once, and only of a lead that its sender sees.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;

use super::answer::{Notice, off_thread, see_other};
use super::guard::{self, Visitor};
use super::problems::{NOT_SAVED, notice_of};
use super::sentences::unknown;
use super::words::{WORDS, word, word_key};
use super::{Asked, Fields, Page, field};
use crate::api::leads::say;
use crate::auth::Right;
use crate::percent::{decoded, lead_address};
use crate::tokens;
use crate::{Act, Problem, ProblemKind, WordKind};

/// What a form comes to: back to the lead, which tells.
pub(crate) async fn answer(page: Arc<Page>, asked: Asked, fields: Fields) -> Response<Body> {
    let (shared, form) = (Arc::clone(&page), fields.clone());
    let admitted = tokio::task::spawn_blocking(move || {
        guard::admit_form(&shared, &asked, &form).map(|visitor| (visitor, asked))
    });
    let (visitor, asked) = match admitted.await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(response)) => return *response,
        Err(_) => return Problem::internal().into_response(),
    };
    let saved = match read(&visitor, &fields) {
        Ok(form) => {
            asked.trail.lead(&form.lead);
            save(&page, &visitor, form).await
        }
        Err(notice) => Err(notice),
    };
    match saved {
        Ok(saved) => off_thread(move || told(&page, &visitor, &saved)).await,
        Err(notice) => visitor.plain(&page, &notice),
    }
}

/// What a form says.
struct Said {
    lead: String,
    kind: WordKind,
    note: Option<String>,
    /// A number of the page that had the form, so that sending it twice counts once.
    once: String,
}

fn read(visitor: &Visitor, fields: &[(String, String)]) -> Result<Said, Notice> {
    if !visitor.caller.role.may(Right::Act) {
        return Err(
            Notice::new(StatusCode::FORBIDDEN, "You may look, and not act")
                .text(NOT_SAVED)
                .text("Ask whoever runs the server for a token with the role “act”.")
                .queue_link(),
        );
    }
    let given = field(fields, "lead").unwrap_or_default();
    let Ok(lead) = decoded(given) else {
        let notice = unknown(given, visitor.caller.owner.is_some());
        return Err(not_saved(notice));
    };
    let said = field(fields, "said").unwrap_or_default();
    let Some(kind) = WORDS.into_iter().find(|kind| word_key(*kind) == said) else {
        let notice = Notice::new(StatusCode::BAD_REQUEST, "This cannot be saved")
            .text("The form does not say what is meant: called, not now, won, lost or wrong.");
        return Err(not_saved(notice).link("Back to the lead", &lead_address(&lead)));
    };
    let note = field(fields, "note").map(str::to_owned);
    let once = field(fields, "once")
        .unwrap_or_default()
        .chars()
        .take(64)
        .collect();
    Ok(Said {
        lead,
        kind,
        note,
        once,
    })
}

/// A word that the store has.
struct Saved {
    lead: String,
    kind: WordKind,
    /// Whether it had it before this form.
    is_duplicate: bool,
}

async fn save(page: &Page, visitor: &Visitor, form: Said) -> Result<Saved, Notice> {
    let Said {
        lead,
        kind,
        note,
        once,
    } = form;
    // Whoever goes back and gives another word, or another note, gives another word.
    let note_hash = tokens::hash(note.as_deref().unwrap_or_default().trim());
    let id = format!("page {} {note_hash} {once}", word_key(kind));
    match say(&page.app, &visitor.caller, &lead, kind, note, Some(id)).await {
        Ok(accepted) => Ok(Saved {
            lead,
            kind,
            is_duplicate: accepted.duplicates > 0,
        }),
        Err(problem) if problem.kind == ProblemKind::NotFound => {
            let notice = unknown(&lead, visitor.caller.owner.is_some());
            Err(not_saved(notice))
        }
        Err(problem) => {
            if let Some(cause) = &problem.cause {
                page.app.log(cause);
            }
            Err(notice_of(&problem, true).link("Back to the lead", &lead_address(&lead)))
        }
    }
}

/// Why a form was not saved.
fn not_saved(mut notice: Notice) -> Notice {
    notice.text.insert(0, NOT_SAVED.to_owned());
    notice
}

/// The event is durable: whatever fails from here on must not look as if it were not. Words are
/// counted as the store has them, so a form that is sent twice counts once.
fn told(page: &Page, visitor: &Visitor, saved: &Saved) -> Response<Body> {
    let counted = if saved.is_duplicate {
        Ok(())
    } else {
        let act = Act::Word(saved.kind);
        page.sessions.count(&visitor.caller.name, act, visitor.now)
    };
    let kept = counted.and_then(|()| {
        page.sessions
            .leave_notice(&visitor.session, &sentence_of(saved.kind))
    });
    if let Err(error) = kept {
        page.app.log(&guard::why(&error));
    }
    see_other(page, &lead_address(&saved.lead))
}

fn sentence_of(kind: WordKind) -> String {
    match kind {
        WordKind::Wrong => "Saved: the score is wrong, with your reason.".to_owned(),
        WordKind::Called | WordKind::NotNow | WordKind::Won | WordKind::Lost => {
            format!("Saved: {}.", word(kind).to_lowercase())
        }
    }
}
