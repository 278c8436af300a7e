//! Console endpoints of accounts, sign-in and workspaces.
