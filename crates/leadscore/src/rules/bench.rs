//! Rules beside the tables that they are for.

use leadscore_config::ConfigError;
use leadscore_core::{Snapshot, Timestamp};
use leadscore_dataset::Tables;
use leadscore_features::scoring_snapshots;
use leadscore_rules::{BoundRules, PointsScore};

use super::read::ReadRules;
use crate::data::Data;

/// Rules beside the tables that they are for.
pub(super) struct Bench<'a> {
    pub(super) data: &'a Data,
    pub(super) tables: &'a Tables,
    pub(super) schemes: Vec<Scheme>,
    pub(super) as_of: Timestamp,
}

/// One file of rules.
pub(super) struct Scheme {
    pub(super) rules: BoundRules,
    pub(super) text: String,
}

/// For each file and rule, what a part of the leads lacks.
pub(super) type Lacks = Vec<Vec<Option<ConfigError>>>;

impl<'a> Bench<'a> {
    /// Rules of files over all leads.
    pub(super) fn new(
        data: &'a Data,
        tables: &'a Tables,
        files: &[ReadRules],
    ) -> crate::Result<Self> {
        let as_of = data.moment_of(tables);
        let open = scoring_snapshots(tables, as_of).at_risk;
        let schemes = files.iter().map(|read| {
            Ok(Scheme {
                rules: read.bind(data, tables, &open)?,
                text: read.text.clone(),
            })
        });
        Ok(Self {
            data,
            tables,
            schemes: schemes.collect::<crate::Result<_>>()?,
            as_of,
        })
    }

    /// The same over a part of the leads; beside it, for each file and rule, what this part lacks.
    pub(super) fn of_part(
        data: &'a Data,
        tables: &'a Tables,
        files: &[ReadRules],
    ) -> crate::Result<(Self, Lacks)> {
        let as_of = data.moment_of(tables);
        let (mut schemes, mut lacks) = (Vec::new(), Vec::new());
        for read in files {
            let (rules, unknown) = BoundRules::of_part(read.file.clone(), tables, &[])
                .map_err(|error| read.failure(error))?;
            schemes.push(Scheme {
                rules,
                text: read.text.clone(),
            });
            lacks.push(unknown);
        }
        Ok((
            Self {
                data,
                tables,
                schemes,
                as_of,
            },
            lacks,
        ))
    }

    /// The only file of commands that take one.
    pub(super) fn scheme(&self) -> &Scheme {
        &self.schemes[0]
    }

    /// Leads that are open, which have points.
    pub(super) fn open_leads(&self) -> Vec<Snapshot> {
        scoring_snapshots(self.tables, self.as_of).at_risk
    }

    /// The points of these snapshots, file by file.
    pub(super) fn score(&self, snapshots: &[Snapshot]) -> crate::Result<Vec<Vec<PointsScore>>> {
        Ok(self
            .schemes
            .iter()
            .map(|scheme| scheme.rules.score(self.tables, snapshots))
            .collect::<Result<Vec<_>, _>>()?)
    }

    /// The points of one lead.
    pub(super) fn point_of(&self, lead: u32, as_of: Timestamp) -> crate::Result<PointsScore> {
        // A flat export has a place in its order for each lead, and no dates.
        let of_order = || {
            scoring_snapshots(self.tables, self.as_of)
                .at_risk
                .into_iter()
                .find(|key| key.lead == lead)
        };
        let at = if self.data.config.is_flat() {
            of_order().map_or(as_of, |key| key.at)
        } else {
            as_of
        };
        Ok(self
            .scheme()
            .rules
            .score(self.tables, &[Snapshot { lead, at }])?
            .remove(0))
    }
}

impl Scheme {
    /// The rules that gave a lead its points, strongest first, in words.
    pub(super) fn rule_text(&self, score: &PointsScore) -> String {
        let mut contributions = score.contributions.clone();
        contributions.sort_by(|a, b| {
            b.points
                .abs()
                .total_cmp(&a.points.abs())
                .then(a.rule.cmp(&b.rule))
        });
        contributions
            .iter()
            .map(|contribution| {
                format!(
                    "{} {:+}",
                    self.rules.rule_name(contribution.rule),
                    rounded(contribution.points)
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// Points as a text shows them, by tenths.
pub(super) fn rounded(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

/// Points of these snapshots by rules, to rank them by: one below the fewest for who is
/// disqualified, who comes after everyone else; NaN for who does not have the score.
pub(crate) fn points_of(
    rules: &ReadRules,
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<Vec<f64>> {
    let bound = rules.bind(data, tables, snapshots)?;
    Ok(bound
        .score(tables, snapshots)?
        .into_iter()
        .map(|score| match score.disqualified_by {
            Some(_) => rules.file.score.min - 1.0,
            None => score.points,
        })
        .collect())
}

/// So many points, with the noun that agrees.
pub(crate) fn in_points(points: f64) -> String {
    format!(
        "{points} {}",
        if points == 1.0 { "point" } else { "points" }
    )
}
