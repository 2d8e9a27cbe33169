//! The cockpit as lines: appended only, one fact each, a prefix word first; no cursor motion, no glyph art. Prompts are
//! typed as lines. The same machine, the same action rules.
