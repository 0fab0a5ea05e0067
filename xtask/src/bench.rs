//! `cargo xtask bench`: the sizes of the package's variants.

use anyhow::Result;

pub fn run() -> Result<()> {
    println!("bench measures the sizes of the package's variants");
    crate::package::build()
}
