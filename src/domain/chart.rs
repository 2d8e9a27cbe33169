//! Chart geometry: where things stand, worked out once and drawn by text, SVG and terminal cells alike. No colours, no
//! cells, no files. `burn` is the geometry of burn rates over time, `text` and `svg` draw it, `sparkline` is one row.

pub mod burn;
pub mod sparkline;
pub mod svg;
pub mod text;
