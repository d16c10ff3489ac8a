#include "plugins/pg_stats/families.h"

#include <stdexcept>

#include "pg_stats_embedded.h"

namespace pganalytics::pg_stats {
namespace {

struct Text {
  const char* name;
  const char* sql;
};

constexpr Text kTexts[] = {
#define FAMILY(name) \
  { #name, embedded::name##_sql }
    FAMILY(server),
    FAMILY(database),
    FAMILY(database_size),
    FAMILY(wraparound),
    FAMILY(activity),
    FAMILY(transactions),
    FAMILY(horizon),
    FAMILY(locks),
    FAMILY(progress),
    FAMILY(replication),
    FAMILY(replication_slots),
    FAMILY(recovery),
    FAMILY(subscriptions),
    FAMILY(wal),
    FAMILY(archiver),
    FAMILY(checkpointer),
    FAMILY(io),
    FAMILY(slru),
    FAMILY(directories),
    FAMILY(settings),
    FAMILY(roles),
    FAMILY(statement_info),
    FAMILY(statements),
    FAMILY(statement_texts),
    FAMILY(tables),
    FAMILY(indexes),
    FAMILY(storage),
    FAMILY(index_storage),
    FAMILY(bloat),
    FAMILY(sequences),
    FAMILY(functions),
    FAMILY(extensions),
#undef FAMILY
};

std::vector<Family> parse_all() {
  std::vector<Family> all;
  for (const Text& text : kTexts) {
    auto family = parse_family(text.name, text.sql);
    if (!family) throw std::logic_error(family.error().message);  // families_test.cpp parses all of them
    all.push_back(std::move(family).value());
  }
  return all;
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = parse_all();
  return all;
}

}  // namespace pganalytics::pg_stats
