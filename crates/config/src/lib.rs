//! Every setting of the server, typed.
