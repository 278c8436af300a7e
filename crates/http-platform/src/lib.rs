//! Console, web and service endpoints of files, tags, features, explore.
