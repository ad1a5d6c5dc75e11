//! The list that sales opens: the best leads with what a person needs to call them, as a workbook,
//! a page or rows of texts.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use crate::error::ReportError;
use crate::html::environment;
use crate::sheets::{Cell, Sheet};
use crate::workbook::write_workbook;

const TEMPLATE: &str = include_str!("list.html.jinja");
/// What the sheet of leads without an owner is called.
const NO_OWNER: &str = "No owner";

/// The best leads, best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeadList {
    /// What the column of ids is called.
    pub id_column: String,
    /// Columns of the leads table.
    pub columns: Vec<String>,
    /// The column of the owner, as a position in `columns`.
    pub owner: Option<usize>,
    /// Sentences about the list: what was scored, by which model, what tiers mean.
    pub about: Vec<String>,
    /// Whether earlier scores are beside those of today.
    pub has_earlier: bool,
    /// The leads.
    pub leads: Vec<ListedLead>,
}

/// A lead of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedLead {
    /// Its place, from 1.
    pub rank: usize,
    /// Its id.
    pub id: String,
    /// Its cells of `columns`.
    pub cells: Vec<Option<String>>,
    /// 0 to 1.
    pub likelihood: f64,
    /// Its tier.
    pub tier: &'static str,
    /// The strongest reasons for it, in words with their log-odds; two at most.
    pub reasons_for: Vec<String>,
    /// The strongest reason against it.
    pub reason_against: Option<String>,
    /// What is unlike training about it.
    pub guard: Option<String>,
    /// Its likelihood in the earlier scores, 0 to 1; `None` where it had none.
    pub earlier: Option<f64>,
}

impl ListedLead {
    /// What changed since the earlier scores, in tenths of a point as they are shown.
    fn change(&self) -> String {
        let Some(earlier) = self.earlier else {
            return "new".to_owned();
        };
        let tenths = |share: f64| (1000.0 * share).round();
        match (tenths(self.likelihood) - tenths(earlier)) / 10.0 {
            0.0 => "unchanged".to_owned(),
            points if points > 0.0 => format!("up {points:.1} points"),
            points => format!("down {:.1} points", -points),
        }
    }

    fn owner(&self, column: usize) -> &str {
        self.cells[column].as_deref().unwrap_or_default()
    }
}

impl LeadList {
    /// Names of the columns; one of the leads table that has the name of one of ours says where it
    /// is from.
    pub fn header(&self) -> Vec<String> {
        let mut own = vec![
            "rank",
            "likelihood",
            "contact priority",
            "reason for",
            "second reason for",
            "reason against",
            "unlike training",
        ];
        if self.has_earlier {
            own.extend(["earlier likelihood", "change"]);
        }
        let of_leads = |name: &String| {
            if own.contains(&name.to_lowercase().as_str()) {
                format!("{name} (leads)")
            } else {
                name.clone()
            }
        };
        let mut names = vec!["rank".to_owned(), of_leads(&self.id_column)];
        names.extend(self.columns.iter().map(of_leads));
        names.extend(own[1..].iter().map(|name| (*name).to_owned()));
        names
    }

    fn cells(&self, lead: &ListedLead) -> Vec<Cell> {
        let text =
            |text: Option<&String>| text.map_or(Cell::Empty, |text| Cell::Text(text.clone()));
        let mut cells = vec![Cell::Count(lead.rank as f64), Cell::Text(lead.id.clone())];
        cells.extend(lead.cells.iter().map(|cell| text(cell.as_ref())));
        cells.extend([Cell::Share(lead.likelihood), Cell::from(lead.tier)]);
        cells.extend((0..2).map(|number| text(lead.reasons_for.get(number))));
        cells.extend([
            text(lead.reason_against.as_ref()),
            text(lead.guard.as_ref()),
        ]);
        if self.has_earlier {
            cells.extend([
                lead.earlier.map_or(Cell::Empty, Cell::Share),
                Cell::Text(lead.change()),
            ]);
        }
        cells
    }

    /// Rows of texts, as a table of texts has them: percentages with one decimal, an empty cell as
    /// `None`.
    pub fn rows(&self) -> Vec<Vec<Option<String>>> {
        let shown = |cell: Cell| match cell {
            Cell::Text(text) => Some(text),
            Cell::Count(count) => Some(format!("{count:.0}")),
            Cell::Share(share) => Some(format!("{:.1} %", 100.0 * share)),
            Cell::Number(number) => Some(format!("{number:.1}")),
            Cell::Plain(number) => Some(number.to_string()),
            Cell::Empty => None,
        };
        self.leads
            .iter()
            .map(|lead| self.cells(lead).into_iter().map(shown).collect())
            .collect()
    }

    /// The leads of each owner, by name, as it is in the table; those without one last.
    fn by_owner(&self) -> Vec<(&str, Vec<&ListedLead>)> {
        let Some(column) = self.owner else {
            return Vec::new();
        };
        let mut owners: BTreeMap<&str, Vec<&ListedLead>> = BTreeMap::new();
        self.leads
            .iter()
            .for_each(|lead| owners.entry(lead.owner(column)).or_default().push(lead));
        let nobody = owners.remove("");
        owners
            .into_iter()
            .chain(nobody.map(|leads| (NO_OWNER, leads)))
            .collect()
    }

    /// How many owners the leads have; leads without one count as those of one more.
    pub fn n_owners(&self) -> usize {
        self.by_owner().len()
    }

    /// Of each column of the leads, whether a sheet can add it up: every cell is a number as a
    /// person writes one. Ids, names and codes such as 007 stay texts.
    fn are_numbers(&self) -> Vec<bool> {
        let is_number = |column: usize| {
            let mut cells = self
                .leads
                .iter()
                .filter_map(|lead| lead.cells[column].as_deref())
                .peekable();
            self.owner != Some(column)
                && cells.peek().is_some()
                && cells.all(|cell| plain_number(cell).is_some())
        };
        (0..self.columns.len()).map(is_number).collect()
    }

    /// The workbook: a sheet of all leads, one about the list, and one for each owner.
    ///
    /// # Errors
    ///
    /// `ReportError::Workbook` where Excel would not take it; [`ReportError::LeftOut`] where the
    /// build has no workbooks.
    pub fn workbook(&self) -> Result<Vec<u8>, ReportError> {
        write_workbook(&self.sheets(), true)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let are_numbers = self.are_numbers();
        let row = |lead: &ListedLead| {
            let mut cells = self.cells(lead);
            // Behind the rank and the id.
            for (column, text) in lead
                .cells
                .iter()
                .enumerate()
                .filter(|(column, _)| are_numbers[*column])
            {
                cells[2 + column] = text
                    .as_deref()
                    .and_then(plain_number)
                    .map_or(Cell::Empty, Cell::Plain);
            }
            cells
        };
        let sheet = |title: &str, leads: &[&ListedLead]| Sheet {
            title: title.to_owned(),
            header: self.header(),
            rows: leads.iter().map(|lead| row(lead)).collect(),
            is_list: true,
        };
        let about = self
            .about
            .iter()
            .map(|sentence| vec![Cell::from(sentence.as_str())])
            .collect();
        // Names of sheets are given in this order: an owner who is called as one of ours gets a
        // number behind the name.
        let mut sheets = vec![
            sheet("All leads", &self.leads.iter().collect::<Vec<_>>()),
            Sheet {
                title: "About".to_owned(),
                header: vec!["about this list".to_owned()],
                rows: about,
                is_list: false,
            },
        ];
        sheets.extend(
            self.by_owner()
                .iter()
                .map(|(owner, leads)| sheet(owner, leads)),
        );
        sheets
    }

    /// The page: one file that opens offline.
    ///
    /// # Errors
    ///
    /// [`ReportError::Template`] where the template does not fit.
    pub fn html(&self) -> Result<String, ReportError> {
        let mut environment = environment()?;
        environment.add_filter("one", |share: f64| format!("{:.1}\u{a0}%", 100.0 * share));
        environment.add_template("list", TEMPLATE)?;
        let header = self.header();
        let changes: Vec<String> = self.leads.iter().map(ListedLead::change).collect();
        let values = context! {
            list => minijinja::value::Serde(self),
            names => header[1..2 + self.columns.len()].to_vec(),
            changes => changes,
        };
        Ok(environment.get_template("list")?.render(values)?)
    }
}

/// Digits of a whole number that a sheet shows as it is; more are those of an id or a telephone.
const MOST_DIGITS: usize = 11;

/// A text that is one number, written as a sheet shows it: no code, no sign in front but a minus,
/// and no more digits than a sheet keeps.
fn plain_number(text: &str) -> Option<f64> {
    let size = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = size.split_once('.').unwrap_or((size, "0"));
    let are_digits =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = whole.len() > 1 && whole.starts_with('0');
    let is_short = whole.len() <= MOST_DIGITS && whole.len() + part.len() <= 15;
    (are_digits(whole) && are_digits(part) && !is_code && is_short)
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "xlsx")]
    use crate::workbook::sheet_names;

    fn lead(rank: usize, owner: Option<&str>, earlier: Option<f64>) -> ListedLead {
        ListedLead {
            rank,
            id: format!("=L{rank}"),
            cells: vec![owner.map(str::to_owned)],
            likelihood: 0.123_456_789,
            tier: "High",
            reasons_for: vec!["source: <b>referral</b> (+0.62)".to_owned()],
            reason_against: None,
            guard: None,
            earlier,
        }
    }

    fn list(owners: &[Option<&str>]) -> LeadList {
        LeadList {
            id_column: "Rank".to_owned(),
            columns: vec!["Owner, \"name\"".to_owned()],
            owner: Some(0),
            about: vec!["Two leads.".to_owned()],
            has_earlier: true,
            leads: (1..)
                .zip(owners)
                .map(|(rank, owner)| lead(rank, *owner, Some(0.1)))
                .collect(),
        }
    }

    #[test]
    fn a_column_of_the_leads_with_a_name_of_ours_is_told_apart() {
        assert_eq!(
            list(&[]).header()[..3],
            ["rank", "Rank (leads)", "Owner, \"name\""]
        );
    }

    #[test]
    fn changes_are_those_of_the_figures_that_are_shown() {
        let change = |earlier| lead(1, None, earlier).change();
        assert_eq!(change(None), "new");
        assert_eq!(change(Some(0.123)), "unchanged");
        assert_eq!(change(Some(0.1)), "up 2.3 points");
        assert_eq!(change(Some(0.2)), "down 7.7 points");
    }

    #[test]
    fn rows_have_one_decimal_and_no_more() {
        let rows = list(&[Some("Ann")]).rows();
        assert_eq!(
            rows[0][..5],
            ["1", "=L1", "Ann", "12.3 %", "High"].map(|text| Some(text.to_owned()))
        );
    }

    #[test]
    fn owners_have_sheets_of_their_own_by_name_and_those_without_come_last() {
        let list = list(&[Some("Zoë"), None, Some("Ann"), Some("")]);
        let owners: Vec<(&str, Vec<usize>)> = list
            .by_owner()
            .into_iter()
            .map(|(owner, leads)| (owner, leads.iter().map(|lead| lead.rank).collect()))
            .collect();
        assert_eq!(
            owners,
            [("Ann", vec![3]), ("Zoë", vec![1]), (NO_OWNER, vec![2, 4])]
        );
        #[cfg(feature = "xlsx")]
        assert_eq!(
            list.workbook().expect("a workbook"),
            list.workbook().expect("a workbook"),
            "the same bytes"
        );
    }

    #[test]
    fn columns_of_numbers_are_numbers_in_a_workbook_and_codes_stay_texts() {
        let numbers = |cells: &[Option<&str>]| {
            let mut list = list(cells);
            list.owner = None;
            list.are_numbers()
        };
        for cells in [
            &[Some("3"), None, Some("-1.25")][..],
            &[Some("0")],
            &[Some("0.5")],
            &[Some("10000000000")],
        ] {
            assert_eq!(numbers(cells), [true], "{cells:?}");
        }
        for text in [
            "007",
            "1e5",
            "+1",
            "1,5",
            "1.",
            ".5",
            "-",
            "NaN",
            "inf",
            "4915112345678",
            "12345678.12345678",
            "Ann",
            "=1",
            " 1",
        ] {
            assert_eq!(numbers(&[Some("3"), Some(text)]), [false], "{text}");
        }
        assert_eq!(numbers(&[None]), [false]);
        assert_eq!(
            list(&[Some("3")]).are_numbers(),
            [false],
            "owners are names"
        );
    }

    #[test]
    fn cells_of_numbers_are_numbers() {
        let mut list = list(&[Some("1200"), None]);
        (list.owner, list.leads[0].guard) = (None, Some("size: 7".to_owned()));
        let sheets = list.sheets();
        let [rank, id, size, likelihood, tier, ..] = &sheets[0].rows[0][..] else {
            panic!("columns")
        };
        assert!(
            matches!(rank, Cell::Count(1.0))
                && matches!(size, Cell::Plain(1200.0))
                && matches!(likelihood, Cell::Share(_))
        );
        assert!(
            matches!(id, Cell::Text(_))
                && matches!(tier, Cell::Text(_))
                && matches!(sheets[0].rows[1][2], Cell::Empty)
        );
        assert_eq!(
            list.rows()[0][2].as_deref(),
            Some("1200"),
            "a table of texts has the cell as it is"
        );
    }

    #[cfg(feature = "xlsx")]
    #[test]
    fn an_owner_who_is_called_as_a_sheet_of_ours_takes_none_of_them() {
        let owners = [
            "About",
            "ABOUT",
            "All leads",
            "No owner",
            "History",
            "A/B",
            "a:b",
            "***",
            "'",
            &"x".repeat(40),
            &format!("{}y", "x".repeat(39)),
        ];
        let mut given: Vec<Option<&str>> = owners.iter().copied().map(Some).collect();
        given.push(None);
        let list = list(&given);
        let names = sheet_names(&list.sheets());
        assert_eq!(names.len(), 2 + given.len());
        assert_eq!(names[..2], ["All leads", "About"]);
        assert_eq!(list.sheets()[1].rows.len(), 1, "the sheet about the list");
        let distinct: std::collections::BTreeSet<String> =
            names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        assert!(
            names.iter().all(|name| name.encode_utf16().count() <= 31
                && !name.contains(['[', ']', ':', '*', '?', '/', '\\'])),
            "{names:?}"
        );
        assert!(
            names
                .iter()
                .any(|name| name == "About 2" || name == "ABOUT 2"),
            "{names:?}"
        );
        assert!(list.workbook().is_ok());
    }

    #[test]
    fn a_page_shows_texts_as_texts_and_runs_nothing() {
        let page = list(&[Some("<script>alert(1)</script>")])
            .html()
            .expect("a page");
        assert!(
            !page.contains("<script")
                && page.contains("&lt;script&gt;")
                && page.contains("&lt;b&gt;referral"),
            "{page}"
        );
        assert!(
            page.contains("12.3\u{a0}%") && !page.contains("0.1234"),
            "{page}"
        );
    }
}
