//! Writes the made exports of five CRMs into folders of their names: `crm_exports FOLDER`.

use std::path::PathBuf;

use leadscore_tests::crm_exports::{File, World, dynamics, hubspot, odoo, pipedrive, salesforce};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    let world = World::new(3_000, 11);
    let exports: [(&str, Vec<File>); 5] = [
        ("hubspot", hubspot(&world)),
        ("salesforce", salesforce(&world)),
        ("pipedrive", pipedrive(&world)),
        ("dynamics", dynamics(&world)),
        ("odoo", odoo(&world)),
    ];
    for (product, files) in exports {
        let folder = folder.join(product).join("exports");
        std::fs::create_dir_all(&folder)?;
        for (name, content) in files {
            std::fs::write(folder.join(name), content)?;
        }
    }
    Ok(())
}
