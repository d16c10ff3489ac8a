#include "plugins/pg_stats/packer.h"

#include <algorithm>

namespace pganalytics::pg_stats {

namespace {

void append_item(std::string& list, std::string_view item) {
  if (item.empty()) return;
  if (!list.empty()) list += ',';
  list += item;
}

std::string text_of(const Problem& problem) {
  JsonWriter json;
  to_json(json, problem);
  return std::string(json.text());
}

std::size_t bytes_of(const std::vector<std::string>& items) {
  std::size_t bytes = 0;
  for (const std::string& item : items) bytes += item.size() + 1;
  return bytes;
}

// How many items from the front fit.
std::size_t fitting(const std::vector<std::string>& items, std::size_t bytes_max) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < items.size() && bytes + items[count].size() + 1 <= bytes_max) bytes += items[count++].size() + 1;
  return count;
}

void write_list(JsonWriter& json, const std::string& name, const RelationList& list, std::size_t listed) {
  json.member(name + "_count", list.total).key(name + "_omitted");
  if (list.total) {
    json.value(*list.total - static_cast<std::int64_t>(listed));
  } else {
    json.value(nullptr);
  }
  json.key(name).begin_array();
  for (std::size_t i = 0; i < listed; ++i) json.json(list.items[i]);
  json.end_array();
}

}  // namespace

Packer::Packer(Run& run, const Server& server) : run_(run), server_(server) {}

std::string Packer::entry(const Database& database, const std::string& timestamp, const Relations& relations,
                          std::size_t bytes_max) const {
  const auto write = [&](std::size_t tables, std::size_t indexes) {
    JsonWriter json;
    json.begin_object().member("name", database.name).member("timestamp", timestamp).member("size_bytes", database.size_bytes);
    write_counters(json, server_, database);
    write_list(json, "tables", relations.tables, tables);
    write_list(json, "indexes", relations.indexes, indexes);
    json.end_object();
    return std::string(json.text());
  };
  const std::size_t bare = write(0, 0).size();
  const std::size_t room = bytes_max > bare ? bytes_max - bare : 0;
  // Two thirds for tables, whose objects are twice as long; more if the indexes leave some over.
  const std::size_t index_bytes = bytes_of(relations.indexes.items);
  const std::size_t table_room = std::max(room / 3 * 2, room > index_bytes ? room - index_bytes : 0);
  const std::size_t tables = fitting(relations.tables.items, table_room);
  std::size_t tables_bytes = 0;
  for (std::size_t i = 0; i < tables; ++i) tables_bytes += relations.tables.items[i].size() + 1;
  return write(tables, fitting(relations.indexes.items, room - tables_bytes));
}

std::size_t Packer::envelope_bytes() const {
  constexpr std::size_t kFixed = 160;  // type, timestamp, the names of the parts and their brackets
  return kFixed + server_.json.size();
}

Outcome Packer::add(const Database& database, const std::string& timestamp, const Relations& relations,
                    const Problems& problems) {
  std::string problem_texts;
  for (const Problem& problem : problems) append_item(problem_texts, text_of(problem));
  const std::size_t taken = envelope_bytes() + problem_texts.size();
  const std::size_t room = run_.max_document_bytes() > taken ? run_.max_document_bytes() - taken : 0;
  return append(entry(database, timestamp, relations, room), problem_texts);
}

Outcome Packer::add(const Problem& problem) { return append("", text_of(problem)); }

Outcome Packer::append(std::string_view entry, const std::string& problems) {
  const std::size_t after = envelope_bytes() + databases_.size() + problems_.size() + entry.size() + problems.size() + 2;
  if (after > run_.max_document_bytes() && !(databases_.empty() && problems_.empty())) PGA_CHECK(emit());
  append_item(databases_, entry);
  append_item(problems_, problems);
  return {};
}

Outcome Packer::emit() {
  JsonWriter json;
  json.begin_object().member("type", "pg_stats").member("timestamp", run_.timestamp()).key("server").json(server_.json);
  json.key("databases").json("[" + databases_ + "]").key("errors").json("[" + problems_ + "]").end_object();
  databases_.clear();
  problems_.clear();
  emitted_ = true;
  return run_.emit(json.text());
}

Outcome Packer::finish() {
  if (emitted_ && databases_.empty() && problems_.empty()) return {};
  return emit();
}

}  // namespace pganalytics::pg_stats
