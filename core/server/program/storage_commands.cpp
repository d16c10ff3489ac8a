// storage: what each family of rows takes on the disk.
#include "core/server/api/family_size.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/terminal/text_table.h"

#include <array>
#include <cstdio>
#include <iostream>

namespace pganalytics::server::program {
namespace {

Expected<std::vector<store::FamilySize>> read_sizes(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  return place.database.store->family_sizes();
}

void print_json(const std::vector<store::FamilySize>& sizes) {
  JsonWriter json;
  json.begin_object().key("families").begin_array();
  for (const store::FamilySize& size : sizes) {
    json.begin_object().member("family", size.view).member("plugin", size.plugin);
    api::write_size(json, size);
    json.end_object();
  }
  std::cout << json.end_array().end_object().text() << "\n";
}

std::string mebibytes(std::int64_t bytes) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(bytes) / (1 << 20));
  return text.data();
}

void print_table(const std::vector<store::FamilySize>& sizes) {
  terminal::TextTable table({{"FAMILY"},
                             {"PLUGIN"},
                             {"SERIES", true},
                             {"POINTS MiB", true},
                             {"ROLL-UPS MiB", true},
                             {"EVENTS MiB", true},
                             {"ALL MiB", true}});
  for (const store::FamilySize& size : sizes) {
    table.row({size.view, size.plugin, std::to_string(size.series), mebibytes(size.point_bytes), mebibytes(size.rollup_bytes),
               mebibytes(size.event_bytes), mebibytes(size.bytes())});
  }
  std::cout << table.text();
}

int storage(const Arguments& arguments) {
  const auto sizes = read_sizes(arguments);
  if (!sizes) return report(sizes.error());
  if (arguments.json) {
    print_json(*sizes);
  } else {
    print_table(*sizes);
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> storage_commands() {
  return {{"storage", "", 0, "what each family of rows takes on the disk, what takes most first", {}, storage}};
}

}  // namespace pganalytics::server::program
