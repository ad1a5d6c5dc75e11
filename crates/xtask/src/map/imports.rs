//! Which file of a crate imports from which.
//!
//! A path is followed through re-exports to the file that defines the name. A file does not count
//! as importing from the modules below it: what it declares, it may also call and re-export.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Module, Source};

/// Re-exports of re-exports that are followed.
const DEPTH: usize = 16;

/// A file, and the files that it imports from.
pub(super) type Imported<'a> = (&'a str, Vec<&'a str>);

/// The imports between the files of a crate.
pub(super) struct Imports<'a> {
    sources: &'a [Source],
    /// By file, the files that it imports from.
    to: Vec<BTreeSet<usize>>,
}

impl<'a> Imports<'a> {
    pub(super) fn of(sources: &'a [Source]) -> Self {
        let mut to = vec![BTreeSet::new(); sources.len()];
        let tree = Tree::of(sources);
        for (file, source) in sources.iter().enumerate() {
            let own = &source.modules[0].path;
            for module in &source.modules {
                for path in &module.paths {
                    let found = tree.file_of(path, module, DEPTH);
                    to[file]
                        .extend(found.filter(|&to| !sources[to].modules[0].path.starts_with(own)));
                }
            }
        }
        Self { sources, to }
    }

    pub(super) fn n_imports(&self) -> usize {
        self.to.iter().map(BTreeSet::len).sum()
    }

    /// The files that import, and what from.
    pub(super) fn by_file(&self) -> Vec<Imported<'a>> {
        let all = |file: &usize| !self.to[*file].is_empty();
        (0..self.sources.len())
            .filter(all)
            .map(|file| self.imported(file, |_| true))
            .collect()
    }

    /// Files that import from each other, directly or through others: the strongly connected
    /// components of more than one file, each with its imports inside.
    pub(super) fn circles(&self) -> Vec<Vec<Imported<'a>>> {
        let reached: Vec<BTreeSet<usize>> =
            (0..self.to.len()).map(|file| self.reached(file)).collect();
        let mut circles: Vec<Vec<Imported<'a>>> = Vec::new();
        let mut done = BTreeSet::new();
        for file in 0..self.to.len() {
            let circle: BTreeSet<usize> = reached[file]
                .iter()
                .copied()
                .filter(|&other| reached[other].contains(&file))
                .collect();
            if circle.is_empty() || !done.insert(circle.clone()) {
                continue;
            }
            circles.push(
                circle
                    .iter()
                    .map(|&file| self.imported(file, |to| circle.contains(&to)))
                    .collect(),
            );
        }
        circles
    }

    fn reached(&self, file: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![file];
        while let Some(file) = waiting.pop() {
            waiting.extend(self.to[file].iter().filter(|&&to| reached.insert(to)));
        }
        reached
    }

    fn imported(&self, file: usize, which: impl Fn(usize) -> bool) -> Imported<'a> {
        let name = |file: usize| self.sources[file].name.as_str();
        let to = self.to[file].iter().copied();
        (name(file), to.filter(|&to| which(to)).map(name).collect())
    }
}

/// The modules of a crate by their paths.
struct Tree<'a> {
    modules: BTreeMap<&'a [String], (usize, &'a Module)>,
}

impl<'a> Tree<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let modules = sources.iter().enumerate().flat_map(|(file, source)| {
            let modules = source.modules.iter();
            modules.map(move |module| (module.path.as_slice(), (file, module)))
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// The file that defines what a path in a module names; nothing for other crates.
    fn file_of(&self, path: &[String], module: &Module, depth: usize) -> Option<usize> {
        let mut at = module.path.clone();
        let mut names = path.iter().peekable();
        let first = path.first()?;
        match first.as_str() {
            "crate" => {
                at.clear();
                names.next();
            }
            "self" => {
                names.next();
            }
            "super" => {
                while names.next_if(|name| *name == "super").is_some() {
                    at.pop();
                }
            }
            // A module below, a name that `use` brought here, or another crate.
            _ => {
                let mut below = at.clone();
                below.push(first.clone());
                let is_below = self.modules.contains_key(below.as_slice());
                let is_alias = module
                    .aliases
                    .get(first)
                    .is_some_and(|stands_for| stands_for != path);
                if !is_below && !is_alias {
                    return None;
                }
            }
        }
        for name in names {
            let (_, here) = self.modules.get(at.as_slice())?;
            let mut below = at.clone();
            below.push(name.clone());
            if self.modules.contains_key(below.as_slice()) {
                at = below;
                continue;
            }
            return self.definition(name, here, depth);
        }
        self.modules.get(at.as_slice()).map(|(file, _)| *file)
    }

    /// The file that defines a name that can be seen in a module.
    fn definition(&self, name: &str, module: &Module, depth: usize) -> Option<usize> {
        let own = self
            .modules
            .get(module.path.as_slice())
            .map(|(file, _)| *file);
        if module.names.contains(name) || depth == 0 {
            return own;
        }
        if let Some(path) = module.aliases.get(name) {
            return self.file_of(path, module, depth - 1);
        }
        let by_glob = module.globs.iter().find_map(|glob| {
            let mut path = glob.clone();
            path.push(name.to_owned());
            self.file_of(&path, module, depth - 1)
        });
        by_glob.or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::parse;
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> Vec<Source> {
        let source = |(path, text): &(&str, &str)| {
            let names = path.split('/').filter(|name| !name.is_empty());
            parse(
                text,
                format!("{path}.rs"),
                names.map(str::to_owned).collect(),
            )
            .expect("Rust")
        };
        files.iter().map(source).collect()
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str], n_circles: usize) {
        let sources = crate_of(files);
        let imports = Imports::of(&sources);
        let found: Vec<String> = imports
            .by_file()
            .iter()
            .map(|(from, to)| format!("{from} -> {}", to.join(", ")))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(imports.circles().len(), n_circles);
    }

    #[test]
    fn a_re_export_is_followed_to_the_file_that_defines_the_name() {
        let root = "mod a; mod b; pub use a::{A, c::*}; pub use other::Else;";
        check(
            &[
                ("", root),
                ("a", "use crate::b; pub struct A; mod c;"),
                ("a/c", "pub struct C;"),
                ("b", "fn f(_: crate::C) -> crate::Else { crate::A::new() }"),
            ],
            &["a.rs -> b.rs", "b.rs -> a.rs, a/c.rs"],
            1,
        );
    }

    #[test]
    fn a_file_may_call_what_it_declares() {
        check(
            &[
                ("", "mod a;"),
                (
                    "a",
                    "mod b; mod c; use self::b::B; pub struct A; mod inside { pub struct D; }",
                ),
                ("a/b", "use super::A; pub struct B(super::c::C);"),
                ("a/c", "use super::inside::D; pub struct C;"),
            ],
            &["a/b.rs -> a.rs, a/c.rs", "a/c.rs -> a.rs"],
            0,
        );
    }
}
