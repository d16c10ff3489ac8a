// The API and a viewer who asks it about rows that SQL put into its database.
#pragma once

#include "tests/core/server/api/api_under_test.h"
#include "tests/core/server/series_by_sql.h"

#include <string>

namespace pganalytics::server::api {

struct ViewedRows {
  ApiUnderTest test;
  std::string viewer = test.key(store::Role::kViewer);
  testing::SeriesBySql rows{testing::PostgresServer::shared(), test.database};
  std::string db1 = test.enrol("db1").id, db2 = test.enrol("db2").id;  // collectors of these names

  http::Response get(const std::string& target) {
    return test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", target)));
  }
};

}  // namespace pganalytics::server::api
