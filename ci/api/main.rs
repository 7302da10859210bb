//! Prints the public API of a crate, an item a line, from what rustdoc has written about it as JSON.

use std::env;
use std::error::Error;

use public_api::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    let documentation = env::args_os().nth(1).ok_or("which file?")?;
    // What follows from the definitions would be most of the list.
    let api = Builder::from_rustdoc_json(documentation)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    println!("{api}");
    Ok(())
}
