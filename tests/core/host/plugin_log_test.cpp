#include "core/host/plugin_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "tests/support/catch.h"

using namespace pganalytics;
using host::PluginLog;

namespace {

class HandClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return now_ns; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now_ns; }
  std::int64_t now_ns = 1'000'000'000;
};

// What is written to stderr while this lives.
class StderrCapture {
 public:
  StderrCapture() : file_(std::tmpfile()), saved_(dup(STDERR_FILENO)) { dup2(fileno(file_), STDERR_FILENO); }
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;
  ~StderrCapture() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    std::fclose(file_);
  }
  [[nodiscard]] std::string text() const {
    std::string all(1 << 20, '\0');
    const ssize_t got = pread(fileno(file_), all.data(), all.size(), 0);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
  }

 private:
  std::FILE* file_;
  int saved_;
};

std::size_t count_in(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("lines carry the plugin's id, and printed pieces become lines") {
  HandClock clock;
  PluginLog log("acme", clock);
  const StderrCapture captured;
  log.line(log::Level::kError, "it broke");
  log.line(log::Level::kDebug, "nobody wants to know");
  log.output("printed in ");
  log.output("pieces\nand a rest");
  log.end_of_output();
  log.output("\n\n");
  const std::string text = captured.text();
  CHECK(text.find("ERROR plugin acme: it broke\n") != std::string::npos);
  CHECK(text.find("WARN  plugin acme: printed in pieces\n") != std::string::npos);
  CHECK(text.find("WARN  plugin acme: and a rest\n") != std::string::npos);
  CHECK(count_in(text, "\n") == 3);
}

TEST_CASE("a plugin that logs too fast loses lines, and they are counted") {
  HandClock clock;
  PluginLog log("acme", clock);
  const StderrCapture captured;
  for (int i = 0; i < 1000; ++i) log.line(log::Level::kInfo, "again");
  CHECK(count_in(captured.text(), "again") == 100);
  clock.now_ns += 1'000'000'000;
  for (int i = 0; i < 1000; ++i) log.line(log::Level::kInfo, "again");
  CHECK(count_in(captured.text(), "again") == 110);
  CHECK(captured.text().find("plugin acme: 900 lines were dropped") != std::string::npos);
}

TEST_CASE("a line without end is cut") {
  HandClock clock;
  PluginLog log("acme", clock);
  const StderrCapture captured;
  for (int i = 0; i < 100; ++i) log.output(std::string(10'000, 'x'));
  log.output("\n");
  CHECK(captured.text().size() < 5000);
  CHECK(captured.text().find("xxx...\n") != std::string::npos);
}

TEST_CASE("a flood of printed lines is counted, not written, and the next line after it is whole") {
  HandClock clock;
  PluginLog log("acme", clock);
  const StderrCapture captured;
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "again\n";
  log.output(flood);
  log.output(flood + "begun");
  CHECK(log.dropped() == 1900);
  CHECK(count_in(captured.text(), "again") == 100);
  clock.now_ns += 1'000'000'000;
  log.output(" and ended\n");
  CHECK(captured.text().find("plugin acme: begun and ended\n") != std::string::npos);
  log.drop(7);
  CHECK(log.dropped() == 1907);
}

TEST_CASE("what is no text in a plugin's line is escaped, what is stays") {
  HandClock clock;
  PluginLog log("acme", clock);
  const StderrCapture captured;
  log.line(log::Level::kInfo, "a\x1b[31mb\rc d\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98");
  log.line(log::Level::kInfo,
           "\xff\xc3(\xe2\x82.\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xc2\x9b"
           "0m");
  log.line(log::Level::kInfo, std::string(4095, 'z') + "\xc3\xa4");
  const std::string text = captured.text();
  CHECK(text.find("acme: a\\x1b[31mb\\x0dc d\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98\n") != std::string::npos);
  CHECK(text.find("acme: \\xff\\xc3(\\xe2\\x82.\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xc2\\x9b0m\n") !=
        std::string::npos);
  CHECK(text.find("zz...\n") != std::string::npos);
}
