// config get, config put: what a collector pulls, checked by the same rules as over HTTP.
#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/server/api/config_document.h"
#include "core/server/api/config_status.h"
#include "core/server/api/known_plugins.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"

#include <iostream>
#include <iterator>

namespace pganalytics::server::program {
namespace {

constexpr std::size_t kDocumentBytesMax = 64 * 1024;  // as over HTTP

Expected<std::string> get(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  store::Store& store = *place.database.store;
  PGA_TRY(const std::string id, store.find_collector(arguments.words[0]));
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

// The answer is JSON with or without --json: it is what `config put` takes back.
int print(const Expected<std::string>& document) {
  if (!document) return report(document.error());
  std::cout << *document << "\n";
  return kExitOk;
}

}  // namespace

std::vector<Command> config_commands() {
  return {{"config get",
           "ID",
           1,
           "the configuration that collector ID pulls, and what it made of it",
           {},
           [](const Arguments& a) { return print(get(a)); }},
          {"config put", "ID FILE|-", 2, "give collector ID a configuration (JSON)", {}, [](const Arguments& a) {
             return print(put(a));
           }}};
}

}  // namespace pganalytics::server::program
