#include "plugins/pg_stats/relations.h"

#include <algorithm>
#include <unordered_map>

#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/row_members.h"

namespace pganalytics::pg_stats {

namespace {

using postgres::Rows;

constexpr int kSizeAttempts = 3;      // a lock that comes between pg_locks and the size is seen by the next attempt
constexpr std::size_t kNamesMax = 3;  // that a message lists

// Columns for us, before the members.
enum CounterColumn { kId, kTotal, kSchema, kFirstCounter = kSchema };
enum SizeColumn { kSizeId, kIsLocked, kFirstSize };

struct Kind {
  const char* singular;
  const char* counters_sql;
  const char* sizes_sql;
  std::vector<const char*> size_members;  // what is null without a size
  int name_column;                        // in the counters
  std::size_t max;
};

// The sizes by relation, or none of them.
class Sizes {
 public:
  Sizes() = default;
  explicit Sizes(Rows rows) : rows_(std::move(rows)) {
    for (int row = 0; row < rows_->size(); ++row) row_of_.emplace(rows_->text(row, kSizeId), row);
  }

  enum class Found { kSize, kLocked, kNone };
  Found write(JsonWriter& json, std::string_view id, const Kind& kind) const {
    const auto found = row_of_.find(id);
    if (found == row_of_.end()) {
      for (const char* const member : kind.size_members) json.member(member, nullptr);
      return Found::kNone;
    }
    write_members(json, *rows_, found->second, kFirstSize);
    return rows_->boolean(found->second, kIsLocked).value_or(false) ? Found::kLocked : Found::kSize;
  }
  [[nodiscard]] bool known() const { return rows_.has_value(); }

 private:
  std::optional<Rows> rows_;
  std::unordered_map<std::string_view, int> row_of_;  // borrows the ids from rows_, whose text does not move
};

Sizes read_sizes(Session& session, const Kind& kind, const std::string& database, Problems& problems) {
  for (int attempt = 1;; ++attempt) {
    auto rows = session.query(kind.sizes_sql);
    if (rows) return Sizes(std::move(rows).value());
    if (rows.error().code == "55P03" && attempt < kSizeAttempts) continue;
    problems.push_back(problem_of(database, rows.error()));
    return {};
  }
}

// What a list lacks, told once with some names rather than once per relation.
struct Missing {
  std::size_t count = 0;
  std::string names;

  void add(const Rows& rows, int row, int name_column) {
    if (++count > kNamesMax) return;
    if (count > 1) names += ", ";
    names += std::string(rows.text(row, kSchema)) + "." + std::string(rows.text(row, name_column));
  }
  void tell(const char* singular, const char* code, const char* why, const std::string& database, Problems& problems) const {
    if (count == 0) return;
    problems.push_back({database, code,
                        "the size of " + std::to_string(count) + " x " + singular + " was not read: " + why + " (" + names +
                            (count > kNamesMax ? ", ...)" : ")"),
                        ""});
  }
};

Expected<RelationList> read_list(Session& session, const Kind& kind, const std::string& database, Problems& problems) {
  PGA_TRY(const Rows rows, session.query(kind.counters_sql));
  const Sizes sizes = kind.max > 0 && rows.size() > 0 ? read_sizes(session, kind, database, problems) : Sizes();
  RelationList list;
  list.total = rows.size() > 0 ? rows.int64(0, kTotal) : 0;
  Missing locked;
  Missing unknown;
  const int listed = std::min(rows.size(), static_cast<int>(kind.max));
  for (int row = 0; row < listed; ++row) {
    JsonWriter json;
    json.begin_object();
    write_members(json, rows, row, kFirstCounter);
    const Sizes::Found found = sizes.write(json, rows.text(row, kId), kind);
    json.end_object();
    list.items.emplace_back(json.text());
    if (found == Sizes::Found::kLocked) locked.add(rows, row, kind.name_column);
    if (found == Sizes::Found::kNone && sizes.known()) unknown.add(rows, row, kind.name_column);
  }
  locked.tell(kind.singular, "locked", "held or awaited by ACCESS EXCLUSIVE", database, problems);
  unknown.tell(kind.singular, "changed", "it came up between two statements", database, problems);
  return list;
}

}  // namespace

Expected<Relations> read_relations(Session& session, const std::string& database, const Settings& settings, Problems& problems) {
  const int version = session.server_version();
  const Kind tables{"table", pick(kTables, version), pick(kTableSizes, version), {"size_bytes", "indexes_size_bytes"},
                    3,       settings.tables_max};
  const Kind indexes{"index", pick(kIndexes, version), pick(kIndexSizes, version), {"size_bytes"}, 4, settings.indexes_max};
  Relations relations;
  PGA_TRY(relations.tables, read_list(session, tables, database, problems));
  PGA_TRY(relations.indexes, read_list(session, indexes, database, problems));
  return relations;
}

}  // namespace pganalytics::pg_stats
