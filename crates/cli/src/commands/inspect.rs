//! `inspect`: what is in a model file.

use leadscore::front_end::{check_target, model_page, refuse_inputs};
use leadscore::{inspect, write_text};

use crate::args::{InspectArgs, ReadModel};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<Outcome> {
    let ReadModel { model, path: input } = args.model.read_alone()?;
    if args.json {
        show::json(&serde_json::to_string_pretty(&model)?);
        return Ok(Outcome::Done);
    }
    show::result(&inspect(&model, args.shapes));
    if let Some(path) = &args.html {
        check_target(path)?;
        refuse_inputs([path.as_path()], std::slice::from_ref(&input))?;
        write_text(path, &model_page(&model)?)?;
        show::remark(&format!("wrote {}", path.display()));
    }
    Ok(Outcome::Done)
}
