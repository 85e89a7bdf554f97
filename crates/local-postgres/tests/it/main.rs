//! Real clusters, through the library and through the program.

mod lifecycle;
mod privileges;
mod program;
mod recovery;
mod support;
