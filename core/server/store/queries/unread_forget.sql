/* pganalytics-server:unread_forget */
-- Their documents are gone, or soon will be.
delete from pganalytics.unread_documents where received_at < now() - interval '14 days'
