//! Installs Python and PHP for the receivers of the documentation, if they are not here.

fn main() -> anyhow::Result<()> {
    tests_e2e::install_interpreters()
}
