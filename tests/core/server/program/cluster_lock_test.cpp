#include "core/server/program/cluster_lock.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using server::program::ClusterLock;

TEST_CASE("one holder at a time, who says whether it is a server, and nobody once it is gone") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "cluster.lock";
  {
    auto first = ClusterLock::try_take(path, true);
    REQUIRE(first);
    REQUIRE(first->has_value());
    const auto second = ClusterLock::try_take(path, false);
    REQUIRE(second);
    CHECK_FALSE(second->has_value());
    CHECK(ClusterLock::held_by_server(path));
  }
  const auto later = ClusterLock::try_take(path, false);
  REQUIRE(later);
  CHECK(later->has_value());
  CHECK_FALSE(ClusterLock::held_by_server(path));
}

TEST_CASE("a lock that cannot be made is an error, not a lock") {
  CHECK_FALSE(ClusterLock::try_take("/no/such/folder/lock", true));
}
