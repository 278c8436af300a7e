//! Object storage behind one type.
