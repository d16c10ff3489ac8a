// Output schemas of plugins, and the families that they make in the database.
#include "core/server/store/impl.h"

#include <algorithm>
#include <map>
#include <pganalytics/json.hpp>

namespace pganalytics::server::store {
namespace {

// Versions of one plugin, and families of all: whoever may push may add to them, so there is an end.
constexpr std::int64_t kSchemasOfPluginMax = 500;
constexpr std::int64_t kFamiliesMax = 5'000;

void describe(JsonWriter& json, const char* role, const std::vector<schema::FamilyText>& texts) {
  for (const schema::FamilyText& text : texts) {
    json.begin_object().member("role", role).member("name", text.name).member("kind", "").member("unit", "");
    json.member("description", text.description).end_object();
  }
}

constexpr const char* name_of(schema::FieldKind kind) {
  switch (kind) {
    case schema::FieldKind::kGauge: return "gauge";
    case schema::FieldKind::kCounter: return "counter";
    case schema::FieldKind::kUpdown: break;
  }
  return "updown";
}

// What pganalytics.add_family takes, of all of them.
std::string describe(const std::vector<schema::Family>& families) {
  JsonWriter json;
  json.begin_array();
  for (const schema::Family& family : families) {
    json.begin_object().member("name", family.name).member("description", family.description);
    json.member("is_events", family.is_events).key("members").begin_array();
    describe(json, "label", family.labels);
    if (!family.is_events) {
      for (const schema::FamilyField& field : family.fields) {
        json.begin_object().member("role", "field").member("name", field.name).member("kind", name_of(field.kind));
        json.member("unit", field.unit).member("description", field.description).end_object();
      }
      describe(json, "fact", family.facts);
    }
    json.end_array().end_object();
  }
  json.end_array();
  return std::string(json.text());
}

Error too_many(const std::string& what, std::int64_t most) {
  return Error{PGA_E_LIMIT, "store.schemas", "there are " + std::to_string(most) + " " + what + " already", "", 0};
}

Expected<std::int64_t> count(Transaction& transaction, const char* sql, const Parameters& parameters) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(sql, parameters));
  return rows.int64(0, 0).value_or(0);
}

Outcome add(Transaction& transaction, const SchemaText& schema, const std::vector<schema::Family>& families) {
  PGA_CHECK(transaction.ask(embedded::schemas_lock_sql, {}));
  PGA_TRY(const std::int64_t versions, count(transaction, embedded::schemas_count_sql, {schema.plugin}));
  if (versions >= kSchemasOfPluginMax) return too_many("schemas of " + schema.plugin, kSchemasOfPluginMax);
  PGA_TRY(const postgres::Rows added, transaction.ask(embedded::schema_add_sql, {schema.plugin, schema.sha256, schema.text}));
  if (added.size() == 0) return {};  // another server was faster
  PGA_CHECK(transaction.ask(embedded::families_add_sql, {schema.plugin, describe(families)}));
  PGA_TRY(const std::int64_t all, count(transaction, embedded::families_count_sql, {}));
  if (all > kFamiliesMax) return too_many("families", kFamiliesMax);
  return {};
}

// (family, is_events), (role, name) -> position
struct Places {
  std::map<std::pair<std::string, bool>, std::int32_t> ids;
  std::map<std::tuple<std::int32_t, std::string, std::string>, std::uint32_t> members;
};

Places places_in(const postgres::Rows& rows) {
  Places places;
  for (int row = 0; row < rows.size(); ++row) {
    const auto id = static_cast<std::int32_t>(rows.int64(row, 0).value_or(0));
    places.ids[{std::string(rows.text(row, 1)), rows.boolean(row, 2).value_or(false)}] = id;
    if (rows.is_null(row, 3)) continue;  // an event without labels
    const auto position = static_cast<std::uint32_t>(rows.int64(row, 4).value_or(1));
    places.members[{id, std::string(rows.text(row, 3)), std::string(rows.text(row, 5))}] = position - 1;
  }
  return places;
}

template <class Member>
Outcome locate(const Places& places, std::int32_t family, const char* role, const std::vector<Member>& members,
               std::vector<std::uint32_t>& found) {
  for (const Member& member : members) {
    const auto place = places.members.find({family, role, member.name});
    if (place == places.members.end()) {
      return Error{PGA_E_FAIL, "store.families", std::string(role) + " " + member.name + " of a family is not in the database",
                   "", 0};
    }
    found.push_back(place->second);
  }
  return {};
}

Expected<std::vector<StoredFamily>> locate(const Places& places, const std::vector<schema::Family>& families) {
  std::vector<StoredFamily> stored;
  for (const schema::Family& family : families) {
    const auto id = places.ids.find({family.name, family.is_events});
    if (id == places.ids.end()) {
      return Error{PGA_E_FAIL, "store.families", "family " + family.name + " is not in the database", "", 0};
    }
    StoredFamily one;
    one.id = id->second;
    one.is_events = family.is_events;
    PGA_CHECK(locate(places, one.id, "label", family.labels, one.labels));
    if (!family.is_events) {
      PGA_CHECK(locate(places, one.id, "field", family.fields, one.fields));
      PGA_CHECK(locate(places, one.id, "fact", family.facts, one.facts));
    }
    stored.push_back(std::move(one));
  }
  return stored;
}

}  // namespace

Expected<std::optional<SchemaText>> Store::find_schema(const std::string& plugin, const std::string& sha256) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::schema_find_sql, {plugin, sha256}));
  if (rows.size() == 0) return std::optional<SchemaText>();
  return std::optional<SchemaText>({plugin, std::string(rows.text(0, 0)), std::string(rows.text(0, 1))});
}

Outcome Store::add_schema(const SchemaText& schema, const std::vector<schema::Family>& families) {
  PGA_TRY(const auto known, find_schema(schema.plugin, schema.sha256));
  if (known) return {};
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  auto added = add(transaction, schema, families);
  if (!added) {
    Error error = std::move(added).error();
    if (error.code == "54011") error.status = PGA_E_LIMIT;  // raised by add_family: too many members
    return error;
  }
  return transaction.commit();
}

Expected<std::vector<StoredFamily>> Store::stored_families(const std::string& plugin,
                                                           const std::vector<schema::Family>& families) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::family_members_sql, {plugin}));
  return locate(places_in(rows), families);
}

}  // namespace pganalytics::server::store
