// What the routes about a configuration answer alike. [any thread]
#pragma once

#include "core/server/http/message.h"
#include "core/server/store/store.h"

namespace pganalytics::server::api {

http::Response config_answer(const store::ConfigRow& row);  // 200: the document under its version, which is its ETag
http::Response no_such_version(const Error& error);         // 404

}  // namespace pganalytics::server::api
