//! Accounts, workspaces, members, sign-in.
