#include "plugins/sysstat/postgres_title.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <vector>

namespace pganalytics::sysstat {
namespace {

constexpr std::string_view kPrefix = "postgres: ";
constexpr std::string_view kColon = ": ";

// How the title begins, and the type. Those that name nobody first; words may follow ("startup recovering 0000...").
struct Beginning {
  std::string_view text;
  const char* type;
};
constexpr Beginning kBeginnings[] = {
    {"archiver", "archiver"},
    {"autovacuum launcher", "autovacuum launcher"},
    {"autovacuum worker", "autovacuum worker"},
    {"background writer", "background writer"},
    {"checkpointer", "checkpointer"},
    {"io worker", "io worker"},
    {"logger", "logger"},
    {"logical replication launcher", "logical replication launcher"},
    {"logical replication", "logical replication worker"},  // apply, parallel apply, tablesync
    {"parallel worker", "parallel worker"},
    {"slotsync worker", "slotsync worker"},
    {"startup", "startup"},
    {"stats collector", "stats collector"},  // until PostgreSQL 14
    {"walreceiver", "walreceiver"},
    {"walsender", "walsender"},
    {"walsummarizer", "walsummarizer"},
    {"walwriter", "walwriter"},
};

bool begins_with_words(std::string_view title, std::string_view words) {
  return title.substr(0, words.size()) == words && (title.size() == words.size() || title[words.size()] == ' ');
}

const char* type_named_by(std::string_view title) {
  for (const Beginning& beginning : kBeginnings) {
    if (begins_with_words(title, beginning.text)) return beginning.type;
  }
  return nullptr;
}

// "[local]" or "10.0.0.7(53122)": only a session that somebody opened has where it comes from in its title.
bool is_origin(std::string_view word) {
  if (word == "[local]") return true;
  const std::size_t open = word.rfind('(');
  if (open == std::string_view::npos || open == 0 || word.back() != ')') return false;
  const std::string_view port = word.substr(open + 1, word.size() - open - 2);
  return to_number<std::uint16_t>(port).has_value();
}

bool has_origin(std::string_view title) {
  for (std::string_view word = next_word(title); !word.empty(); word = next_word(title)) {
    if (is_origin(word)) return true;
  }
  return false;
}

std::vector<std::string_view> arguments_of(std::string_view cmdline) {
  std::vector<std::string_view> arguments;
  while (!cmdline.empty()) {
    const std::size_t end = std::min(cmdline.find('\0'), cmdline.size());
    arguments.push_back(cmdline.substr(0, end));
    cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  }
  return arguments;
}

// The value of an option in any of getopt's forms: -D X, -DX, --pgdata X, --pgdata=X. The last one counts.
std::string value_of(const std::vector<std::string_view>& arguments, std::string_view letter, std::string_view word) {
  std::string_view value;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == letter || argument == word) {
      if (i + 1 < arguments.size()) value = arguments[++i];
    } else if (argument.size() > word.size() && argument.substr(0, word.size()) == word && argument[word.size()] == '=') {
      value = argument.substr(word.size() + 1);
    } else if (argument.substr(0, letter.size()) == letter) {
      value = argument.substr(letter.size());
    }
  }
  return std::string(value);
}

}  // namespace

const char* backend_type_of(std::string_view cmdline) {
  if (cmdline.substr(0, kPrefix.size()) != kPrefix) return "starting";
  std::string_view title = cmdline.substr(kPrefix.size());
  title = title.substr(0, title.find('\0'));  // what was longer before may show behind it
  const std::size_t last = title.find_last_not_of(' ');
  title = title.substr(0, last == std::string_view::npos ? 0 : last + 1);
  // cluster_name stands in front, with a colon, and may have colons of its own: what follows any of them may be the beginning.
  bool is_session = false;
  for (std::string_view rest = title;; rest.remove_prefix(kColon.size())) {
    if (begins_with_words(rest, "walsender")) return "walsender";
    is_session = is_session || has_origin(rest);
    const char* const type = is_session ? nullptr : type_named_by(rest);
    if (type != nullptr) return type;
    rest.remove_prefix(std::min(rest.find(kColon), rest.size()));
    if (rest.empty()) return is_session ? "client backend" : "background worker";
  }
}

PostmasterArguments postmaster_arguments(std::string_view cmdline) {
  const auto arguments = arguments_of(cmdline);
  return {value_of(arguments, "-D", "--pgdata"), value_of(arguments, "-p", "--port")};
}

}  // namespace pganalytics::sysstat
