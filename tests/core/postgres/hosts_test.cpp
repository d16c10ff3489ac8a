// Which hosts of a conninfo are left when one is given up.
#include "core/postgres/hosts.h"

#include "tests/support/catch.h"

using namespace pganalytics::postgres;

namespace {

std::string left(const Hosts& hosts, const std::string& name, const std::string& port) {
  const auto others = without(hosts, name, port);
  return others ? others->host + "|" + others->hostaddr + "|" + others->port : "none";
}

}  // namespace

TEST_CASE("the silent host goes, with its address and its port") {
  CHECK(left({"a,b,c", "", "5432"}, "b", "5432") == "a,c||5432");
  CHECK(left({"a,b", "", ""}, "a", "5432") == "b||");
  CHECK(left({"a,b,c", "1.1.1.1,,3.3.3.3", "1,2,3"}, "a", "1") == "b,c|,3.3.3.3|2,3");
  CHECK(left({"", "1.1.1.1,2.2.2.2", "1,2"}, "2.2.2.2", "2") == "|1.1.1.1|1");
}

TEST_CASE("of two ports of one host the one that was asked goes, of twins one") {
  CHECK(left({"a,a", "", "1,2"}, "a", "2") == "a||1");
  CHECK(left({"a,a,b", "", "1"}, "a", "1") == "a,b||1");
}

TEST_CASE("what libpq could not be told is not tried") {
  CHECK(left({"a,b", "1.1.1.1,", ""}, "a", "1") == "none");
  CHECK(left({"a,b", "", "1,"}, "a", "1") == "none");
}

TEST_CASE("an only host stays, and so do hosts of which none is meant") {
  CHECK(left({"a", "", "1"}, "a", "1") == "none");
  CHECK(left({"", "", ""}, "/tmp", "1") == "none");
  CHECK(left({"a,b", "", "1,2"}, "a", "2") == "none");
  CHECK(left({"a,b", "", "1"}, "c", "1") == "none");
}
