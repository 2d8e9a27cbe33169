//! What is to be shown: one view model that cells, plain lines and JSON render. Values only, in words and numbers that
//! are rounded already; how wide, where and in which colour is the renderer's business. Texts may hold outside text: the
//! renderer's sink sanitises.

pub mod view;
