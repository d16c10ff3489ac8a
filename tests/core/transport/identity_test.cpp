#include "core/transport/identity.h"

#include "core/files/files.h"
#include "core/transport/identity_files.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <sys/stat.h>

using namespace pganalytics;
using namespace pganalytics::transport;

namespace {

IdentityFiles make_folder(const testing::TemporaryFolder& folder) {
  IdentityFiles files(folder.path());
  REQUIRE(files::make_directories(files.folder, 0700));
  REQUIRE(files::write_atomically(files.key, "key", 0600));
  return files;
}

constexpr char kIdentity[] =
    R"({"collector_id":"0192f0c1-0000-7000-8000-000000000001","backend_url":"https://h:1","name":"db1"})";

}  // namespace

TEST_CASE("a collector that is not registered is told how to") {
  const testing::TemporaryFolder folder;
  const auto identity = Identity::load(folder.path());
  REQUIRE_FALSE(identity);
  CHECK(identity.error().status == PGA_E_NOTFOUND);
  CHECK(identity.error().hint.find("pganalytics register") != std::string::npos);
}

TEST_CASE("an identity loads, but not with a key that others can read") {
  const testing::TemporaryFolder folder;
  const IdentityFiles files = make_folder(folder);
  REQUIRE(files::write_atomically(files.identity, kIdentity, 0644));
  const auto identity = Identity::load(folder.path());
  REQUIRE(identity);
  CHECK(identity.value().collector_id == "0192f0c1-0000-7000-8000-000000000001");
  CHECK(identity.value().backend_url == "https://h:1");
  CHECK(identity.value().key_file == files.key);

  REQUIRE(chmod(files.key.c_str(), 0644) == 0);
  const auto open = Identity::load(folder.path());
  REQUIRE_FALSE(open);
  CHECK(open.error().status == PGA_E_DENIED);
  CHECK(open.error().hint.find("chmod 600") != std::string::npos);
}

TEST_CASE("a damaged identity is an error that names the file") {
  const testing::TemporaryFolder folder;
  const IdentityFiles files = make_folder(folder);
  for (const char* text : {"", "{", "[]", R"({"collector_id":"x","backend_url":"https://h"})",
                           R"({"collector_id":"0192f0c1-0000-7000-8000-000000000001"})", R"({"collector_id":7})",
                           R"({"collector_id":"0192f0c1-0000-7000-8000-000000000001","backend_url":["https://h"]})"}) {
    INFO(text);
    REQUIRE(files::write_atomically(files.identity, text, 0644));
    const auto identity = Identity::load(folder.path());
    REQUIRE_FALSE(identity);
    CHECK(identity.error().code == "identity.damaged");
    CHECK(identity.error().message.find("identity.json") != std::string::npos);
  }
}

TEST_CASE("an identity that cannot be read is no missing one") {
  const testing::TemporaryFolder folder;
  const IdentityFiles files = make_folder(folder);
  REQUIRE(files::make_directories(files.identity, 0700));
  const auto identity = Identity::load(folder.path());
  REQUIRE_FALSE(identity);
  CHECK(identity.error().status != PGA_E_NOTFOUND);  // or `register` would begin anew beside it
  CHECK(identity.error().message.find("identity.json") != std::string::npos);
}
