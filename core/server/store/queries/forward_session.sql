/* pganalytics-server:forward_session */
-- A server whose machine is gone holds its lock for a minute, not for hours. A place that a crash of the database forgets is one from
-- which is sent again: no reason to wait for the disk.
set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3; set synchronous_commit = off
