//! The loop over the nights: live, export, run, and compare with the truth.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::leadscore;
use crate::life::{Day, FIRST_NIGHT, Life, LifeOptions, date};

use super::record::{Night, Printed, Story};
use super::scores::{Scores, truth_of_tonight};
use super::tool::{MODELS, Operator, PUBLISHED, file_of};

/// How a life is told.
#[derive(Debug, Clone)]
pub struct StoryOptions {
    /// The company.
    pub life: LifeOptions,
    /// What is run; default: `leadscore run`.
    pub operator: Operator,
    /// From one run to the next, in nights; default 1.
    pub every: Day,
    /// From one comparison of all models to the next, in nights; default 7.
    pub oracle_every: Day,
    /// The folder of the company: exports, models, scores.
    pub folder: PathBuf,
}

impl StoryOptions {
    /// The defaults in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            life: LifeOptions::default(),
            operator: Operator::Run,
            every: 1,
            oracle_every: 7,
            folder,
        }
    }
}

/// Lives all nights; `each` gets the story so far after each of them.
///
/// # Errors
///
/// Where the disk refuses.
pub fn live(options: &StoryOptions, mut each: impl FnMut(&Story)) -> std::io::Result<Story> {
    let mut life = Life::new(options.life.clone());
    let mut story = Story {
        seed: options.life.seed,
        open_leads: options.life.open_leads,
        operator: options.operator,
        happenings: life.plan().happenings().to_vec(),
        nights: Vec::new(),
    };
    let mut teller = Teller {
        options,
        shipped: None,
        champion: None,
        since_trained: None,
    };
    let mut night = FIRST_NIGHT;
    while night < life.last_night() {
        life.live_until(night);
        let told = teller.night(&mut life, night)?;
        story.nights.push(told);
        each(&story);
        night += options.every;
    }
    Ok(story)
}

/// What is carried from night to night.
struct Teller<'a> {
    options: &'a StoryOptions,
    shipped: Option<Scores>,
    champion: Option<String>,
    since_trained: Option<(Day, String)>,
}

impl Teller<'_> {
    fn night(&mut self, life: &mut Life, night: Day) -> std::io::Result<Night> {
        let folder = &self.options.folder;
        let truth = truth_of_tonight(life);
        let mut told = Night {
            night,
            date: date(night),
            printed: None,
            shipped: None,
            is_fresh: false,
            losses: BTreeMap::new(),
            oracle: None,
        };
        if !life.is_out(night) {
            life.export(folder, night)?;
            let operator = self.options.operator;
            let printed = operator.night(folder, night, &mut self.since_trained)?;
            if let Some(scores) = Scores::read(&folder.join(PUBLISHED), life) {
                told.is_fresh = scores.as_of.starts_with(&told.date);
                self.shipped = Some(scores);
            }
            told.losses = self.losses(life, &truth, night, &printed)?;
            if self.is_compared(night) {
                told.oracle = told.losses.values().copied().min_by(f64::total_cmp);
            }
            self.champion.clone_from(&printed.champion);
            told.printed = Some(printed);
        }
        let shipped = self.shipped.as_ref();
        told.shipped = shipped.and_then(|scores| scores.truth(life, &truth));
        if let Some(scores) = shipped {
            life.prioritize(scores.prioritized.iter().map(String::as_str));
        }
        Ok(told)
    }

    /// Whether all models are compared on a night.
    fn is_compared(&self, night: Day) -> bool {
        (night - FIRST_NIGHT) % self.options.oracle_every == 0
    }

    /// Losses of the models of which they are needed tonight.
    fn losses(
        &self,
        life: &Life,
        truth: &HashMap<usize, f64>,
        night: Day,
        printed: &Printed,
    ) -> std::io::Result<BTreeMap<String, f64>> {
        let folder = &self.options.folder;
        let mut models: Vec<String> = match (&self.champion, printed.candidate()) {
            (Some(champion), Some(candidate)) => vec![champion.clone(), candidate.to_owned()],
            _ => Vec::new(),
        };
        if self.is_compared(night) {
            models.extend(registered(&folder.join(MODELS))?);
        }
        models.sort();
        models.dedup();
        let mut losses = BTreeMap::new();
        for model in models {
            if let Some(scores) = score(folder, &model, night, life)?
                && let Some(truth) = scores.truth(life, truth)
            {
                losses.insert(model, truth.loss);
            }
        }
        Ok(losses)
    }
}

/// Ids of all models in the registry.
fn registered(models: &Path) -> std::io::Result<Vec<String>> {
    let Ok(entries) = std::fs::read_dir(models) else {
        return Ok(Vec::new());
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if let Some(id) = name.to_string_lossy().strip_suffix(".leadscore") {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

/// Tonight's scores of any model, made aside: in a folder with its own history.
fn score(folder: &Path, model: &str, night: Day, life: &Life) -> std::io::Result<Option<Scores>> {
    let aside = folder.join("aside");
    let (config, scores) = (aside.join("leadscore.toml"), aside.join("scores.csv"));
    if !config.exists() {
        std::fs::create_dir_all(&aside)?;
        let text = std::fs::read_to_string(folder.join("leadscore.toml"))?;
        std::fs::write(config, text.replace("path = \"", "path = \"../"))?;
    }
    let file = format!("../{}", file_of(model));
    let as_of = date(night);
    let args = ["score", &file, "-c", "leadscore.toml", "--as-of", &as_of];
    let output = leadscore(&aside, &[&args[..], &["-o", "scores.csv"]].concat());
    Ok(if output.status.success() {
        Scores::read(&scores, life)
    } else {
        None
    })
}
