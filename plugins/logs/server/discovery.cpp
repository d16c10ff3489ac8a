#include "plugins/logs/server/discovery.h"

#include "plugins/logs/follow/fingerprint.h"
#include "plugins/logs/server/server_files.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pganalytics::logs {
namespace {

using std::chrono::milliseconds;

constexpr char kStateKey[] = "server";
constexpr std::chrono::nanoseconds kAskEvery = std::chrono::minutes(10);
constexpr std::chrono::nanoseconds kAskAfterFailure = std::chrono::seconds(30);
constexpr milliseconds kConnectTimeout{3000};
constexpr milliseconds kStatementTimeout{5000};
constexpr milliseconds kLockTimeout{100};
constexpr char kProductVersion[] = "product.version";

// What stands in quotes in the host's JSON of a fact.
std::string fact(const Host& host, const char* key, const std::string& otherwise) {
  const auto value = host.info_get(key);
  if (!value || !value.value() || value.value()->size() < 2 || value.value()->front() != '"') return otherwise;
  return value.value()->substr(1, value.value()->size() - 2);
}

void tell(Problems& problems, const Error& error) {
  problems.push_back({error.code, error.message + (error.hint.empty() ? "" : "\nHINT: " + error.hint)});
}

Error not_here(const std::string& why, const std::string& hint) { return Error{PGA_E_DENIED, "logs.discovery", why, hint, 0}; }

// Was the same text in the files that are read now and in those before, for a while or still?
bool are_written_in_parallel(const LogSettings& before, const LogSettings& now) {
  const auto old_location = locate_logs(before);
  const auto location = locate_logs(now);
  return old_location && location && old_location.value().folder == location.value().folder &&
         before.log_filename == now.log_filename &&
         (before.writes(location.value().format) || now.writes(old_location.value().format));
}

constexpr std::string_view kSourceNames[] = {"paths", "folder", "sql"};

bool begins(const std::string& text, std::string_view words) { return text.compare(0, words.size(), words) == 0; }

}  // namespace

void Discovery::configure(const Config& config) {
  if (config.conninfo != config_.conninfo) {
    settings_.reset();
    source_ = Source::kPaths;
    recalled_ = false;
  }
  config_ = config;
  ask_at_mono_ns_ = 0;
  if (config_.conninfo.empty()) session_.close();
}

bool Discovery::is_time_to_ask() const { return monotonic_now_ns() >= ask_at_mono_ns_; }

// A part of the run's time: a server that does not answer must not cost the files that are readable without it.
Expected<postgres::ReadOnlySession::Profile> Discovery::profile_of(const Run& run) const {
  postgres::ReadOnlySession::Profile profile;
  profile.conninfo = config_.conninfo;
  profile.application_name = "pganalytics/" + fact(host_, kProductVersion, "0");
  profile.asker = "logs";
  profile.connect_timeout = kConnectTimeout;
  profile.statement_timeout = kStatementTimeout;
  profile.lock_timeout = kLockTimeout;
  profile.deadline = postgres::deadline_in(run.remaining() * 2 / 3, run.cancel_fd());
  if (config_.password_secret) {
    PGA_TRY(const auto password, host_.secret_get(config_.password_secret->c_str()));
    if (!password) {
      return Error{PGA_E_CONFIG, "config.secret", "password: there is no secret '" + *config_.password_secret + "'",
                   "Add it to the collector's secrets, or remove password.", 0};
    }
    profile.password = *password;
  }
  return profile;
}

Expected<Discovery::Plan> Discovery::plan(Run& run) {
  if (config_.conninfo.empty()) return plan_of(Source::kPaths, {});
  if (!std::exchange(recalled_, true)) recall();
  PGA_TRY(auto profile, profile_of(run));
  session_.begin_run(std::move(profile));
  Problems problems;
  if (is_time_to_ask()) ask(problems);
  if (std::exchange(asked_, false)) PGA_CHECK(remember());
  return plan_of(source_, std::move(problems));
}

void Discovery::ask(Problems& problems) {
  auto settings = session_.settings();
  if (!settings) {
    ask_at_mono_ns_ = monotonic_now_ns() + kAskAfterFailure.count();
    return tell(problems, settings.error());
  }
  ask_at_mono_ns_ = monotonic_now_ns() + kAskEvery.count();
  const bool is_first = !settings_;
  if (settings_) written_in_parallel_ = are_written_in_parallel(*settings_, settings.value());
  settings_ = std::move(settings).value();
  const auto decided = decide(*settings_, problems);
  if (decided || is_first) source_ = decided.value_or(Source::kPaths);
  if (!decided) ask_at_mono_ns_ = monotonic_now_ns() + kAskAfterFailure.count();
  asked_ = true;
  if (source_ != Source::kSql) session_.close();
}

// nullopt: something failed that may not fail the next time; what was decided before holds.
std::optional<Discovery::Source> Discovery::decide(const LogSettings& settings, Problems& problems) {
  if (config_.source == LogSource::kPaths) return Source::kPaths;
  if (!settings.logging_collector && config_.source == LogSource::kAuto) return Source::kPaths;  // Debian's way, and syslog's
  const auto location = locate_logs(settings);
  if (!location) {
    tell(problems, location.error());
    return Source::kPaths;
  }
  Outcome here = not_here("source is sql", "");
  if (config_.source == LogSource::kAuto) {
    here = check_here(settings, location.value());
    if (here) return Source::kServerFolder;
  }
  const auto through_sql = check_sql(settings, location.value());
  if (through_sql || config_.source == LogSource::kSql) {
    if (!through_sql) tell(problems, through_sql.error());
    return Source::kSql;
  }
  tell(problems, here.error());
  tell(problems, through_sql.error());
  if (through_sql.error().status != PGA_E_DENIED) return std::nullopt;
  return Source::kPaths;
}

// The server's word alone opens no file here: only the operator's `paths` do.
Outcome Discovery::check_here(const LogSettings& settings, const LogLocation& location) {
  if (!is_named_by(config_.paths, location.folder)) {
    return not_here("the server's log files are in " + location.folder + ", which `paths` does not name",
                    "Add \"" + location.pattern + "\" to paths if that is on this host.");
  }
  Problems unseen;
  std::vector<ListedFile> files = local_files_.matching(location.pattern, unseen);
  if (files.empty()) {
    return not_here("there is no log file here that is " + location.pattern,
                    "If the server is on this host, let the collector's user list that folder.");
  }
  const auto youngest = std::max_element(
      files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) { return a.facts.mtime_ns < b.facts.mtime_ns; });
  if (auto opened = local_files_.open(youngest->path); !opened) {
    Error error = std::move(opened).error();
    error.hint = "Set log_file_mode = 0640 on the server and add the collector's user to the group of its files.";
    return error;
  }
  return settings.same_host ? Outcome() : check_same_files(location);
}

// Another host may have a server with the same folders and names: the files themselves must be those that the server lists.
Outcome Discovery::check_same_files(const LogLocation& location) {
  PGA_TRY(const auto listing, session_.list());
  Problems unseen;
  const std::vector<ListedFile> files = local_files_.in_folder(location.folder, unseen);
  const auto is_here = [&](const LogSession::Entry& entry) {
    return std::any_of(files.begin(), files.end(), [&](const ListedFile& file) {
      return file.path == location.folder + entry.name && file.facts.size >= entry.size &&
             file.facts.mtime_ns / 1'000'000'000 >= entry.modified_s;
    });
  };
  if (!listing.entries.empty() && std::all_of(listing.entries.begin(), listing.entries.end(), is_here)) return {};
  return not_here("the files in " + location.folder + " on this host are not those of the server", "");
}

Outcome Discovery::check_sql(const LogSettings& settings, const LogLocation& location) {
  ServerFiles files(session_, settings.system_identifier, location.folder);
  PGA_CHECK(files.list());
  Problems unseen;
  const auto matching = files.matching(location.pattern, unseen);
  if (matching.empty()) return {};  // none yet
  PGA_TRY(const auto file, files.open(matching.front().path));
  PGA_TRY(const auto head, read_bytes(*file, 0, 1));
  return {};
}

Discovery::Plan Discovery::plan_of(Source source, Problems problems) {
  Plan plan;
  plan.config = config_;
  plan.problems = std::move(problems);
  if (config_.source == LogSource::kSql && source != Source::kSql) plan.readable = false;
  if (!settings_) return plan;
  if (config_.line_prefix_auto && !settings_->log_line_prefix.empty()) {
    auto prefix = LinePrefix::compile(settings_->log_line_prefix);
    if (prefix) {
      plan.config.line_prefix = std::move(prefix).value();
    } else {
      tell(plan.problems, prefix.error());
    }
  }
  if (config_.syslog_ident_auto && !settings_->syslog_ident.empty()) plan.config.syslog_ident = settings_->syslog_ident;
  const auto location = locate_logs(*settings_);
  const bool is_chosen = location && (source == Source::kSql ||
                                      (source == Source::kServerFolder && is_named_by(config_.paths, location.value().folder)));
  if (!is_chosen) return plan;
  plan.config.paths = {location.value().pattern};
  plan.config.unnamed_format = Format::kStderr;
  plan.discovered = true;
  plan.written_in_parallel = written_in_parallel_;
  if (source == Source::kServerFolder) return plan;
  auto files = std::make_unique<ServerFiles>(session_, settings_->system_identifier, location.value().folder);
  if (auto listed = files->list(); !listed) {
    tell(plan.problems, listed.error());
    plan.readable = false;
  }
  plan.on_server = std::move(files);
  return plan;
}

bool Discovery::accept(const Event& event) {
  if (config_.conninfo.empty()) return true;
  // Its settings may be others now. In other languages ten minutes have to do.
  if (begins(event.message, "received SIGHUP") || begins(event.message, "database system is ready to accept"))
    ask_at_mono_ns_ = 0;
  return !session_.is_own_statement(event);
}

// "folder 1234 {settings}": the number tells of which conninfo. What cannot be read any more is as if it had never been known.
std::string Discovery::words_of_state() const { return std::to_string(hash_bytes(config_.conninfo)) + " "; }

Outcome Discovery::remember() const {
  const std::string text =
      std::string(kSourceNames[static_cast<std::size_t>(source_)]) + " " + words_of_state() + log_settings_json(*settings_);
  PGA_TRY(const auto stored, host_.state_get(kStateKey));
  return stored == text ? Outcome() : host_.state_set(kStateKey, text);
}

void Discovery::recall() {
  const auto stored = host_.state_get(kStateKey);
  if (!stored || !stored.value()) return;
  std::string_view text = *stored.value();
  const std::size_t blank = std::min(text.find(' '), text.size());
  const auto* const name = std::find(std::begin(kSourceNames), std::end(kSourceNames), text.substr(0, blank));
  text.remove_prefix(std::min(blank + 1, text.size()));
  const std::string words = words_of_state();
  if (name == std::end(kSourceNames) || text.substr(0, words.size()) != words) return;
  settings_ = parse_log_settings_json(text.substr(words.size()));
  if (settings_) source_ = static_cast<Source>(name - std::begin(kSourceNames));
}

}  // namespace pganalytics::logs
