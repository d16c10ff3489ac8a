#include "core/server/query/groups.h"

#include "tests/support/catch.h"

using namespace pganalytics::server::query;

namespace {

Values gathered(Gather gather) {
  Groups groups(gather, 3);
  groups.add({"a"}, {1.0, std::nullopt, std::nullopt});
  groups.add({"a"}, {3.0, 5.0, std::nullopt});
  groups.add({"b"}, {100.0, 100.0, 100.0});
  auto all = std::move(groups).all();
  CHECK(all.size() == 2);
  CHECK(all.at({"a"}).members == 2);
  return all.at({"a"}).values;
}

}  // namespace

TEST_CASE("a group is made of the members that have a value in a step") {
  CHECK(gathered(Gather::kSum) == Values{4.0, 5.0, std::nullopt});
  CHECK(gathered(Gather::kAvg) == Values{2.0, 5.0, std::nullopt});
  CHECK(gathered(Gather::kMin) == Values{1.0, 5.0, std::nullopt});
  CHECK(gathered(Gather::kMax) == Values{3.0, 5.0, std::nullopt});
  CHECK_FALSE(parse_gather("last"));
  CHECK(to_text(*parse_gather("max")) == "max");
}
