// config get, put, history, rollback: what a collector pulls, checked by the same rules as over HTTP.
#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/server/api/config_document.h"
#include "core/server/api/config_history.h"
#include "core/server/api/config_status.h"
#include "core/server/api/known_plugins.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/terminal/text_table.h"

#include <iostream>
#include <iterator>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

constexpr std::size_t kDocumentBytesMax = 64 * 1024;  // as over HTTP

Expected<std::uint64_t> version_of(std::int64_t number) {
  if (number < 0) return Error{PGA_E_CONFIG, "version", "a version is a number of 0 or more", "0 is the built-in default.", 0};
  return static_cast<std::uint64_t>(number);
}

Expected<store::ConfigRow> older_config(store::Store& store, const std::string& id, std::int64_t number) {
  PGA_TRY(const std::uint64_t version, version_of(number));
  return api::config_of_version(store, id, version);
}

Expected<std::string> get(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  store::Store& store = *place.database.store;
  PGA_TRY(const std::string id, store.find_collector(arguments.words[0]));
  if (arguments.values.count("version") != 0) {
    PGA_TRY(const store::ConfigRow older, older_config(store, id, arguments.value<std::int64_t>("version")));
    return api::with_version(older.version, older.document);
  }
  PGA_TRY(const store::ConfigRow row, store.config(id));
  PGA_TRY(const auto status, store.config_status(id));
  return api::with_status(api::with_version(row.version, row.version == 0 ? api::default_config() : row.document), status);
}

Expected<std::string> read_document(const std::string& from) {
  if (from != "-") return files::read(from, kDocumentBytesMax);
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.size() > kDocumentBytesMax) return Error{PGA_E_LIMIT, "config", "standard input holds more than 64 KiB", "", 0};
  return text;
}

Expected<std::string> put(const Arguments& arguments) {
  PGA_TRY(const std::string text, read_document(arguments.words[1]));  // before the user changes: the file is the caller's
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  store::Store& store = *place.database.store;
  PGA_TRY(const std::string id, store.find_collector(arguments.words[0]));
  PGA_TRY(const api::ConfigDocument document, api::read_config(text, api::plugins_reported_by(store, id)));
  PGA_TRY(const std::uint64_t version,
          store.put_config(id, document.json, document.version, {"command line", "config.put", id, "", "{}"}));
  return api::with_version(version, document.json);
}

Expected<std::string> roll_back(const Arguments& arguments) {
  PGA_TRY(const std::uint64_t version, version_of(arguments.value<std::int64_t>("to")));
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  store::Store& store = *place.database.store;
  PGA_TRY(const std::string id, store.find_collector(arguments.words[0]));
  PGA_TRY(const store::ConfigRow row, api::restore_config(store, id, version, {"command line", "config.rollback", id, "", "{}"}));
  return api::with_version(row.version, row.document);
}

Expected<std::vector<store::ConfigVersion>> read_history(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(const std::string id, place.database.store->find_collector(arguments.words[0]));
  return place.database.store->config_history(id);
}

std::string changed_text(const store::ConfigVersion& version) {
  if (!version.changed) return version.version == 1 ? "the first" : "not known: the one before is not kept";
  std::string text;
  for (const std::string& key : *version.changed) text += (text.empty() ? "" : ", ") + key;
  return text.empty() ? "nothing" : text;
}

int config_history(const Arguments& arguments) {
  const auto versions = read_history(arguments);
  if (!versions) return report(versions.error());
  if (arguments.json) {
    std::cout << api::to_json(*versions) << "\n";
    return kExitOk;
  }
  terminal::TextTable table({{"VERSION", true}, {"AT"}, {"BY"}, {"BYTES", true}, {"AGAIN", true}, {"CHANGED"}});
  for (const store::ConfigVersion& version : *versions) {
    table.row({std::to_string(version.version), clock::format_rfc3339(version.unix_ns),
               version.actor.empty() ? "-" : version.actor, std::to_string(version.bytes),
               version.restores ? std::to_string(*version.restores) : "-", changed_text(version)});
  }
  std::cout << table.text();
  return kExitOk;
}

// The answer is JSON with or without --json: it is what `config put` takes back.
int print(const Expected<std::string>& document) {
  if (!document) return report(document.error());
  std::cout << *document << "\n";
  return kExitOk;
}

}  // namespace

std::vector<Command> config_commands() {
  po::options_description get_options("Options");
  get_options.add_options()("version", po::value<std::int64_t>()->value_name("N"),
                            "an older one that is still kept; 0: the built-in default");
  po::options_description rollback_options("Options");
  rollback_options.add_options()("to", po::value<std::int64_t>()->required()->value_name("N"),
                                 "the version whose document is given again; 0: the built-in default");
  const auto get_it = [](const Arguments& a) { return print(get(a)); };
  const auto put_it = [](const Arguments& a) { return print(put(a)); };
  const auto roll_it_back = [](const Arguments& a) { return print(roll_back(a)); };
  return {{"config get", "ID", 1, "the configuration that collector ID pulls, and what it made of it", get_options, get_it},
          {"config put", "ID FILE|-", 2, "give collector ID a configuration (JSON)", {}, put_it},
          {"config history", "ID", 1, "who gave collector ID which versions, the newest first", {}, config_history},
          {"config rollback", "ID", 1, "give collector ID an older configuration again, as a new version", rollback_options,
           roll_it_back}};
}

}  // namespace pganalytics::server::program
