//! Attributes that hold several values in a cell: which tokens leads have, and the columns of those
//! that a plan chose.

use std::collections::{BTreeMap, HashMap};

use leadscore_core::{AttributeTable, FeatureSpec, Snapshot, Tokenizer, agree, counted};
use leadscore_dataset::{AttributeKey, Column, MISSING, Note, Tables};

use crate::attribute_rows::attribute_rows;
use crate::error::FeaturesError;

/// What the cells of one attribute hold, by the leads that are looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TokenSurvey {
    pub(crate) tokenizer: Tokenizer,
    /// The number of leads that have each token at a snapshot.
    n_leads: BTreeMap<String, usize>,
    /// All leads that have a token.
    n_filled: usize,
}

/// Leads that a token must have to become a feature: of fewer, no weight could be learned.
const FEWEST_LEADS: usize = 10;

impl TokenSurvey {
    /// Adds what other leads have.
    pub(crate) fn add(&mut self, other: Self) {
        for (token, n) in other.n_leads {
            *self.n_leads.entry(token).or_default() += n;
        }
        self.n_filled += other.n_filled;
    }

    /// The tokens with features of their own, sorted: those that most leads have. What all or
    /// almost all leads have tells them apart no more than what almost none has.
    pub(crate) fn chosen(&self, most: usize) -> Vec<String> {
        let n_of = |token: &str| self.n_leads.get(token).copied().unwrap_or_default();
        // Leads with both words and not the pair: where there are none, the pair is the word again.
        let is_new = |token: &str, n: usize| match token.split_once(' ') {
            Some((first, second)) if self.tokenizer == Tokenizer::Words => {
                n < n_of(first) && n < n_of(second)
            }
            Some(_) | None => true,
        };
        let mut order: Vec<(&String, usize)> = self
            .n_leads
            .iter()
            .map(|(token, &n)| (token, n))
            .filter(|&(token, n)| n >= FEWEST_LEADS && is_new(token, n))
            .collect();
        order.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let mut chosen: Vec<String> = order
            .into_iter()
            .take(most)
            .map(|(token, _)| token.clone())
            .collect();
        chosen.sort_unstable();
        chosen
    }

    /// What the user should know where few of the tokens have features of their own.
    pub(crate) fn note(
        &self,
        table: &AttributeTable,
        column: &str,
        n_chosen: usize,
    ) -> Option<Note> {
        let heading = match table {
            AttributeTable::Leads => "[leads]".to_owned(),
            AttributeTable::Lookup(name) => format!("[lookups.{name}]"),
        };
        let noun = self.tokenizer.noun();
        let all = counted(self.n_leads.len(), &format!("distinct {noun}"));
        let leads = counted(self.n_filled, "lead");
        let become_features = agree(n_chosen, "becomes a feature", "become features");
        (n_chosen < self.n_leads.len()).then(|| {
            Note::new(
                &heading,
                format!(
                    "`{column}` has {all} in {leads}: {n_chosen} of them {become_features}; the others are rarer than {FEWEST_LEADS} leads, beyond `max_values` of [features], or one with another"
                ),
            )
        })
    }
}

/// What the attributes that hold several values hold, by the leads of these snapshots.
pub(crate) fn survey_tokens(
    tables: &Tables,
    snapshots: &[Snapshot],
) -> BTreeMap<AttributeKey, TokenSurvey> {
    let own = tables
        .leads
        .attributes
        .iter()
        .map(|attribute| (AttributeTable::Leads, attribute));
    let pointed = tables.lookups.iter().flat_map(|lookup| {
        let table = AttributeTable::Lookup(lookup.name.clone());
        let attributes = lookup.rows.attributes.iter();
        attributes.map(move |attribute| (table.clone(), attribute))
    });
    own.chain(pointed)
        .filter_map(|(table, attribute)| {
            let tokenizer = attribute.tokenizer.clone()?;
            let survey = survey_one(tables, &table, &attribute.name, tokenizer, snapshots);
            Some((AttributeKey::new(&table, &attribute.name), survey))
        })
        .collect()
}

fn survey_one(
    tables: &Tables,
    table: &AttributeTable,
    column: &str,
    tokenizer: Tokenizer,
    snapshots: &[Snapshot],
) -> TokenSurvey {
    let cells = Cells::new(tables, table, column, snapshots)
        .expect("the attribute was found among those of the table");
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let of_level: Vec<Vec<u32>> = cells
        .levels
        .iter()
        .map(|level| {
            let number = |token| {
                let next = numbers.len() as u32;
                *numbers.entry(token).or_insert(next)
            };
            tokenizer.tokens(level).into_iter().map(number).collect()
        })
        .collect();
    // A lead counts once for a token, in however many of its snapshots it has it.
    let mut n_leads = vec![0_usize; numbers.len()];
    let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(snapshots.len());
    pairs.extend(
        snapshots
            .iter()
            .zip(&cells.codes)
            .filter(|(_, code)| **code != MISSING)
            .map(|(snapshot, &code)| (snapshot.lead, code)),
    );
    pairs.sort_unstable();
    pairs.dedup();
    let mut n_filled = 0;
    for of_lead in pairs.chunk_by(|a, b| a.0 == b.0) {
        let mut tokens: Vec<u32> = of_lead
            .iter()
            .flat_map(|&(_, code)| of_level[code as usize].iter().copied())
            .collect();
        tokens.sort_unstable();
        tokens.dedup();
        n_filled += usize::from(!tokens.is_empty());
        tokens
            .into_iter()
            .for_each(|token| n_leads[token as usize] += 1);
    }
    TokenSurvey {
        tokenizer,
        n_leads: numbers
            .into_iter()
            .map(|(token, number)| (token, n_leads[number as usize]))
            .filter(|(_, n)| *n > 0)
            .collect(),
        n_filled,
    }
}

/// The cell of an attribute that each snapshot sees.
struct Cells<'a> {
    levels: &'a [String],
    /// The level of each snapshot, [`MISSING`] for none.
    codes: Vec<u32>,
}

impl<'a> Cells<'a> {
    /// The error is what the tables lack.
    fn new(
        tables: &'a Tables,
        table: &AttributeTable,
        column: &str,
        snapshots: &[Snapshot],
    ) -> Result<Self, String> {
        let (values, rows) = attribute_rows(tables, table, column, snapshots)?;
        let (levels, of_rows): (&[String], &[u32]) = match values {
            Column::Category { codes, levels } => (levels, codes),
            // Of a column without a cell nothing says that it is one of texts.
            Column::Number(_) | Column::Dates(_) => (&[], &[]),
        };
        let code = |row: Option<usize>| {
            row.and_then(|row| of_rows.get(row).copied())
                .unwrap_or(MISSING)
        };
        Ok(Self {
            levels,
            codes: rows.into_iter().map(code).collect(),
        })
    }
}

/// Fills the columns of tokens: each attribute is looked up once, and each distinct cell is split
/// once.
pub(crate) fn fill_tokens(
    tables: &Tables,
    specs: &[FeatureSpec],
    snapshots: &[Snapshot],
    columns: &mut [&mut [f64]],
) -> Result<(), FeaturesError> {
    type Attribute<'s> = (&'s AttributeTable, &'s str, &'s Tokenizer);
    let mut by_attribute: BTreeMap<Attribute<'_>, Vec<(usize, Option<&str>)>> = BTreeMap::new();
    for (idx, spec) in specs.iter().enumerate() {
        if let Some(cell) = spec.source.split() {
            let attribute = (cell.table, cell.column, cell.tokenizer);
            let features = by_attribute.entry(attribute).or_default();
            features.push((idx, cell.token));
        }
    }
    for ((table, column, tokenizer), features) in by_attribute {
        let cells = Cells::new(tables, table, column, snapshots).map_err(|needed| {
            FeaturesError::Missing {
                feature: specs[features[0].0].name.clone(),
                needed,
            }
        })?;
        let place: HashMap<&str, usize> = features
            .iter()
            .enumerate()
            .filter_map(|(place, (_, token))| Some(((*token)?, place)))
            .collect();
        let mut values: Vec<Vec<f64>> = features
            .iter()
            .map(|_| vec![0.0; cells.levels.len()])
            .collect();
        for (code, level) in cells.levels.iter().enumerate() {
            for token in tokenizer.tokens(level) {
                if let Some(&place) = place.get(token.as_str()) {
                    values[place][code] = 1.0;
                }
            }
        }
        for ((idx, token), mut values) in features.into_iter().zip(values) {
            let missing = if token.is_some() { 0.0 } else { f64::NAN };
            if token.is_none() {
                let counts = cells
                    .levels
                    .iter()
                    .map(|level| tokenizer.count(level) as f64);
                values = counts.collect();
            }
            for (cell, &code) in columns[idx].iter_mut().zip(&cells.codes) {
                *cell = values.get(code as usize).copied().unwrap_or(missing);
            }
        }
    }
    Ok(())
}
