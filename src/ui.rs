//! The screen: a view model becomes cells of a buffer. Pure; knows no terminal, no clock and no source.

pub mod glyphs;
pub mod layout;
pub mod pen;
pub mod screen;
pub mod svg;
pub mod theme;
pub mod view;
pub mod widget;
