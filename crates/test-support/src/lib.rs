//! Databases, servers and fakes for tests.
