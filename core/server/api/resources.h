// The functions behind the routes, one file per resource. [worker threads]
#pragma once

#include "core/server/http/message.h"

namespace pganalytics::server::api {

struct Call;

// health.cpp
http::Response serve_health(const Call& call);
http::Response serve_health_details(const Call& call);
// api.cpp
http::Response serve_push(const Call& call);
// enrolment.cpp
http::Response serve_register(const Call& call);
http::Response serve_token(const Call& call);
http::Response serve_certificate(const Call& call);
http::Response serve_ca(const Call& call);
// configuration.cpp
http::Response serve_get_config(const Call& call);
http::Response serve_put_config(const Call& call);
// config_history.cpp
http::Response serve_config_history(const Call& call);
http::Response serve_config_rollback(const Call& call);
// config_status.cpp
http::Response serve_config_status(const Call& call);
// audit_log.cpp
http::Response serve_audit(const Call& call);
// collectors.cpp
http::Response serve_collectors(const Call& call);
http::Response serve_collector(const Call& call);
http::Response serve_revoke(const Call& call);
// schemas.cpp
http::Response serve_put_schema(const Call& call);
// events.cpp
http::Response serve_events(const Call& call);
// families.cpp
http::Response serve_families(const Call& call);
http::Response serve_family(const Call& call);
// query.cpp
http::Response serve_query(const Call& call);
// metrics.cpp
http::Response serve_metrics(const Call& call);

}  // namespace pganalytics::server::api
