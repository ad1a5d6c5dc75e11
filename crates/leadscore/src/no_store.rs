//! A build without event stores: a config whose tables are the rows of one is refused, since what its
//! files have is older, or nothing.

use leadscore_core::LeftOut;

use crate::config::Config;

/// Fails where the config names a store that there is, or may be.
pub(crate) fn refuse_store(config: &Config) -> Result<(), LeftOut> {
    let Some(store) = &config.settings().store else {
        return Ok(());
    };
    let place = store.path.expose();
    // Whether there is a store at an address, nobody here can ask.
    let is_address =
        place.contains("://") || place.starts_with("env:") || place.starts_with("file:");
    if is_address || config.folder().join(place).exists() {
        return Err(LeftOut::EventStores);
    }
    Ok(())
}
