//! A file of Rust as the map sees it: its place in the tree of modules, the names that it defines,
//! the paths that it names, and the lengths of its functions. Code of tests does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file.
#[derive(Debug)]
pub(super) struct Source {
    /// The path below `src`.
    pub(super) name: String,
    /// The module of the file first, then those that are written out within it.
    pub(super) modules: Vec<Module>,
    pub(super) n_lines: usize,
    pub(super) functions: Vec<Function>,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) n_lines: usize,
}

/// A module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// From the root of the crate, which has no names.
    pub(super) path: Vec<String>,
    /// Items that it defines.
    pub(super) names: BTreeSet<String>,
    /// What `use` brings into it: names, and the paths that they stand for.
    pub(super) aliases: BTreeMap<String, Vec<String>>,
    /// Paths of `use …::*`.
    pub(super) globs: Vec<Vec<String>>,
    /// Paths that begin with `crate` or `super`, and all those of `use`.
    pub(super) paths: Vec<Vec<String>>,
    /// Modules in files of their own.
    children: Vec<String>,
}

/// A file and those of the modules that it declares.
pub(super) fn read_tree(start: &Path) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let folder = start.parent().context("a file is in a folder")?.to_owned();
    let mut waiting = vec![(start.to_owned(), Vec::new())];
    while let Some((file, path)) = waiting.pop() {
        let source = read(&file, &folder, path)?;
        for module in &source.modules {
            for child in &module.children {
                let mut path = module.path.clone();
                path.push(child.clone());
                waiting.push((file_of(&folder, &path)?, path));
            }
        }
        sources.push(source);
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

fn file_of(folder: &Path, path: &[String]) -> anyhow::Result<PathBuf> {
    let stem = folder.join(path.join("/"));
    [stem.with_extension("rs"), stem.join("mod.rs")]
        .into_iter()
        .find(|file| file.exists())
        .with_context(|| format!("there is no file of the module {}", path.join("::")))
}

fn read(file: &Path, folder: &Path, path: Vec<String>) -> anyhow::Result<Source> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.strip_prefix(folder).unwrap_or(file);
    parse(&text, name.display().to_string(), path)
}

/// The text of a file, which is the module of this path.
pub(super) fn parse(text: &str, name: String, path: Vec<String>) -> anyhow::Result<Source> {
    let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{name}: {error}"))?;
    let mut reader = Reader::default();
    reader.items(tokens, path);
    Ok(Source {
        name,
        modules: reader.modules,
        n_lines: text.lines().count() - reader.n_lines_of_tests,
        functions: reader.functions,
    })
}

#[derive(Default)]
struct Reader {
    modules: Vec<Module>,
    functions: Vec<Function>,
    n_lines_of_tests: usize,
}

impl Reader {
    /// The items of a module.
    fn items(&mut self, tokens: TokenStream, path: Vec<String>) {
        let module = self.modules.len();
        self.modules.push(Module {
            path,
            ..Module::default()
        });
        self.tokens(tokens, module, true);
    }

    /// Tokens at any depth of a module; names are defined at the top alone.
    fn tokens(&mut self, tokens: TokenStream, module: usize, top: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.token(&tokens, at, module, top);
        }
    }

    /// Takes what begins at a token; returns where the next one begins.
    fn token(&mut self, tokens: &[TokenTree], at: usize, module: usize, top: bool) -> usize {
        if is_test_attribute(tokens, at) {
            let end = end_of_item(tokens, at + 2);
            let lines = |tree: &TokenTree| tree.span().start().line..=tree.span().end().line;
            self.n_lines_of_tests += lines(&tokens[end - 1]).end() + 1 - lines(&tokens[at]).start();
            return end;
        }
        let TokenTree::Ident(word) = &tokens[at] else {
            if let TokenTree::Group(group) = &tokens[at] {
                self.tokens(group.stream(), module, false);
            }
            return at + 1;
        };
        match word.to_string().as_str() {
            // Not the `use<…>` of a type.
            "use" if ident(tokens, at + 1).is_some() || is_colons(tokens, at + 1) => {
                let end = end_of_item(tokens, at);
                self.use_tree(&tokens[at + 1..end], &mut Vec::new(), module);
                end
            }
            "mod" => {
                let Some(name) = ident(tokens, at + 1) else {
                    return at + 1;
                };
                if let Some(TokenTree::Group(group)) = tokens.get(at + 2) {
                    let mut path = self.modules[module].path.clone();
                    path.push(name);
                    self.items(group.stream(), path);
                    return at + 3;
                }
                self.modules[module].children.push(name);
                at + 2
            }
            "fn" => {
                if let Some(name) = ident(tokens, at + 1) {
                    self.function(tokens, at, name.clone());
                    if top {
                        self.modules[module].names.insert(name);
                    }
                }
                at + 1
            }
            "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" if top => {
                self.modules[module].names.extend(ident(tokens, at + 1));
                at + 1
            }
            "macro_rules" if top => {
                self.modules[module].names.extend(ident(tokens, at + 2));
                at + 1
            }
            "crate" | "super" => {
                let mut path = vec![word.to_string()];
                let mut at = at + 1;
                while is_colons(tokens, at) {
                    let Some(name) = ident(tokens, at + 2) else {
                        break;
                    };
                    path.push(name);
                    at += 3;
                }
                if path.len() > 1 {
                    self.modules[module].paths.push(path);
                }
                at
            }
            _ => at + 1,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "tokens of a library")]
    fn function(&mut self, tokens: &[TokenTree], at: usize, name: String) {
        let body = tokens[at..].iter().find(|tree| match tree {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        });
        if let Some(TokenTree::Group(body)) = body {
            let line = tokens[at].span().start().line;
            self.functions.push(Function {
                name,
                line,
                n_lines: body.span_close().end().line + 1 - line,
            });
        }
    }

    /// The paths of a `use`, after the names that stand before its braces.
    #[expect(clippy::wildcard_enum_match_arm, reason = "tokens of a library")]
    fn use_tree(&mut self, tokens: &[TokenTree], before: &mut Vec<String>, module: usize) {
        let n_before = before.len();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if *word == "as" => {
                    let path = before.clone();
                    let alias = ident(tokens, at + 1);
                    self.used(alias, path, module);
                    before.truncate(n_before);
                    at += 1;
                }
                TokenTree::Ident(word) => before.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    self.modules[module].globs.push(before.clone());
                    self.modules[module].paths.push(before.clone());
                    before.truncate(n_before);
                }
                TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                    self.use_path(before, n_before, module);
                }
                TokenTree::Group(group) => {
                    let tree: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.use_tree(&tree, before, module);
                    before.truncate(n_before);
                }
                _ => {}
            }
            at += 1;
        }
        self.use_path(before, n_before, module);
    }

    fn use_path(&mut self, before: &mut Vec<String>, n_before: usize, module: usize) {
        if before.len() > n_before {
            let mut path = before.clone();
            if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
                path.pop();
            }
            self.used(path.last().cloned(), path, module);
            before.truncate(n_before);
        }
    }

    fn used(&mut self, alias: Option<String>, path: Vec<String>, module: usize) {
        if let Some(alias) = alias.filter(|alias| alias != "_") {
            self.modules[module].aliases.insert(alias, path.clone());
        }
        self.modules[module].paths.push(path);
    }
}

/// Whether `#[cfg(test)]` begins here.
fn is_test_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(group))) =
        (tokens.get(at), tokens.get(at + 1))
    else {
        return false;
    };
    hash.as_char() == '#' && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Where an item ends: behind its semicolon or its braces.
#[expect(clippy::wildcard_enum_match_arm, reason = "tokens of a library")]
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let mut is_use = false;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token {
            TokenTree::Ident(word) if *word == "use" => is_use = true,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return at + 1,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_use => {
                return at + 1;
            }
            _ => {}
        }
    }
    tokens.len()
}

fn ident(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    (at..at + 2)
        .all(|at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Source {
        parse(text, "lib.rs".to_owned(), Vec::new()).expect("Rust")
    }

    #[test]
    fn uses_are_paths_and_names() {
        let source = parsed("pub use crate::a::{b, c::{self, D as E}, f::*}; use x::Y;");
        let module = &source.modules[0];
        let paths: Vec<String> = module.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(
            paths,
            [
                "crate::a::b",
                "crate::a::c",
                "crate::a::c::D",
                "crate::a::f",
                "x::Y"
            ]
        );
        assert_eq!(module.aliases["E"].join("::"), "crate::a::c::D");
        assert_eq!(module.aliases["c"].join("::"), "crate::a::c");
        assert_eq!(module.globs.len(), 1);
    }

    #[test]
    fn tests_texts_and_comments_do_not_count() {
        let source = parsed(
            "// use crate::a;\nfn f() {\n    let s = \"crate::b\";\n    super::g::<u8>(s)\n}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n",
        );
        assert_eq!(source.modules[0].paths, [["super", "g"]]);
        assert_eq!(source.functions.len(), 1);
        let function = &source.functions[0];
        assert_eq!((function.line, function.n_lines), (2, 4));
        assert_eq!(source.n_lines, 5);
    }
}
