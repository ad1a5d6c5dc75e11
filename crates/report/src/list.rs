//! The list that sales opens: the best leads with what a person needs to call them, as a workbook, a page or rows of texts.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use crate::data::ReportError;
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
        let Some(earlier) = self.earlier else { return "new".to_owned() };
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
    /// Names of the columns; one of the leads table that has the name of one of ours says where it is from.
    pub fn header(&self) -> Vec<String> {
        let mut own = vec!["rank", "likelihood", "contact priority", "reason for", "second reason for", "reason against", "unlike training"];
        if self.has_earlier {
            own.extend(["earlier likelihood", "change"]);
        }
        let of_leads = |name: &String| if own.contains(&name.to_lowercase().as_str()) { format!("{name} (leads)") } else { name.clone() };
        let mut names = vec!["rank".to_owned(), of_leads(&self.id_column)];
        names.extend(self.columns.iter().map(of_leads));
        names.extend(own[1..].iter().map(|name| (*name).to_owned()));
        names
    }

    fn cells(&self, lead: &ListedLead) -> Vec<Cell> {
        let text = |text: Option<&String>| text.map_or(Cell::Empty, |text| Cell::Text(text.clone()));
        let mut cells = vec![Cell::Count(lead.rank as f64), Cell::Text(lead.id.clone())];
        cells.extend(lead.cells.iter().map(|cell| text(cell.as_ref())));
        cells.extend([Cell::Share(lead.likelihood), Cell::from(lead.tier)]);
        cells.extend((0..2).map(|number| text(lead.reasons_for.get(number))));
        cells.extend([text(lead.reason_against.as_ref()), text(lead.guard.as_ref())]);
        if self.has_earlier {
            cells.extend([lead.earlier.map_or(Cell::Empty, Cell::Share), Cell::Text(lead.change())]);
        }
        cells
    }

    /// Rows of texts, as a table of texts has them: percentages with one decimal, an empty cell as `None`.
    pub fn rows(&self) -> Vec<Vec<Option<String>>> {
        let shown = |cell: Cell| match cell {
            Cell::Text(text) => Some(text),
            Cell::Count(count) => Some(format!("{count:.0}")),
            Cell::Share(share) => Some(format!("{:.1} %", 100.0 * share)),
            Cell::Number(number) => Some(format!("{number:.1}")),
            Cell::Empty => None,
        };
        self.leads.iter().map(|lead| self.cells(lead).into_iter().map(shown).collect()).collect()
    }

    /// The leads of each owner, by name, as it is in the table; those without one last.
    fn by_owner(&self) -> Vec<(&str, Vec<&ListedLead>)> {
        let Some(column) = self.owner else { return Vec::new() };
        let mut owners: BTreeMap<&str, Vec<&ListedLead>> = BTreeMap::new();
        self.leads.iter().for_each(|lead| owners.entry(lead.owner(column)).or_default().push(lead));
        let nobody = owners.remove("");
        owners.into_iter().chain(nobody.map(|leads| (NO_OWNER, leads))).collect()
    }

    /// How many owners the leads have; leads without one count as those of one more.
    pub fn n_owners(&self) -> usize {
        self.by_owner().len()
    }

    /// The workbook: a sheet of all leads, one for each owner, and one about the list.
    ///
    /// # Errors
    ///
    /// [`ReportError::Workbook`] where Excel would not take it.
    pub fn workbook(&self) -> Result<Vec<u8>, ReportError> {
        let sheet = |title: &str, leads: &[&ListedLead]| Sheet {
            title: title.to_owned(),
            header: self.header(),
            rows: leads.iter().map(|lead| self.cells(lead)).collect(),
            is_list: true,
        };
        let mut sheets = vec![sheet("All leads", &self.leads.iter().collect::<Vec<_>>())];
        sheets.extend(self.by_owner().iter().map(|(owner, leads)| sheet(owner, leads)));
        let about = self.about.iter().map(|sentence| vec![Cell::from(sentence.as_str())]).collect();
        sheets.push(Sheet { title: "About".to_owned(), header: vec!["about this list".to_owned()], rows: about, is_list: false });
        write_workbook(&sheets, true)
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

#[cfg(test)]
mod tests {
    use super::*;

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
            leads: (1..).zip(owners).map(|(rank, owner)| lead(rank, *owner, Some(0.1))).collect(),
        }
    }

    #[test]
    fn a_column_of_the_leads_with_a_name_of_ours_is_told_apart() {
        assert_eq!(list(&[]).header()[..3], ["rank", "Rank (leads)", "Owner, \"name\""]);
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
        assert_eq!(rows[0][..5], ["1", "=L1", "Ann", "12.3 %", "High"].map(|text| Some(text.to_owned())));
    }

    #[test]
    fn owners_have_sheets_of_their_own_by_name_and_those_without_come_last() {
        let list = list(&[Some("Zoë"), None, Some("Ann"), Some("")]);
        let owners: Vec<(&str, Vec<usize>)> = list.by_owner().into_iter().map(|(owner, leads)| (owner, leads.iter().map(|lead| lead.rank).collect())).collect();
        assert_eq!(owners, [("Ann", vec![3]), ("Zoë", vec![1]), (NO_OWNER, vec![2, 4])]);
        assert_eq!(list.workbook().expect("a workbook"), list.workbook().expect("a workbook"), "the same bytes");
    }

    #[test]
    fn names_that_collide_once_cleaned_are_sheets_all_the_same() {
        let list = list(&[Some("A/B"), Some("a:b"), Some("All leads"), Some("History"), Some("***"), Some("'")]);
        assert!(list.workbook().is_ok());
    }

    #[test]
    fn a_page_shows_texts_as_texts_and_runs_nothing() {
        let page = list(&[Some("<script>alert(1)</script>")]).html().expect("a page");
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;referral"), "{page}");
        assert!(page.contains("12.3\u{a0}%") && !page.contains("0.1234"), "{page}");
    }
}
