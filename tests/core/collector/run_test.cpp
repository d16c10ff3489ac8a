// `run` as a process: what it collects, what signals do to it, what a kill leaves.
#include "core/schema/json_text.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <csignal>
#include <set>
#include <sstream>

using namespace pganalytics;
using namespace pganalytics::collector_test;
using boost::asio::ip::tcp;
using Catch::Contains;
using testing::eventually;

namespace {

class Folder {
 public:
  explicit Folder(const std::string& plugins) { configure(plugins); }
  void configure(const std::string& plugins) const {
    write_text(config(), "[collector]\nname = \"db1\"\nstate_dir = \"" + folder_ / "state" + "\"\noutput = \"" + output() +
                             "\"\nplugin_dirs = [\"" TEST_PLUGIN_DIR "\"]\n" + plugins);
  }
  [[nodiscard]] std::string config() const { return folder_ / "c.toml"; }
  [[nodiscard]] std::string output() const { return folder_ / "out.jsonl"; }
  [[nodiscard]] std::string log() const { return folder_ / "log"; }
  [[nodiscard]] std::vector<std::string> run() const { return {"run", "--config", config()}; }
  [[nodiscard]] Ended command(std::vector<std::string> words) const {
    words.insert(words.end(), {"--config", config()});
    return run_program(words);
  }
  // The counts that test_counter has written so far, in order.
  [[nodiscard]] std::vector<int> counts(const std::string& type = "test_counter") const {
    std::vector<int> counts;
    std::istringstream lines(read_text(output()));
    for (std::string line; std::getline(lines, line);) {
      const auto document = schema::parse_json(line);
      if (document && (*document)["type"] == type) counts.push_back((*document)["count"].GetInt());
    }
    return counts;
  }

 private:
  testing::TemporaryFolder folder_;
};

std::uint16_t port_in(const std::string& log) {
  return static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(" port ") + 6)));
}

// "" if nobody listens there.
std::string metrics_at(std::uint16_t port) {
  boost::asio::io_context context;
  tcp::socket socket(context);
  boost::system::error_code error;
  socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port), error);
  if (error) return "";
  boost::asio::write(socket, boost::asio::buffer(std::string("GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")), error);
  std::string text;
  boost::asio::read(socket, boost::asio::dynamic_buffer(text), error);
  return text;
}

constexpr const char* kFast = "[plugins.test_counter]\ninterval = \"100ms\"\n";

}  // namespace

TEST_CASE("run collects by the interval, and SIGTERM ends it with 0") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return folder.counts().size() >= 3; }));
  const auto begin = std::chrono::steady_clock::now();
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(15));  // the promise
  const auto counts = folder.counts();
  for (std::size_t i = 0; i < counts.size(); ++i) CHECK(counts[i] == static_cast<int>(i) + 1);
}

TEST_CASE("SIGTERM while the plugins are still looked at ends it with 0 too") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  const std::string id = std::to_string(program.pid());
  REQUIRE(eventually([&] { return !read_text("/proc/" + id + "/task/" + id + "/children").empty(); }));  // the first is described
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("while one runs a second is turned away, and the others look on") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return !folder.counts().empty(); }));
  const Ended second = folder.command({"run"});
  CHECK(second.exit_code == 75);
  CHECK_THAT(second.err, Contains(std::to_string(program.pid())) && Contains("HINT"));
  CHECK(folder.command({"once", "--commit"}).exit_code == 75);
  const Ended once = folder.command({"once"});
  CHECK(once.exit_code == 0);
  const auto document = schema::parse_json(once.out);
  REQUIRE(document);
  CHECK((*document)["count"].GetInt() > 1);  // with the state of the one that runs
  const Ended asked = folder.command({"status", "--json"});
  CHECK(asked.exit_code == 0);
  const auto status = schema::parse_json(asked.out);
  REQUIRE(status);
  CHECK((*status)["pid"].GetInt() == program.pid());
  CHECK((*status)["live"] == true);
  CHECK((*status)["report"]["plugins"][0]["plugin"] == "test_counter");
  CHECK((*status)["report"]["plugins"][0]["runs"].GetInt() >= 1);  // of this moment: no report was made yet
  program.signal(SIGINT);
  CHECK(program.wait() == 0);
}

TEST_CASE("SIGHUP takes a right file and leaves a wrong one alone") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return !folder.counts().empty(); }));
  folder.configure("[plugins.test_steady]\ninterval = \"100ms\"\nbanana = [\n");
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return read_text(folder.log()).find("stays as it was") != std::string::npos; }));
  CHECK_THAT(read_text(folder.log()), Contains(folder.config() + ":"));
  const std::size_t before = folder.counts().size();
  REQUIRE(eventually([&] { return folder.counts().size() > before; }));

  folder.configure("[plugins.test_steady]\ninterval = \"100ms\"\n");
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return !folder.counts("test_steady").empty(); }));
  const std::size_t last = folder.counts().size();
  const std::size_t steady = folder.counts("test_steady").size();
  REQUIRE(eventually([&] { return folder.counts("test_steady").size() > steady + 3; }));
  CHECK(folder.counts().size() <= last + 1);  // test_counter was stopped
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("a new interval reaches a running worker without a restart") {
  const Folder folder("[plugins.test_counter]\ninterval = \"100ms\"\n[plugins.test_steady]\ninterval = \"1h\"\n");
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return folder.counts().size() >= 2; }));
  folder.configure("[plugins.test_counter]\ninterval = \"100ms\"\n[plugins.test_steady]\ninterval = \"100ms\"\n");
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return folder.counts("test_steady").size() >= 2; }));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("SIGKILL at any moment costs no count: what was written may come again, never less") {
  const Folder folder(kFast);
  for (int round = 0; round < 5; ++round) {
    const std::size_t before = folder.counts().size();
    RunningProgram program(folder.run(), folder.log());
    REQUIRE(eventually([&] { return folder.counts().size() >= before + 2; }));
    program.signal(SIGKILL);
    CHECK(program.wait() == 128 + SIGKILL);
  }
  const auto counts = folder.counts();
  for (std::size_t i = 1; i < counts.size(); ++i) CHECK((counts[i] == counts[i - 1] + 1 || counts[i] == counts[i - 1]));
  CHECK(std::set<int>(counts.begin(), counts.end()).size() == static_cast<std::size_t>(counts.back()));
}

TEST_CASE("a plugin whose file is refused does not keep the others from running") {
  const Folder folder(std::string(kFast) + "[plugins.test_noteless]\n");
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return !folder.counts().empty(); }));
  CHECK_THAT(read_text(folder.log()), Contains("test_noteless"));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("a killed collector's socket is no collector, and the next one takes its place") {
  const Folder folder(kFast);
  {
    RunningProgram program(folder.run(), folder.log());
    REQUIRE(eventually([&] { return folder.command({"status"}).exit_code == 0; }));
    program.signal(SIGKILL);
    CHECK(program.wait() == 128 + SIGKILL);
  }
  const Ended after = folder.command({"status"});
  CHECK(after.exit_code == 3);
  CHECK_THAT(after.out, Contains("not running"));
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return folder.command({"status"}).exit_code == 0; }));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("a plugin whose file is refused is in the status and in a report at once") {
  const Folder folder(std::string(kFast) + "[plugins.test_noteless]\n");
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return read_text(folder.output()).find("\"state\":\"refused\"") != std::string::npos; }));
  const Ended status = folder.command({"status"});
  CHECK(status.exit_code == 1);
  CHECK_THAT(status.out, Contains("test_noteless  refused") && Contains("last error: "));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("release asks the running collector, which knows its plugins") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return folder.command({"status"}).exit_code == 0; }));
  const Ended fine = folder.command({"plugin", "release", "test_counter"});
  CHECK(fine.exit_code == 1);
  CHECK_THAT(fine.err, Contains("test_counter") && Contains("not quarantined"));
  const Ended unknown = folder.command({"plugin", "release", "test_steady"});  // installed, not enabled
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, Contains("no enabled plugin"));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}

TEST_CASE("SIGHUP moves the control socket, and one that cannot be had leaves everything as it was") {
  const Folder folder(kFast);
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return folder.command({"status"}).exit_code == 0; }));
  const std::string before = read_text(folder.config());
  const auto with_socket = [&](const std::string& path) {
    std::string text = before;
    text.insert(text.find("output ="), "control_socket = \"" + path + "\"\n");
    write_text(folder.config(), text);
  };
  const std::string file = folder.config() + ".file", moved = folder.config() + ".sock";
  write_text(file, "keep me");
  with_socket(file);
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return read_text(folder.log()).find("stays as it was") != std::string::npos; }));
  CHECK_THAT(read_text(folder.log()), Contains("taken by something else"));
  write_text(folder.config(), before);
  CHECK(folder.command({"status"}).exit_code == 0);

  with_socket(moved);
  program.signal(SIGHUP);
  REQUIRE(eventually([&] { return folder.command({"status"}).exit_code == 0; }));
  write_text(folder.config(), before);
  CHECK(folder.command({"status"}).exit_code == 1);  // it runs, and is not where this file says
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  CHECK(read_text(file) == "keep me");
}

TEST_CASE("Prometheus may scrape what runs emit, and SIGHUP changes where") {
  const std::string scraped = "[prometheus]\nlisten = \"127.0.0.1:0\"\n";
  const Folder folder(kFast + scraped);
  RunningProgram program(folder.run(), folder.log());
  const auto told = [&](const std::string& words) { return read_text(folder.log()).find(words) != std::string::npos; };
  REQUIRE(eventually([&] { return told("Prometheus may scrape /metrics on 127.0.0.1 port "); }));
  const std::uint16_t port = port_in(read_text(folder.log()));
  REQUIRE(eventually([&] { return metrics_at(port).find("test_counter_count") != std::string::npos; }));
  CHECK_THAT(metrics_at(port), Contains("{collector=\"db1\",source=\"test_counter\"}"));

  folder.configure(kFast + scraped + "exclude = [\"test_counter\"]\n");
  program.signal(SIGHUP);
  CHECK(eventually([&] { return metrics_at(port).find("test_counter_count") == std::string::npos; }));  // the port is the same
  CHECK_THAT(metrics_at(port), Contains("pganalytics_export_rows"));

  folder.configure(kFast);
  program.signal(SIGHUP);
  CHECK(eventually([&] { return metrics_at(port).empty(); }));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  CHECK_FALSE(folder.counts().empty());  // the output had it all
}

TEST_CASE("a port that is taken keeps nobody from collecting; an address beyond this host is warned of") {
  boost::asio::io_context context;
  tcp::acceptor taken(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  REQUIRE(::fcntl(taken.native_handle(), F_SETFD, FD_CLOEXEC) == 0);  // the program would hold it too
  const std::string port = std::to_string(taken.local_endpoint().port());
  const Folder folder(kFast + std::string("[prometheus]\nlisten = \"127.0.0.1:") + port + "\"\n");
  RunningProgram program(folder.run(), folder.log());
  REQUIRE(eventually([&] { return !folder.counts().empty(); }));
  CHECK_THAT(read_text(folder.log()), Contains("Prometheus cannot scrape this collector") &&
                                          Contains("HINT: Check the configuration's address to listen on"));
  taken.close();
  folder.configure(kFast + std::string("[prometheus]\nlisten = \"0.0.0.0:") + port + "\"\n");
  program.signal(SIGHUP);
  CHECK(eventually([&] { return read_text(folder.log()).find("without a password") != std::string::npos; }));
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
}
