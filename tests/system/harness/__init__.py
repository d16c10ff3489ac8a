"""Real parts for system tests: a PostgreSQL, the server and the collector as processes, and how to wait for what they do."""
