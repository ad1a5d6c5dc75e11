//! Tables and errors as text.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::project::ConfigFailure;

/// A plain table for the terminal, numbers to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for (idx, column) in table.column_iter_mut().enumerate() {
        let numeric = rows.iter().all(|row| row.get(idx).is_none_or(|cell| cell.chars().next().is_none_or(|c| c.is_ascii_digit() || c == '-' || c == '+')));
        if numeric && !rows.is_empty() {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// An error with its causes; one in a config with the line and a caret.
pub fn error_text(error: &anyhow::Error, styled: bool) -> String {
    if let Some(failure) = error.downcast_ref::<ConfigFailure>() {
        return config_failure_text(failure, styled);
    }
    let causes = error.chain().skip(1).map(|cause| format!("\n  because: {cause}"));
    std::iter::once(format!("error: {error}")).chain(causes).collect()
}

fn config_failure_text(failure: &ConfigFailure, styled: bool) -> String {
    let path = failure.path.display().to_string();
    let Some(span) = &failure.error.span else {
        return format!("error: {path}: {}{}", failure.error.message, failure.error.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default());
    };
    let label = failure.error.help.as_deref().unwrap_or("here");
    let snippet = Snippet::source(&failure.text).path(&path).annotation(AnnotationKind::Primary.span(span.clone()).label(label));
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[Level::ERROR.primary_title(&failure.error.message).element(snippet)]).to_string()
}
