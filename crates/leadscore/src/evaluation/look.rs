//! How a report's page looks, by the config.

use leadscore_config::{Bytes, ReportConfig};
use leadscore_io::read_at_most;
use leadscore_report::Look;

use crate::data::Data;
use crate::error::bail;

/// How the page looks, by the config.
pub(crate) fn look(data: &Data, settings: &ReportConfig) -> crate::Result<Look> {
    let logo = settings
        .logo
        .as_ref()
        .map(|path| logo(&data.folder.join(path)))
        .transpose()?;
    let standard = Look::default();
    Ok(Look {
        title: settings.title.clone().unwrap_or(standard.title),
        accent: settings.accent.clone(),
        logo,
    })
}

/// Largest picture that a page of a few hundred kilobytes should carry.
const LARGEST_LOGO: u64 = 100_000;

/// A picture as a data URI.
fn logo(path: &std::path::Path) -> crate::Result<String> {
    use crate::error::Context as _;
    use base64::Engine as _;
    let bytes = read_at_most(path, Bytes(LARGEST_LOGO))
        .with_context(|| format!("cannot read the logo {}", path.display()))?;
    let kind = match path
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => bail!(
            "the logo {} is neither .svg nor .png\n  hint: let `logo` of [report] name such a file",
            path.display()
        ),
    };
    Ok(format!(
        "data:{kind};base64,{}",
        base64::engine::general_purpose::STANDARD.encode(bytes)
    ))
}
