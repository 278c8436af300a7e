-- The plugin daemon keeps a database of its own beside the server's.
CREATE DATABASE dify_plugin;
