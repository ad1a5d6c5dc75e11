//! Entities as one text that sorts, by which their events are found: `lead/L1`, `account/A1`,
//! `lookup/NAME/KEY`.

use crate::event::Entity;

const LEAD: &str = "lead/";
const ACCOUNT: &str = "account/";
const LOOKUP: &str = "lookup/";

impl Entity {
    /// The text by which its events are found.
    pub fn key(&self) -> String {
        match self {
            Self::Lead(id) => format!("{LEAD}{id}"),
            Self::Account(id) => format!("{ACCOUNT}{id}"),
            // Names come from the config, where a quoted one may have a slash.
            Self::Lookup { name, key } => {
                let name = name.replace('%', "%25").replace('/', "%2F");
                format!("{LOOKUP}{name}/{key}")
            }
        }
    }

    /// The entity of a text that [`Entity::key`] made.
    pub fn of_key(key: &str) -> Option<Self> {
        if let Some(id) = key.strip_prefix(LEAD) {
            return Some(Self::Lead(id.to_owned()));
        }
        if let Some(id) = key.strip_prefix(ACCOUNT) {
            return Some(Self::Account(id.to_owned()));
        }
        let (name, key) = key.strip_prefix(LOOKUP)?.split_once('/')?;
        Some(Self::Lookup {
            name: name.replace("%2F", "/").replace("%25", "%"),
            key: key.to_owned(),
        })
    }

    /// Its own ID or key.
    pub fn id(&self) -> &str {
        match self {
            Self::Lead(id) | Self::Account(id) => id,
            Self::Lookup { key, .. } => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_entity() -> impl Strategy<Value = Entity> {
        let text = "[a-z/%25F\u{0}é]{0,6}";
        prop_oneof![
            text.prop_map(Entity::Lead),
            text.prop_map(Entity::Account),
            (text, text).prop_map(|(name, key)| Entity::Lookup { name, key }),
        ]
    }

    proptest! {
        #[test]
        fn a_key_is_one_entity(a in any_entity(), b in any_entity()) {
            prop_assert_eq!(Entity::of_key(&a.key()), Some(a.clone()));
            prop_assert_eq!(a == b, a.key() == b.key());
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "lead", "person/1", "lookup/fields"] {
            assert_eq!(Entity::of_key(text), None, "{text}");
        }
    }
}
