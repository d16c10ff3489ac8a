#include "core/server/program/cluster_lock.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using server::program::locked_by_server;
using server::program::try_lock_cluster;

TEST_CASE("one holder at a time, who says whether it is a server, and nobody once it is gone") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "cluster.lock";
  {
    auto first = try_lock_cluster(path, true);
    REQUIRE(first);
    REQUIRE(first->has_value());
    const auto second = try_lock_cluster(path, false);
    REQUIRE(second);
    CHECK_FALSE(second->has_value());
    CHECK(locked_by_server(path));
  }
  const auto later = try_lock_cluster(path, false);
  REQUIRE(later);
  CHECK(later->has_value());
  CHECK_FALSE(locked_by_server(path));
}

TEST_CASE("a lock that cannot be made is an error, not a lock") { CHECK_FALSE(try_lock_cluster("/no/such/folder/lock", true)); }
