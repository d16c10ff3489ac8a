#include "core/log/log.h"

#include "tests/support/catch.h"

#include <rapidjson/document.h>
#include <rapidjson/encodings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>

using namespace pganalytics;
using Catch::EndsWith;

namespace {

// What is written to stderr meanwhile.
std::string logged(const std::function<void()>& work) {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  work();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::array<char, 8192> bytes{};
  const ssize_t size = ::pread(::fileno(file), bytes.data(), bytes.size(), 0);
  std::fclose(file);
  return std::string(bytes.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
}

// Without the time, which is of one form: 2026-02-03T04:05:06.789Z.
std::string behind_time(const std::string& line) {
  constexpr std::size_t kTime = 24;
  REQUIRE(line.size() > kTime);
  CHECK(line.at(kTime - 1) == 'Z');
  return line.substr(kTime);
}

// The object that is all of the line.
rapidjson::Document object_of(const std::string& line) {
  CAPTURE(line);
  REQUIRE_THAT(line, EndsWith("\n"));
  CHECK(std::count_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }) == 1);
  rapidjson::Document object;
  object.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
  REQUIRE_FALSE(object.HasParseError());
  REQUIRE(object.IsObject());
  return object;
}

std::string text(const rapidjson::Document& object, const char* name) {
  REQUIRE(object.HasMember(name));
  REQUIRE(object[name].IsString());
  return {object[name].GetString(), object[name].GetStringLength()};
}

struct JsonLines {
  JsonLines() { log::set_format(log::Format::kJson); }
  ~JsonLines() { log::set_format(log::Format::kText); }
};

const Error kRefused{PGA_E_FAIL, "net", "refused", "Start it.\nThen wait.", 0};

}  // namespace

TEST_CASE("a line of text has a level, the message and its fields") {
  CHECK(behind_time(logged([] { log::warn("the disk is slow"); })) == " WARN  the disk is slow\n");
  CHECK(behind_time(logged([] { log::write(log::Level::kError, "push", kRefused); })) ==
        " ERROR push: refused\n    HINT: Start it.\n    Then wait.\n");
  CHECK(behind_time(logged([] {
          log::write(log::Level::kInfo, "request", {{"route", "/a"}, {"ms", std::int64_t{-12}}});
        })) == " INFO  request route=/a ms=-12\n");
}

TEST_CASE("what is above the level is not written") {
  CHECK(logged([] { log::debug("detail"); }).empty());
  log::set_level(log::Level::kDebug);
  CHECK(behind_time(logged([] { log::debug("detail"); })) == " DEBUG detail\n");
  log::set_level(log::Level::kInfo);
}

TEST_CASE("hostile bytes make no second line, no second field and no terminal command") {
  CHECK(behind_time(logged([] { log::info("a\r\x1b[2Jb\x7f\tc\nd"); })) == " INFO  a\\x0d\\x1b[2Jb\\x7f c\n    d\n");
  const auto field = [](std::string_view value) {
    return behind_time(logged([&] { log::write(log::Level::kInfo, "m", {{"f", value}, {"g", std::int64_t{1}}}); }));
  };
  CHECK(field("x g=2") == " INFO  m f=\"x g=2\" g=1\n");
  CHECK(field("g=2") == " INFO  m f=\"g=2\" g=1\n");
  CHECK(field("\"\\\n2026-") == " INFO  m f=\"\\\"\\\\\\x0a2026-\" g=1\n");
  CHECK(field("") == " INFO  m f=\"\" g=1\n");
}

TEST_CASE("a line of JSON is one object with the same in it") {
  const JsonLines json;
  const auto plain = object_of(logged([] { log::warn("the disk is slow"); }));
  CHECK(plain.MemberCount() == 3);
  CHECK(text(plain, "level") == "WARN");
  CHECK(text(plain, "message") == "the disk is slow");
  CHECK(text(plain, "time").size() == 24);
  const auto hinted = object_of(logged([] { log::write(log::Level::kError, "push", kRefused); }));
  CHECK(text(hinted, "message") == "push: refused");
  CHECK(text(hinted, "hint") == "Start it.\nThen wait.");
  const auto with_fields = object_of(logged([] {
    log::write(log::Level::kInfo, "request", {{"route", "/a b"}, {"bytes", std::int64_t{1} << 62}});
  }));
  CHECK(text(with_fields, "route") == "/a b");
  REQUIRE(with_fields["bytes"].IsInt64());
  CHECK(with_fields["bytes"].GetInt64() == std::int64_t{1} << 62);
}

TEST_CASE("hostile bytes stay inside their string of one line of valid JSON") {
  const JsonLines json;
  const std::string hostile = std::string("\"},{\"level\":\"x\n\r\0\x1b", 18) + "\xff\xc0\xaf\xed\xa0\x80\\\xf0\x9f\x98\x80\x7f";
  const auto object = object_of(logged([&] { log::write(log::Level::kWarn, hostile, {{"field", hostile}}); }));
  CHECK(object.MemberCount() == 4);
  CHECK(text(object, "level") == "WARN");
  CHECK(text(object, "message") == text(object, "field"));
  CHECK(text(object, "field").substr(0, 18) == hostile.substr(0, 18));
  CHECK(text(object, "field").find("\\\xf0\x9f\x98\x80\x7f") != std::string::npos);
}

TEST_CASE("levels and formats have names") {
  CHECK(log::parse_level("debug").value() == log::Level::kDebug);
  CHECK(!log::parse_level("loud"));
  CHECK(log::parse_format("json").value() == log::Format::kJson);
  CHECK(log::parse_format("text").value() == log::Format::kText);
  CHECK(!log::parse_format("xml"));
}
