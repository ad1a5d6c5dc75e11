//! Which export each file is, by the names of its columns, and of which product all of them are.

use std::path::{Path, PathBuf};

use super::{Export, ExportsInput, Names, Part, Product};
use crate::error::TablesError;
use crate::profile::columns::{Kind, Sheet, SheetColumn};

/// A file of an export, or several of the same one.
pub(super) struct File {
    pub(super) paths: Vec<PathBuf>,
    pub(super) sheet: Sheet,
    /// `None` for a file that the product is not known to export.
    pub(super) export: Option<&'static Export>,
}

impl Export {
    /// Whether its rows can be leads.
    fn has_leads(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part.part, Part::Leads(_)))
    }
}

impl File {
    /// The column that goes by one of these names, if it has a cell at all.
    pub(super) fn column(&self, names: Names) -> Option<&SheetColumn> {
        column(&self.sheet, names).filter(|column| column.kind != Kind::Empty)
    }
}

/// The product that files come from, and what each of them is.
pub(super) struct Recognized {
    pub(super) product: Product,
    pub(super) files: Vec<File>,
    /// The file with the leads.
    pub(super) leads: usize,
}

/// A name without case, blanks and punctuation.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a column's name is one of these patterns, in which `*` is anything.
pub(super) fn is_any(name: &str, patterns: Names) -> bool {
    let name = field(name);
    patterns
        .iter()
        .any(|pattern| match pattern.split_once('*') {
            Some((start, "")) => name.starts_with(&folded(start)),
            Some((start, end)) => {
                let (start, end) = (folded(start), folded(end));
                name.len() >= start.len() + end.len()
                    && name.starts_with(&start)
                    && name.ends_with(&end)
            }
            None => name == folded(pattern),
        })
}

/// The folded name of a column; of a field of an object without the object's: `properties.amount`.
fn field(name: &str) -> String {
    folded(name.strip_prefix("properties.").unwrap_or(name))
}

/// The column of a sheet that goes by one of these names.
fn column(sheet: &Sheet, names: Names) -> Option<&SheetColumn> {
    names.iter().find_map(|name| {
        let wanted = folded(name);
        let find = |is_it: &dyn Fn(&SheetColumn) -> bool| {
            let mut columns = sheet.columns.iter();
            columns.find(|column| is_it(column))
        };
        // Some differ in nothing but a dot: `.id` and `id`.
        find(&|column| column.name == *name)
            .or_else(|| find(&|column| column.name.eq_ignore_ascii_case(name)))
            .or_else(|| find(&|column| field(&column.name) == wanted))
    })
}

/// The export of a product that a sheet is.
fn export_of(product: Product, sheet: &Sheet) -> Option<&'static Export> {
    product.exports().iter().find(|export| {
        export
            .signature
            .iter()
            .all(|names| column(sheet, names).is_some())
    })
}

/// Another product that a sheet is an export of.
pub(super) fn other_product(product: Product, sheet: &Sheet) -> Option<Product> {
    let mut others = Product::ALL.into_iter().filter(|other| *other != product);
    others.find(|other| export_of(*other, sheet).is_some())
}

/// Reads the files and tells what they are.
///
/// # Errors
///
/// A file that cannot be read as a table; files of no product, or of several; leads that are missing.
pub(super) fn recognize(input: &ExportsInput, folder: &Path) -> Result<Recognized, TablesError> {
    let read = |path: &PathBuf| {
        let label = path.file_name().unwrap_or(path.as_os_str());
        let sheet = Sheet::read(&label.to_string_lossy(), path, folder, input.now)?;
        Ok((path.clone(), sheet))
    };
    let sheets = input
        .files
        .iter()
        .map(read)
        .collect::<Result<Vec<(PathBuf, Sheet)>, TablesError>>()?;
    let product = match input.product {
        Some(product) => product,
        None => product_of(&sheets)?,
    };
    let mut files: Vec<File> = Vec::new();
    for (path, sheet) in sheets {
        let export = export_of(product, &sheet);
        let same = files.iter_mut().find(|file| {
            let is_one = export
                .zip(file.export)
                .is_some_and(|(a, b)| a.what == b.what);
            is_one && is_split(file, &sheet)
        });
        match same {
            Some(file) => file.paths.push(path),
            None => files.push(File {
                paths: vec![path],
                sheet,
                export,
            }),
        }
    }
    let leads = leads_among(product, &files)?;
    Ok(Recognized {
        product,
        files,
        leads,
    })
}

/// Whether a file and a sheet are parts of one table: products split large exports.
fn is_split(file: &File, sheet: &Sheet) -> bool {
    let names = |sheet: &Sheet| -> Vec<String> {
        let columns = sheet.columns.iter();
        columns.map(|column| column.name.clone()).collect()
    };
    names(&file.sheet) == names(sheet)
}

/// The product that most files come from.
fn product_of(sheets: &[(PathBuf, Sheet)]) -> Result<Product, TablesError> {
    let known = |product: &Product| {
        let found: Vec<&Export> = sheets
            .iter()
            .filter_map(|(_, sheet)| export_of(*product, sheet))
            .collect();
        (found.iter().any(|export| export.has_leads()), found.len())
    };
    let mut ranked: Vec<(Product, (bool, usize))> = Product::ALL
        .into_iter()
        .map(|product| (product, known(&product)))
        .filter(|(_, (_, n_files))| *n_files > 0)
        .collect();
    ranked.sort_by_key(|(_, known)| std::cmp::Reverse(*known));
    match ranked.as_slice() {
        [] => {
            let Some((path, sheet)) = sheets.first() else {
                return Err(TablesError::Content {
                    table: "the exports".to_owned(),
                    found: "there is no file".to_owned(),
                    help: "name the files of a CRM's export".to_owned(),
                });
            };
            Err(TablesError::Format {
                path: path.clone(),
                found: format!(
                    "by its columns, this is no export of {}: {}",
                    all_products(),
                    sheet.shown_columns(4)
                ),
                help: "give each file by what it has (leads, outcomes, activities); or export the columns that the docs list for your CRM, by their English labels or internal names".to_owned(),
            })
        }
        [(first, known), (second, other), ..] if known == other => Err(TablesError::Content {
            table: "the exports".to_owned(),
            found: format!(
                "the columns are those of {} and of {}",
                first.name(),
                second.name()
            ),
            help: "name the CRM, such as --from hubspot".to_owned(),
        }),
        [(first, _), ..] => Ok(*first),
    }
}

/// The names of all products.
fn all_products() -> String {
    let names = Product::ALL.map(Product::name);
    let (last, others) = names.split_last().expect("there are products");
    format!("{} or {last}", others.join(", "))
}

/// The file with the leads: of several kinds that can be leads the first that the product lists.
fn leads_among(product: Product, files: &[File]) -> Result<usize, TablesError> {
    let rank = |file: &File| {
        let what = file.export.map(|export| export.what);
        product
            .exports()
            .iter()
            .position(|export| Some(export.what) == what)
    };
    let has_leads = |file: &File| file.export.is_some_and(Export::has_leads);
    let candidates = files.iter().enumerate().filter(|(_, file)| has_leads(file));
    if let Some((number, first)) = candidates.min_by_key(|(_, file)| rank(file)) {
        let also = files.iter().skip(number + 1).find(|other| {
            let is_one = other.export.zip(first.export);
            is_one.is_some_and(|(a, b)| a.what == b.what)
        });
        if let Some(also) = also {
            return Err(TablesError::Format {
                path: also.paths[0].clone(),
                found: format!(
                    "its columns are not those of {}, and both are {}",
                    first.paths[0].display(),
                    first.export.map_or("leads", |export| export.what)
                ),
                help: "export both with the same columns, or name one of them".to_owned(),
            });
        }
        return Ok(number);
    }
    let wanted: Vec<&str> = product
        .exports()
        .iter()
        .filter(|export| export.has_leads())
        .map(|export| export.what)
        .collect();
    let found: Vec<String> = files
        .iter()
        .map(|file| {
            let what = file.export.map_or("not recognized", |export| export.what);
            format!("{} ({what})", file.paths[0].display())
        })
        .collect();
    Err(TablesError::Content {
        table: format!("the exports of {}", product.name()),
        found: format!("no file has {}: {}", wanted.join(" or "), found.join(", ")),
        help: format!(
            "export the {} too, with the columns that the docs list for {}",
            wanted.join(" or "),
            product.name()
        ),
    })
}
