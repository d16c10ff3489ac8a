#include "core/terminal/text_table.h"

#include "tests/support/catch.h"

using namespace pganalytics::terminal;

TEST_CASE("what would steer a terminal is shown as bytes, everything else as it is") {
  CHECK(printable("db1 \xC3\xA4 \xE2\x82\xAC") == "db1 \xC3\xA4 \xE2\x82\xAC");
  CHECK(printable("\x1b[2J\r\x7F") == "\\x1b[2J\\x0d\\x7f");
  CHECK(printable("a\nb\tc") == "a b c");
  CHECK(printable("\xC2\x9B"
                  "2J") == "\\xc2\\x9b2J");
  CHECK(printable("\xE2\x80\xAE"
                  "evil\xE2\x81\xA9") == "\\xe2\\x80\\xaeevil\\xe2\\x81\\xa9");
  CHECK(printable("\xE2\x80\xA6") == "\xE2\x80\xA6");
  CHECK(printable("\xE2") == "\xE2");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("columns are as wide as what is in them, however long") {
  TextTable table({{"NAME"}, {"ROWS", true}});
  table.row({std::string(50, 'n'), "7"});
  table.row({"short\nname", "1234567"});
  CHECK(table.text() == "NAME" + std::string(46 + 5, ' ') + "ROWS\n" + std::string(50, 'n') + "        7\n" + "short name" +
                            std::string(42, ' ') + "1234567\n");
}
