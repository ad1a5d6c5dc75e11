//! What monitoring found as text for the terminal, as JSON, as a page, and as metrics for Prometheus.

use std::fmt::Write as _;

use leadscore::{OutColumn, OutTable};
use leadscore_report::{
    MonitorFinding as PageFinding, MonitorSheet, MonitorTable, MonitorWeek, ReportError,
    monitor_page, monitor_pictures,
};

use super::{FigureTable, Monitoring, WeekFigures};
use crate::finding::{Layer, MonitorFinding, Urgency};

impl Monitoring {
    /// One line: what it comes to, by the most urgent finding.
    pub fn headline(&self) -> String {
        let Some(first) = self.most_urgent() else {
            return "nothing was looked at".to_owned();
        };
        match self.verdict {
            Urgency::Ok => "the model holds, as far as can be told by now".to_owned(),
            Urgency::CannotTell => first.text.clone(),
            Urgency::Watch | Urgency::Alarm => format!("{}: {}", first.layer.name(), first.text),
        }
    }

    /// The verdict, and what it comes from, in a few words: their sentences follow.
    fn title(&self) -> String {
        let about = match self.verdict {
            Urgency::Ok => self.headline(),
            Urgency::CannotTell | Urgency::Watch | Urgency::Alarm => {
                let mut layers: Vec<&str> = self
                    .findings
                    .iter()
                    .filter(|finding| finding.urgency == self.verdict)
                    .map(|finding| finding.layer.name())
                    .collect();
                layers.dedup();
                layers.join(", ")
            }
        };
        format!("{}: {about}", self.verdict.word())
    }

    /// The first finding of the verdict's urgency; where nothing can be told, why not by wins.
    pub fn most_urgent(&self) -> Option<&MonitorFinding> {
        let mut urgent = self
            .findings
            .iter()
            .filter(|finding| finding.urgency == self.verdict);
        let about_wins = |finding: &&MonitorFinding| finding.layer == Layer::EarlyRead;
        urgent.clone().find(about_wins).or(urgent.next())
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title(), String::new()];
        let width = self
            .findings
            .iter()
            .map(|finding| finding.layer.name().len())
            .max()
            .unwrap_or(0);
        for finding in &self.findings {
            lines.push(format!(
                "{:<11}  {:<width$}  {}",
                finding.urgency.word(),
                finding.layer.name(),
                finding.text
            ));
            if let Some(action) = &finding.action {
                lines.push(format!("{:<11}  {:<width$}  what to do: {action}", "", ""));
            }
        }
        lines.join("\n")
    }

    /// The page.
    ///
    /// # Errors
    ///
    /// [`ReportError`].
    pub fn html(&self) -> Result<String, ReportError> {
        monitor_page(&self.sheet())
    }

    /// The drawings of the page as SVG by name, `wins` and `evidence`; none without an early read.
    pub fn pictures(&self) -> Vec<(&'static str, String)> {
        monitor_pictures(&self.sheet())
    }

    fn sheet(&self) -> MonitorSheet {
        let finding = |finding: &MonitorFinding| PageFinding {
            answer: match finding.urgency {
                Urgency::Ok => "yes",
                Urgency::Alarm => "no",
                Urgency::Watch | Urgency::CannotTell => "unsure",
            },
            name: finding.layer.name().to_owned(),
            text: finding.text.clone(),
            action: finding.action.clone(),
        };
        MonitorSheet {
            title: self.config.clone(),
            model_id: self.model_id.clone(),
            as_of: self.as_of.clone(),
            mood: match self.verdict {
                Urgency::Ok => "good",
                Urgency::Alarm => "bad",
                Urgency::Watch | Urgency::CannotTell => "mixed",
            },
            headline: self.title(),
            findings: self.findings.iter().map(finding).collect(),
            weeks: self
                .weeks
                .iter()
                .map(|week| MonitorWeek {
                    week: week.week.clone(),
                    n_open: week.n_open,
                    n_won: week.n_won,
                    expected: week.expected,
                    evidence: week.evidence,
                })
                .collect(),
            threshold: self.threshold.unwrap_or(f64::INFINITY).min(300.0),
            tables: self
                .tables
                .iter()
                .map(|table| MonitorTable {
                    title: table.title.clone(),
                    note: table.note.clone(),
                    head: table.head.clone(),
                    rows: table.rows.clone(),
                })
                .collect(),
        }
    }

    /// The weeks of the early read as a table; the day of a week is its Monday.
    pub fn weeks_table(&self) -> OutTable {
        let mut table = OutTable::default();
        let whole = |value: fn(&WeekFigures) -> usize| {
            let value = |week| i64::try_from(value(week)).ok();
            OutColumn::Integer(self.weeks.iter().map(value).collect())
        };
        let number = |value: fn(&WeekFigures) -> f64| {
            OutColumn::Number(self.weeks.iter().map(value).collect())
        };
        let mondays = self.weeks.iter().map(|week| week.week.parse().ok());
        table.push("week", OutColumn::Time(mondays.collect()));
        table.push("n_open", whole(|week| week.n_open));
        table.push("n_won", whole(|week| week.n_won));
        table.push("expected", number(|week| week.expected));
        table.push("evidence", number(|week| week.evidence));
        table
    }

    /// Figures in the text format of OpenMetrics, which Prometheus reads from a file.
    ///
    /// # References
    ///
    /// OpenMetrics 1.0: a family is its `# TYPE` and `# HELP` lines and its samples, and the text
    /// ends with `# EOF`.
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        let model = format!("model=\"{}\"", escaped(&self.model_id));
        let mut family = |name: &str, help: &str, samples: Vec<(String, f64)>| {
            if samples.is_empty() {
                return;
            }
            let _ = writeln!(text, "# TYPE leadscore_{name} gauge");
            let _ = writeln!(text, "# HELP leadscore_{name} {help}");
            for (labels, value) in samples {
                let value = number(value);
                let _ = writeln!(text, "leadscore_{name}{{{model}{labels}}} {value}");
            }
        };
        let urgency = |urgency: Urgency| match urgency {
            Urgency::CannotTell => -1.0,
            Urgency::Ok => 0.0,
            Urgency::Watch => 1.0,
            Urgency::Alarm => 2.0,
        };
        family(
            "monitor_verdict",
            "Verdict: -1 cannot tell, 0 ok, 1 watch, 2 alarm.",
            vec![(String::new(), urgency(self.verdict))],
        );
        let mut layers: Vec<(String, f64)> = Vec::new();
        for finding in &self.findings {
            let labels = format!(",layer=\"{}\"", escaped(finding.layer.name()));
            let value = urgency(finding.urgency);
            match layers.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, known)) => *known = known.max(value),
                None => layers.push((labels, value)),
            }
        }
        family(
            "monitor_layer_verdict",
            "The same by layer of monitoring.",
            layers,
        );
        if let Some(week) = self.weeks.last() {
            let alone = |value: f64| vec![(String::new(), value)];
            family(
                "week_open_leads",
                "Open leads at the start of the last week.",
                alone(week.n_open as f64),
            );
            family(
                "week_wins",
                "Leads won within the last week.",
                alone(week.n_won as f64),
            );
            family(
                "week_expected_wins",
                "Wins expected in the last week.",
                alone(week.expected),
            );
            family(
                "early_read_log10_evidence",
                "Evidence for a change of the level, as a base-10 logarithm.",
                alone(week.evidence),
            );
        }
        if let Some(threshold) = self.threshold {
            family(
                "early_read_log10_threshold",
                "Evidence at which there is an alarm.",
                vec![(String::new(), threshold)],
            );
        }
        text.push_str("# EOF\n");
        text
    }
}

impl FigureTable {
    /// The same as a table of texts.
    pub fn table(&self) -> OutTable {
        let mut table = OutTable::default();
        for (position, name) in self.head.iter().enumerate() {
            let cells = self.rows.iter().map(|row| row.get(position).cloned());
            table.push(name, OutColumn::Text(cells.collect()));
        }
        table
    }
}

/// A value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A value of a sample.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_escaped_and_end() {
        let monitoring = Monitoring {
            schema_version: 1,
            config: String::new(),
            model_id: "a\\b\"c\nd".to_owned(),
            as_of: String::new(),
            verdict: Urgency::Alarm,
            findings: vec![
                MonitorFinding::new(Layer::Inputs, Urgency::Ok, "a"),
                MonitorFinding::new(Layer::Inputs, Urgency::Watch, "b"),
            ],
            weeks: Vec::new(),
            threshold: Some(f64::INFINITY),
            tables: Vec::new(),
        };
        let model = r#"model="a\\b\"c\nd""#;
        let expected = [
            "# TYPE leadscore_monitor_verdict gauge",
            "# HELP leadscore_monitor_verdict Verdict: -1 cannot tell, 0 ok, 1 watch, 2 alarm.",
            &format!("leadscore_monitor_verdict{{{model}}} 2"),
            "# TYPE leadscore_monitor_layer_verdict gauge",
            "# HELP leadscore_monitor_layer_verdict The same by layer of monitoring.",
            &format!("leadscore_monitor_layer_verdict{{{model},layer=\"inputs\"}} 1"),
            "# TYPE leadscore_early_read_log10_threshold gauge",
            "# HELP leadscore_early_read_log10_threshold Evidence at which there is an alarm.",
            &format!("leadscore_early_read_log10_threshold{{{model}}} +Inf"),
            "# EOF\n",
        ];
        assert_eq!(monitoring.open_metrics(), expected.join("\n"));
    }
}
