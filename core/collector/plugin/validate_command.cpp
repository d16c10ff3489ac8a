// pganalytics plugin validate FILE: is it a good plugin? The checks are core/validator's; here are the words of the command line,
// the configuration that a check may use, and where the report goes.
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/collector/plugin_facts.h"
#include "core/config/node_json.h"
#include "core/files/files.h"
#include "core/host/elf_note.h"
#include "core/schema/json_text.h"
#include "core/schema/units.h"
#include "core/validator/report.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <regex>

namespace pganalytics::collector {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPluginBytesMax = 256u << 20;

Error wrong(std::string message, std::string hint) {
  return Error{PGA_E_CONFIG, "validate.usage", std::move(message), std::move(hint), 0};
}

// A file that can be read; what is in it is for the checks to say.
Expected<std::string> real_file(const std::string& path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  if (failed) return wrong("cannot open " + path + ": " + failed.message(), "Name the plugin's .so file.");
  if (!fs::is_regular_file(real, failed)) return wrong(path + " is not a file", "Name the plugin's .so file.");
  if (access(real.c_str(), R_OK) != 0) return wrong("cannot read " + path + ": " + std::strerror(errno), "");
  return real.string();
}

Expected<std::regex> expression(const std::string& option, const std::string& text) {
  try {
    return std::regex(text, std::regex::ECMAScript | std::regex::icase);
  } catch (const std::regex_error&) {
    return wrong("--" + option + ": '" + text + "' is no regular expression", "For example --" + option + " 'E0.|W'.");
  }
}

Expected<std::vector<const validator::Check*>> select(const CommandLine& line) {
  PGA_TRY(const std::regex only, expression("only", line.has("only") ? line.text("only") : ".*"));
  PGA_TRY(const std::regex skip, expression("skip", line.has("skip") ? line.text("skip") : "-"));
  std::vector<const validator::Check*> selected;
  for (const validator::Check& check : validator::all_checks()) {
    const std::string id(check.id);
    if (std::regex_match(id, only) && !std::regex_match(id, skip)) selected.push_back(&check);
  }
  if (selected.empty()) return wrong("no check is left to perform", "`pganalytics plugin validate --list` shows their ids.");
  return selected;
}

void secret_names(const rapidjson::Value& value, std::vector<std::string>& names) {
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) secret_names(element, names);
  }
  if (!value.IsObject()) return;
  const auto secret = value.FindMember("$secret");
  if (secret != value.MemberEnd() && secret->value.IsString()) names.emplace_back(secret->value.GetString());
  for (const auto& member : value.GetObject()) secret_names(member.value, names);
}

// The table of this plugin in the file of --config, and the secrets it names.
Outcome take_config(const CommandLine& line, validator::Request& request) {
  if (!line.has("config")) return {};
  PGA_TRY(const config::CollectorConfig config, line.load_config(true));
  PGA_TRY(const std::string bytes, files::read(request.file, kPluginBytesMax));
  const auto facts = host::read_elf_facts(bytes);
  if (!facts) return {};  // a check will say so
  const auto table = config.plugins.find(facts.value().id);
  if (table == config.plugins.end()) {
    return wrong(line.text("config") + " has no table [plugins." + facts.value().id + "]",
                 "Add it, or leave --config away: then the schema's defaults and examples are used.");
  }
  JsonWriter json;
  config::write_json(table->second.keys, json);
  request.config_json = json.text();
  PGA_TRY(const rapidjson::Document document, schema::parse_json(request.config_json));
  std::vector<std::string> names;
  secret_names(document, names);
  for (const std::string& name : names) {
    PGA_TRY(const auto value, read_secret(config, name));
    if (value) request.secrets[name] = *value;
  }
  return {};
}

// Lines as the checks end, in the table's order; on a terminal also how far it is.
class ProgressLines {
 public:
  explicit ProgressLines(const std::vector<const validator::Check*>& checks)
      : results_(checks.size()), checks_(checks), terminal_(isatty(STDOUT_FILENO) != 0) {}

  void take(const validator::CheckResult& result) {
    const auto place = std::find(checks_.begin(), checks_.end(), result.check);
    results_[static_cast<std::size_t>(place - checks_.begin())] = result;
    ++ended_;
    if (terminal_) std::fputs("\r\033[K", stdout);
    for (; printed_ < results_.size() && results_[printed_].check != nullptr; ++printed_) {
      std::fputs(validator::result_text(results_[printed_]).c_str(), stdout);
    }
    if (terminal_ && ended_ < results_.size()) std::printf("%zu of %zu", ended_, results_.size());
    std::fflush(stdout);
  }

 private:
  std::vector<validator::CheckResult> results_;
  const std::vector<const validator::Check*>& checks_;
  const bool terminal_;
  std::size_t printed_ = 0, ended_ = 0;
};

int print_list(const CommandLine& line) {
  if (line.has("json")) {
    JsonWriter json;
    validator::write_list_json(json);
    print_json(json);
  } else {
    std::fputs((line.has("markdown") ? validator::list_markdown() : validator::list_text()).c_str(), stdout);
  }
  return kOk;
}

Expected<std::int64_t> timeout_of(const CommandLine& line) {
  if (!line.has("timeout")) return validator::ValidationOptions().timeout_ms;
  return schema::parse_duration_ms(line.text("timeout"));
}

Expected<int> validate(const CommandLine& line) {
  validator::Request request;
  request.worker_path = worker_path();
  PGA_TRY(request.file, real_file(line.text("file")));
  PGA_TRY(const auto checks, select(line));
  PGA_CHECK(take_config(line, request));
  validator::ValidationOptions options;
  options.checker_path = fs::path(request.worker_path).replace_filename("pganalytics-checker").string();
  PGA_TRY(options.timeout_ms, timeout_of(line));

  const bool junit_on_stdout = line.text("junit") == "-";
  const bool text = !line.has("json") && !junit_on_stdout;
  ProgressLines lines(checks);
  PGA_TRY(const validator::Validation validation,
          validator::validate(request, checks, options, [&](const validator::CheckResult& result) {
            if (text) lines.take(result);
          }));
  if (text) std::fputs(validator::summary_text(validation).c_str(), stdout);
  if (line.has("json")) {
    JsonWriter json;
    validator::write_json(validation, json);
    print_json(json);
  }
  if (junit_on_stdout) std::fputs(validator::junit_xml(validation).c_str(), stdout);
  if (line.has("junit") && !junit_on_stdout) {
    PGA_CHECK(files::write_atomically(line.text("junit"), validator::junit_xml(validation), 0644));
  }
  return validation.failed_errors() == 0 ? kOk : kFailed;
}

}  // namespace

int plugin_validate_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line(
      "plugin validate FILE [options]",
      "Is it a good plugin? Each check runs in a process of its own. Exit code 0: no E check failed (warnings, the W\n"
      "checks, do not count), 1: one did, 2: the checks could not be performed. --config names a file whose table for\n"
      "the plugin is used; without it a configuration is made of the schema's defaults and examples.");
  line.add()("file", po::value<std::string>()->value_name("FILE"), "the plugin's .so file; the word alone will do")  //
      ("json", "print JSON")                                                                                         //
      ("junit", po::value<std::string>()->value_name("FILE"), "also write JUnit's XML there; - is standard output")  //
      ("only", po::value<std::string>()->value_name("RE"), "only checks whose id matches, as in 'E0.|W05'")          //
      ("skip", po::value<std::string>()->value_name("RE"), "not those whose id matches")                             //
      ("timeout", po::value<std::string>()->value_name("DURATION"), "how long one check may take (default 45s)")     //
      ("list", "the checks instead: their ids and what they mean")                                                   //
      ("markdown", "with --list: as the index in docs/plugin/validator.md");
  line.positional("file", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (line.has("list")) return print_list(line);
  if (!line.has("file")) return line.usage_error("say which file: validate FILE");
  if (line.has("json") && line.text("junit") == "-") return line.usage_error("--json and --junit - both want standard output");
  const Expected<int> code = validate(line);
  if (code) return code.value();
  print_error(code.error());
  return kUsage;
}

}  // namespace pganalytics::collector
