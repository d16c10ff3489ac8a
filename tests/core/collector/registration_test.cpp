// A collector that was deleted on the server and is registered anew while it runs.
#include "core/files/files.h"
#include "core/transport/identity_files.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>

using namespace pganalytics;
using namespace pganalytics::collector_test;
using testing::eventually;
using testing::must;
using testing::ScriptedAnswer;
using testing::SeenRequest;

namespace {

constexpr char kOld[] = "0192f0c1-0000-7000-8000-000000000001";
constexpr char kNew[] = "0192f0c1-0000-7000-8000-000000000002";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The numbers that test_counter put into its documents.
std::vector<int> counts_of(const std::string& body) {
  constexpr std::string_view kMember = "\"count\":";
  std::vector<int> counts;
  for (std::size_t at = body.find(kMember); at != std::string::npos; at = body.find(kMember, at + 1)) {
    counts.push_back(std::stoi(body.substr(at + kMember.size())));
  }
  return counts;
}

// Knows two collectors, the first of them until it is deleted; a token is its collector's id.
class Server {
 public:
  std::atomic<bool> deleted{false};

  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] const testing::TestAuthority& authority() const { return authority_; }
  // Counts in the order in which they were stored, with the collector that brought them.
  [[nodiscard]] std::vector<std::pair<std::string, int>> stored() const {
    const std::lock_guard lock(mutex_);
    return stored_;
  }
  [[nodiscard]] bool has_of(const char* id) const {
    for (const auto& [collector, count] : stored()) {
      if (collector == id) return true;
    }
    return false;
  }

 private:
  ScriptedAnswer answer(const SeenRequest& request) {
    const auto authorization = request.headers.find("authorization");
    const bool is_new =
        contains(request.path, kNew) || (authorization != request.headers.end() && contains(authorization->second, kNew));
    if (!is_new && deleted) return {410, R"({"error":{"code":"deleted","message":"no such collector any more"}})"};
    if (contains(request.path, "/token"))
      return {200, R"({"token":")" + std::string(is_new ? kNew : kOld) + R"(","expires_at":"2099-01-01T00:00:00Z"})"};
    if (!contains(request.path, "/metrics/push")) return {304, ""};
    const std::string id = is_new ? kNew : kOld;
    if (!contains(request.body, id)) return {403, R"({"error":{"code":"other_collector","message":"another's batch"}})"};
    const std::lock_guard lock(mutex_);
    for (const int count : counts_of(request.body)) stored_.emplace_back(id, count);
    return {200, R"({"status":"success","ack":")" + request.headers.at("idempotency-key") + "\"}"};
  }

  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, int>> stored_;
  testing::TestAuthority authority_;
  testing::HttpsServer server_{{authority_.issue_server(), authority_.pem()},
                               [this](const SeenRequest& request) { return answer(request); }};
};

void put_identity(const std::string& state_dir, const Server& server, const char* id, const testing::KeyPair& pair) {
  const transport::IdentityFiles files(state_dir);
  must(files::make_directories(files.folder, 0700));
  must(files::write_atomically(files.key, pair.key_pem, 0600));
  must(files::write_atomically(files.certificate, pair.certificate_pem, 0644));
  must(files::write_atomically(files.ca, server.authority().pem(), 0644));
  must(transport::write_identity(files, {id, server.url(), files.key, files.certificate, files.ca, {}}, "db1"));
}

}  // namespace

TEST_CASE("a collector that was deleted and is registered anew goes on at SIGHUP, and what waited arrives") {
  Server server;
  const testing::TemporaryFolder folder;
  const std::string state_dir = folder / "state", log = folder / "log";
  write_text(folder / "c.toml", "[collector]\nname = \"db1\"\nstate_dir = \"" + state_dir +
                                    "\"\ncompression = \"none\"\nplugin_dirs = [\"" TEST_PLUGIN_DIR "\"]\n[backend]\nurl = \"" +
                                    server.url() + "\"\n[plugins.test_counter]\ninterval = \"100ms\"\n");
  put_identity(state_dir, server, kOld, server.authority().issue_client(kOld));
  RunningProgram program({"run", "--config", folder / "c.toml"}, log);
  REQUIRE(eventually([&] { return server.has_of(kOld); }));
  server.deleted = true;
  REQUIRE(eventually([&] { return contains(read_text(log), "without this collector: it was deleted there"); }));

  // Half of a registration: the old identity stays.
  testing::KeyPair pair = server.authority().issue_client(kNew);
  put_identity(state_dir, server, kNew, {server.authority().issue_client(kNew).key_pem, pair.certificate_pem});
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return contains(read_text(log), "the configuration stays as it was"); }));
  CHECK_FALSE(server.has_of(kNew));

  put_identity(state_dir, server, kNew, pair);
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return server.has_of(kNew); }));
  CHECK(contains(read_text(log), "making way for the new identity"));
  const auto newest = [&] {
    int count = 0;
    for (const auto& stored : server.stored()) count = std::max(count, stored.second);
    return count;
  };
  const int before = newest();
  REQUIRE(eventually([&] { return newest() >= before + 5; }));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  // Each count once, under whichever identity.
  std::vector<int> counts;
  for (const auto& stored : server.stored()) counts.push_back(stored.second);
  std::sort(counts.begin(), counts.end());
  for (std::size_t i = 0; i < counts.size(); ++i) CHECK(counts[i] == static_cast<int>(i) + 1);
}
