/* pganalytics-server:documents_copy */
copy pganalytics.documents (collector_id, type, ts, epoch, seq, part, index, document) from stdin
