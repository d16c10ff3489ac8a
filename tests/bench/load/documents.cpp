#include "tests/bench/load/documents.h"

#include <fstream>
#include <pganalytics/json.hpp>
#include <sstream>
#include <stdexcept>

#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "core/crypto/digest.h"
#include "tests/support/must.h"

namespace pganalytics::bench {
namespace {

constexpr std::uint64_t kSlowPluginsEach = 6, kFullEach = 60;

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) throw std::runtime_error("cannot read " + path);
  return text.str();
}

}  // namespace

Documents::Documents(const std::string& source) {
  JsonWriter named;
  named.begin_object();
  for (const std::string plugin : {"disk", "logs", "pg_stats", "sysstat"}) {
    const std::string schema = read(source + "/plugins/" + plugin + "/output.schema.json");
    const std::string digest = crypto::sha256_hex(schema);
    named.member(plugin, digest);
    const std::set<std::string> counters = counters_of(schema);
    const std::string folder = source + "/tests/bench/load/documents/";
    templates_.emplace(plugin, Template(read(folder + plugin + ".json"), counters));
    if (plugin == "pg_stats") templates_.emplace("pg_stats_full", Template(read(folder + "pg_stats_full.json"), counters));
    schemas_.emplace(digest, SchemaText{plugin, schema});
  }
  named_ = named.end_object().text();
}

std::string Documents::push(const std::string& collector_id, const std::string& epoch, std::uint64_t tick, unsigned phase) const {
  JsonWriter head;
  head.begin_object().member("collector_id", collector_id).member("hostname", "db").member("version", PGANALYTICS_VERSION);
  head.member("epoch", epoch).member("seq", tick + 1).key("schemas").json(named_).key("metrics").begin_array();
  std::string text(head.text());
  const std::int64_t now = clock::now_unix_ns();
  const auto add = [&](const std::string& name) {
    if (text.back() != '[') text += ',';
    templates_.at(name).append(text, now, tick);
  };
  const auto is_turn_of = [&](unsigned each) { return tick == 0 || (tick + phase) % each == 0; };
  add("sysstat");
  add(is_turn_of(kFullEach) ? "pg_stats_full" : "pg_stats");
  if (is_turn_of(kSlowPluginsEach)) {
    add("disk");
    add("logs");
  }
  return testing::must(compression::compress(compression::Encoding::kZstd, text + "]}"));
}

const SchemaText* Documents::schema(const std::string& sha256) const {
  const auto found = schemas_.find(sha256);
  return found == schemas_.end() ? nullptr : &found->second;
}

std::vector<std::string> Documents::digests() const {
  std::vector<std::string> digests;
  for (const auto& [digest, schema] : schemas_) digests.push_back(digest);
  return digests;
}

}  // namespace pganalytics::bench
