// Interfaces and TCP: right columns, what is left out, what a broken text does.
#include "plugins/sysstat/network.h"

#include <string>

#include "plugins/sysstat/tcp.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;
using testing::recorded_text;

TEST_CASE("interfaces have bytes, packets, errors and drops of both ways; an idle one is left out") {
  Gaps gaps;
  const auto interfaces = parse_interfaces(recorded_text("database_host/proc/net/dev"), gaps);
  CHECK(gaps.empty());
  REQUIRE(interfaces.size() == 2);
  CHECK(interfaces[0].name == "lo");
  JsonWriter writer;
  to_json(writer, interfaces[1]);
  CHECK(writer.text() ==
        R"({"name":"eno1","received_bytes":1757790386,"received_packets":3960200,"receive_errors":7,"receive_drops":11,)"
        R"("sent_bytes":9186936511,"sent_packets":5225000,"send_errors":3,"send_drops":5})");
}

TEST_CASE("the first number may stand right behind the name, and a name may hold a colon") {
  Gaps gaps;
  const auto interfaces =
      parse_interfaces("eth0:12 1 0 0 0 0 0 0 34 2 0 0 0 0 0 0\n br:1: 5 1 0 0 0 0 0 0 6 2 0 0 0 0 0 0\n", gaps);
  REQUIRE(interfaces.size() == 2);
  CHECK(interfaces[0].received_bytes == 12);
  CHECK(interfaces[0].sent_bytes == 34);
  CHECK(interfaces[1].name == "br:1");
  CHECK(gaps.empty());
}

TEST_CASE("lines that are no interface are skipped and told, once") {
  Gaps gaps;
  const auto interfaces = parse_interfaces(
      "eth0: 1 2 3\n: 1 1 1 1 1 1 1 1 1 1 1 1\na b: 1 1 1 1 1 1 1 1 1 1 1 1\nx\n"
      "eth1: 1 1 -1 1 1 1 1 1 1 1 1 1\neth2: 1 1 1 1 1 1 1 1 1 1 1 1\n",
      gaps);
  REQUIRE(interfaces.size() == 1);
  CHECK(interfaces[0].name == "eth2");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].message.find("5 lines") != std::string::npos);
}

TEST_CASE("a host of thousands of interfaces does not make a document of thousands of rows") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "veth" + std::to_string(i) + ": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
  Gaps gaps;
  CHECK(parse_interfaces(text, gaps).size() == kInterfacesMax);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].message.find(std::to_string(5000 - kInterfacesMax)) != std::string::npos);
}

TEST_CASE("tcp is read by the names of the columns") {
  Gaps gaps;
  const Tcp tcp = parse_tcp(recorded_text("database_host/proc/net/snmp"), recorded_text("database_host/proc/net/netstat"), gaps);
  CHECK(gaps.empty());
  CHECK(tcp.connections == 84u);
  CHECK(tcp.opened_passively == 28574u);
  CHECK(tcp.segments_sent == 6665535u);
  CHECK(tcp.segments_retransmitted == 12628u);
  CHECK(tcp.listen_overflows == 41u);
  CHECK(tcp.listen_drops == 43u);
  CHECK(tcp.retransmit_timeouts == 377u);
}

TEST_CASE("tables of tcp that are cut short or not there are nulls with a reason") {
  Gaps gaps;
  const Tcp tcp = parse_tcp("Tcp: RetransSegs OutSegs\nTcp: 5\nTcp: OutSegs\nTcp: 9\n", "TcpExt: ListenOverflows\n", gaps);
  CHECK(tcp.segments_retransmitted == 5u);
  CHECK_FALSE(tcp.segments_sent);
  CHECK_FALSE(tcp.listen_overflows);
  REQUIRE(gaps.size() == 2);
  CHECK(gaps[0].message.find("OutSegs") != std::string::npos);
  CHECK(gaps[0].message.find("RetransSegs") == std::string::npos);
  CHECK(gaps[1].message.find("ListenOverflows") != std::string::npos);
}
