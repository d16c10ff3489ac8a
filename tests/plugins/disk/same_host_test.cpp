// Whether a server is on this host: only if the process it serves us with is one that we see.
#include "plugins/disk/same_host.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::disk;
namespace fs = std::filesystem;

namespace {

// A /proc whose process 4711 began 1,000 s after boot; now it is 1,030 s.
class Host {
 public:
  Host() {
    fs::create_directories(proc_ / "4711");
    process("postgres", 1000);
    title("postgres: 17/main: pganalytics app [local] SELECT");
  }
  void process(const std::string& command, long start_seconds) const {
    std::ofstream(proc_ / "4711/stat") << "4711 (" << command << ") S 901 901 901 0 -1 4194304 1 0 0 0 5 6 0 0 20 0 1 0 "
                                       << start_seconds * sysconf(_SC_CLK_TCK) << " 0 0\n";
  }
  void title(const std::string& text) const { std::ofstream(proc_ / "4711/cmdline") << text << '\0'; }
  void mounts(const std::string& process, const std::string& text) const {
    fs::create_directories(proc_ / process);
    std::ofstream(proc_ / (process + "/mountinfo")) << text;
  }
  void end() const { fs::remove_all(proc_ / "4711"); }
  [[nodiscard]] std::string says(const Backend& backend) const {
    const Outcome outcome = is_of_this_host(backend, proc_.path(), 1030);
    if (outcome) return "here";
    CHECK(outcome.error().code == "disk.elsewhere");
    CHECK(outcome.error().hint.find("directories") != std::string::npos);
    return outcome.error().message;
  }

 private:
  testing::TemporaryFolder proc_;
};

const Backend kOurs{4711, 30.2, "pganalytics", "app"};

}  // namespace

TEST_CASE("a server whose process we see is here") {
  const Host host;
  CHECK(host.says(kOurs) == "here");
  host.process("postmaster", 1000);  // as some packages call the program
  CHECK(host.says(kOurs) == "here");
}

TEST_CASE("one whose process is none, or another's, is elsewhere") {
  const Host host;
  using Catch::Contains;
  CHECK_THAT(host.says({4712, 30.2, "pganalytics", "app"}), Contains("process 4712") && Contains("no process of PostgreSQL"));
  CHECK_THAT(host.says({4711, 300, "pganalytics", "app"}), Contains("another age"));
  CHECK_THAT(host.says({4711, 27, "pganalytics", "app"}), Contains("another age"));
  CHECK_THAT(host.says({4711, 30.2, "pganalytics", "other"}), Contains("serves others"));
  CHECK_THAT(host.says({4711, 30.2, "analytics", "app"}), Contains("serves others"));
  host.process("nginx", 1000);
  CHECK_THAT(host.says(kOurs), Contains("no process of PostgreSQL"));
  host.process("postgres", -5);
  CHECK_THAT(host.says(kOurs), Contains("no process of PostgreSQL"));
  host.end();
  CHECK_THAT(host.says(kOurs), Contains("no process of PostgreSQL"));
}

TEST_CASE("one that sees another root than we do is elsewhere, though we see its process") {
  const Host host;
  const std::string ours = "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 27 0:5 / /proc rw - proc proc rw\n";
  host.mounts("self", ours);
  CHECK(host.says(kOurs) == "here");  // it does not say
  // A unit of systemd: other mounts, the same root.
  host.mounts("4711", "527 510 8:1 / / rw - ext4 /dev/sda1 rw\n528 527 0:77 / /tmp rw - tmpfs tmpfs rw\n");
  CHECK(host.says(kOurs) == "here");
  using Catch::Contains;
  host.mounts("4711", "527 510 0:91 / / rw - overlay overlay rw\n");
  CHECK_THAT(host.says(kOurs), Contains("another root file system"));
  host.mounts("4711", "527 510 8:1 /srv/jail / rw - ext4 /dev/sda1 rw\n");
  CHECK_THAT(host.says(kOurs), Contains("another root file system"));
  // What is mounted over the first root is what it sees.
  host.mounts("4711", ours + "600 27 0:91 / / rw - overlay overlay rw\n");
  CHECK_THAT(host.says(kOurs), Contains("another root file system"));
}
