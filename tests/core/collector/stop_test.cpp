// SIGTERM while something hangs: the collector ends with 0 within 15 s all the same. The disk is spoiled by the delivery faults'
// library (tests/fault/delivery/shim/fault_files.c).
#include "tests/core/collector/program.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <optional>
#include <utility>
#include <vector>

using namespace pganalytics;
using namespace pganalytics::collector_test;
using Catch::Contains;
using testing::eventually;
using testing::ScriptedBackend;
using testing::SeenRequest;

namespace {

// A collector with a server and a disk that can be made to hang, each for longer than anybody waits.
class Hanging {
 public:
  // hanging_files: a part of the paths in the state folder that the disk hangs at; "": all of them.
  explicit Hanging(const std::string& hanging_files) {
    server_.on_push = [this](const SeenRequest& request) {
      if (!server_hangs_) return ++pushes_, ScriptedBackend::acknowledge(request);
      has_hung_ = true;
      is_over_.wait();
      return ScriptedBackend::acknowledge(request);
    };
    server_.start();
    const std::string state_dir = server_.folder().path();
    write_text(folder_ / "c.toml", "[collector]\nname = \"db1\"\nstate_dir = \"" + state_dir +
                                       "\"\nplugin_dirs = [\"" TEST_PLUGIN_DIR "\"]\n[backend]\nurl = \"" +
                                       server_.server().url() + "\"\n[plugins.test_counter]\ninterval = \"100ms\"\n");
    spoil("LD_PRELOAD", FAULT_FILES_PATH);
    spoil("FAULT_BELOW", state_dir);
    if (!hanging_files.empty()) spoil("FAULT_FILE", hanging_files);
    spoil("FAULT_PLAN", "any:1+:slow600000");
    spoil("FAULT_SWITCH", folder_ / "hangs");
    spoil("FAULT_COUNTS", folder_ / "counts");
    const char* const sanitizer = std::getenv("ASAN_OPTIONS");  // its library would rather be first
    spoil("ASAN_OPTIONS", (sanitizer == nullptr ? "" : std::string(sanitizer) + ":") + "verify_asan_link_order=0");
    program_.emplace(std::vector<std::string>{"run", "--config", folder_ / "c.toml"}, log_path());
    for (const auto& [name, before] : spoilt_) {
      before ? ::setenv(name.c_str(), before->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }
  Hanging(const Hanging&) = delete;
  Hanging& operator=(const Hanging&) = delete;
  ~Hanging() { over_.set_value(); }

  [[nodiscard]] bool pushes() const {
    return eventually([this] { return pushes_ > 0; });
  }
  bool hang_server() {
    server_hangs_ = true;
    return eventually([this] { return has_hung_.load(); });
  }
  [[nodiscard]] bool hang_disk() const {
    write_text(folder_ / "hangs", "");
    return eventually([this] { return hanging_calls() > 0; });
  }
  // Its exit status; -1 if it took longer than whoever stops it waits.
  int stop() {
    const auto begin = std::chrono::steady_clock::now();
    program_->signal(SIGTERM);
    const int code = program_->wait();
    return std::chrono::steady_clock::now() - begin < std::chrono::seconds(15) ? code : -1;
  }
  [[nodiscard]] std::string log() const { return read_text(log_path()); }

 private:
  [[nodiscard]] std::string log_path() const { return folder_ / "log"; }
  void spoil(const std::string& name, const std::string& value) {
    const char* const before = std::getenv(name.c_str());
    spoilt_.emplace_back(name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  [[nodiscard]] std::uint64_t hanging_calls() const {
    std::array<std::uint64_t, 11> counts{};
    std::ifstream(folder_ / "counts", std::ios::binary).read(reinterpret_cast<char*>(counts.data()), sizeof counts);
    return counts[9];
  }

  const testing::TemporaryFolder folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> spoilt_;
  std::atomic<int> pushes_{0};
  std::atomic<bool> server_hangs_{false}, has_hung_{false};
  std::promise<void> over_;
  std::shared_future<void> is_over_ = over_.get_future().share();
  ScriptedBackend server_;
  std::optional<RunningProgram> program_;
};

}  // namespace

TEST_CASE("SIGTERM ends a collector whose disk hangs with 0 within 15 s") {
  Hanging t("spool.");
  REQUIRE(t.pushes());
  REQUIRE(t.hang_disk());
  CHECK(t.stop() == 0);
}

TEST_CASE("SIGTERM ends a collector whose server and disk hang with 0 within 15 s") {
  Hanging t("spool.");
  REQUIRE(t.pushes());
  REQUIRE(t.hang_server());
  REQUIRE(t.hang_disk());
  CHECK(t.stop() == 0);
}

TEST_CASE("SIGTERM ends a collector that hangs wherever with 0 within 15 s") {
  Hanging t("");
  REQUIRE(t.pushes());
  REQUIRE(t.hang_disk());
  CHECK(t.stop() == 0);
  CHECK_THAT(t.log(), Contains("what hangs is left behind"));
}
