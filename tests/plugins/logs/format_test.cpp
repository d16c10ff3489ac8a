#include "plugins/logs/entries/format.h"

#include "tests/support/catch.h"

#include <string>

namespace pganalytics::logs {
namespace {

const std::string kCsv =
    "2026-02-03 04:05:06.789 UTC,,,42,,65bdc0f2.2a,3,,2026-02-03 04:05:00 UTC,,0,LOG,00000,\"[7] LOG:  "
    "x\",,,,,,,,,\"\",\"b\",,0\n";
const std::string kJson = "{\"timestamp\":\"2026-02-03 04:05:06.789 UTC\",\"pid\":42}\n";
const std::string kStderr = "2026-02-03 04:05:06.789 UTC [42] LOG:  {\"timestamp\":1}\n";
const std::string kSyslog = "Feb  3 04:05:06 db1 postgres[42]: [1-1] LOG:  x\n";

Format recognise(const std::string& path, const std::string& head, const std::string& prefix = "%m [%p] ") {
  return recognise_format(path, head, LinePrefix::compile(prefix).value());
}

}  // namespace

TEST_CASE("a file's format shows in its name or in its first line that can be of one only") {
  CHECK(recognise("/l/postgresql.csv", "") == Format::kCsvlog);
  CHECK(recognise("/l/postgresql.csv.1", "") == Format::kCsvlog);
  CHECK(recognise("/l/postgresql.json-20260203", "") == Format::kJsonlog);
  CHECK(recognise("/l.csv/postgresql.log", kStderr) == Format::kStderr);
  CHECK(recognise("/l/postgresql.csvx", kStderr) == Format::kStderr);
  CHECK(recognise("/l/a", kCsv) == Format::kCsvlog);
  CHECK(recognise("/l/a", kJson) == Format::kJsonlog);
  CHECK(recognise("/l/a", kStderr) == Format::kStderr);
  CHECK(recognise("/l/a", kSyslog) == Format::kSyslog);
  CHECK(recognise("/l/a", "<134>1 2026-02-03T04:05:06.789Z db1 sshd 42 - - x\n") == Format::kSyslog);
  CHECK(recognise("/l/a", "the rest of a line\n\tand of a text\n" + kCsv) == Format::kCsvlog);
  CHECK(recognise("/l/a", "no format\n") == Format::kStderr);
  CHECK(recognise("/l/a", "") == Format::kStderr);
}

TEST_CASE("a prefix that looks like another format's beginning is the prefix all the same") {
  CHECK(recognise("/l/a", "2026-02-03 04:05:06.789 UTC,bob,shop,42,LOG:  x\n", "%m,%u,%d,%p,") == Format::kStderr);
  CHECK(recognise("/l/a", "{\"at\":\"2026-02-03 04:05:06.789 UTC\"} LOG:  x\n", "{\"at\":\"%m\"} ") == Format::kStderr);
}

}  // namespace pganalytics::logs
