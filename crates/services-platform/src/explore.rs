//! Explore: the catalogue, the apps a workspace installed from it, trials, banners.

pub mod admin;
pub mod banner;
pub mod catalogue;
pub mod installed;
pub mod template;
pub mod trial;
