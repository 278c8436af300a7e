//! Console, web and service endpoints of chats.
