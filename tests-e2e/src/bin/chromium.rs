//! Installs Chromium for the stories in a browser, if it is not here.

use tests_e2e::Browser;

fn main() -> anyhow::Result<()> {
    let program = Browser::install()?;
    eprintln!("Chromium is {}", program.display());
    Ok(())
}
