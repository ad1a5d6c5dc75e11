//! The report as an Excel workbook: a sheet a table, numbers as numbers, texts never as formulas.

use leadscore_core::is_hostile;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};

use crate::error::ReportError;
use crate::report::Report;
use crate::sheets::{Cell, Sheet, sheets};

/// What Excel takes in a cell, in UTF-16 units.
const LONGEST_TEXT: usize = 32_767;
/// What Excel takes as the name of a sheet.
const LONGEST_NAME: usize = 31;

/// What Excel keeps as the name of a sheet for itself.
const RESERVED: &str = "history";
/// What a sheet is called whose title has nothing that Excel takes.
const UNNAMED: &str = "Sheet";

pub(crate) fn render(report: &Report) -> Result<Vec<u8>, ReportError> {
    write_workbook(&sheets(report), false)
}

/// A workbook of these sheets; `is_filtered` puts a filter above every list.
pub(crate) fn write_workbook(sheets: &[Sheet], is_filtered: bool) -> Result<Vec<u8>, ReportError> {
    let mut workbook = Workbook::new();
    // Not the time at which it is written: the same report gives the same bytes.
    workbook.set_properties(
        &DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
    );
    let (bold, share, number, count) = (
        Format::new().set_bold(),
        Format::new().set_num_format("0.0%"),
        Format::new().set_num_format("0.000"),
        Format::new().set_num_format("#,##0"),
    );
    for (sheet, name) in sheets.iter().zip(sheet_names(sheets)) {
        let page = workbook.add_worksheet();
        page.set_name(name)?;
        for (column, title) in (0_u16..).zip(&sheet.header) {
            page.write_string_with_format(0, column, shortened(title), &bold)?;
        }
        for (row, cells) in (1_u32..).zip(&sheet.rows) {
            for (column, cell) in (0_u16..).zip(cells) {
                // A text stays one, whatever it begins with.
                match cell {
                    Cell::Text(text) => page.write_string(row, column, shortened(text))?,
                    Cell::Count(value) => {
                        page.write_number_with_format(row, column, *value, &count)?
                    }
                    Cell::Share(value) => {
                        page.write_number_with_format(row, column, *value, &share)?
                    }
                    Cell::Number(value) => {
                        page.write_number_with_format(row, column, *value, &number)?
                    }
                    Cell::Plain(value) => page.write_number(row, column, *value)?,
                    Cell::Empty => page,
                };
            }
        }
        page.set_freeze_panes(1, 0)?;
        if is_filtered && sheet.is_list && !sheet.header.is_empty() {
            let last_row = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
            let last_column = u16::try_from(sheet.header.len() - 1).unwrap_or(u16::MAX);
            page.autofilter(0, 0, last_row, last_column)?;
        }
        page.set_autofit_max_width(400).autofit();
    }
    Ok(workbook.save_to_buffer()?)
}

/// Names of these sheets, each as near its title as Excel and the ones before let it be.
pub(crate) fn sheet_names(sheets: &[Sheet]) -> Vec<String> {
    sheets.iter().fold(Vec::new(), |mut names, sheet| {
        names.push(sheet_name(&sheet.title, &names));
        names
    })
}

fn shortened(text: &str) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= LONGEST_TEXT
        })
        .collect()
}

/// A name that Excel takes, and that no sheet has yet, whatever the case.
fn sheet_name(title: &str, taken: &[String]) -> String {
    let clean: String = title
        .chars()
        .map(|c| {
            if "[]:*?/\\'".contains(c) || is_hostile(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    let clean = if clean.trim().is_empty() {
        UNNAMED
    } else {
        clean.trim()
    };
    (1..)
        .map(|number| {
            let suffix = if number == 1 {
                String::new()
            } else {
                format!(" {number}")
            };
            let mut name = String::new();
            for c in clean.chars() {
                if name.encode_utf16().count() + c.len_utf16() + suffix.len() > LONGEST_NAME {
                    break;
                }
                name.push(c);
            }
            format!("{}{suffix}", name.trim())
        })
        .find(|name| {
            name.to_lowercase() != RESERVED
                && !taken
                    .iter()
                    .any(|known| known.to_lowercase() == name.to_lowercase())
        })
        .expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sheets_are_those_that_excel_takes() {
        assert_eq!(sheet_name("By a/b:c?", &[]), "By a b c");
        let long = "Thresholds of a score with a very long name";
        let first = sheet_name(long, &[]);
        assert_eq!(first.chars().count(), 31);
        let second = sheet_name(long, std::slice::from_ref(&first));
        assert!(second.ends_with(" 2") && second.chars().count() <= 31 && second != first);
        assert_eq!(sheet_name("HISTORY", &[]), "HISTORY 2");
        assert_eq!(sheet_name("?'*", &["sheet".to_owned()]), "Sheet 2");
        assert!(sheet_name(&"🦀".repeat(40), &[]).encode_utf16().count() <= 31);
    }
}
