//! Tables as people have them. Every file is made by a program here.

mod csv_text;
mod json;
mod laws;
mod support;
mod workbooks;
