#include "plugins/pg_stats/collection.h"

#include <algorithm>
#include <utility>

#include "plugins/pg_stats/probes.h"

namespace pganalytics::pg_stats {
namespace {

// The object that each document begins with.
constexpr std::string_view kServer = "server";
// Statements, and their texts, of which only new ones are read: the server has to load a file for them.
constexpr std::string_view kStatements = "statements";
constexpr std::string_view kStatementTexts = "statement_texts";
constexpr std::size_t kNewStatementsMax = 5'000;    // that wait for their text
constexpr std::int64_t kSampleEveryMs = 3'600'000;  // of a family; of all of them at most one a run

std::string now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return rfc3339_ms(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

std::int64_t monotonic_ms() { return monotonic_now_ns() / 1'000'000; }

std::size_t index_of(std::string_view name) {
  const auto& all = families();
  return static_cast<std::size_t>(std::find_if(all.begin(), all.end(), [&](const Family& f) { return f.name == name; }) -
                                  all.begin());
}

// What the family's header says cures it, where the server says no more than that it may not.
Error with_grant(Error error, const Family& family) {
  if (error.code == "42501" && family.grants != "none") error.hint = family.grants;
  return error;
}

}  // namespace

Collection::Collection() {
  for (const Family& family : families()) {
    readers_.emplace_back(family);
    if (!family.extension.empty()) extensions_[family.extension].name = family.extension;
  }
  samples_.resize(readers_.size());
}

void Collection::configure(Settings settings) {
  settings_ = std::move(settings);
  pool_.configure(settings_.connections_max);
  std::vector<Pace> paces;
  for (const Family& family : families()) {
    Pace pace{true, family.interval.count()};
    if (const auto own = settings_.families.find(family.name); own != settings_.families.end()) {
      pace.enabled = own->second.enabled;
      if (own->second.interval) pace.interval_ms = own->second.interval->count();
    }
    paces.push_back(pace);
  }
  schedule_.configure(std::move(paces), settings_.budget_percent);
}

void Collection::forget() {
  for (FamilyReader& reader : readers_) reader.forget();
  new_statements_.clear();
}

// One run under way.
class Collection::Pass {
 public:
  Pass(Collection& all, Run& run, const postgres::ReadOnlySession::Profile& profile, const std::string& instance)
      : all_(all),
        run_(run),
        profile_(profile),
        instance_(instance),
        begun_ms_(monotonic_ms()),
        accounts_(families().size()),
        documents_(run, [this](JsonWriter& json) { head(json); }) {}

  Outcome collect() {
    PGA_TRY(postgres::ReadOnlySession * session, all_.pool_.get(profile_, ""));
    Problems problems;
    auto server = read_server(*session, all_.settings_, problems);
    if (!server && is_lost(server.error())) {
      all_.pool_.clear();  // whatever ended this one has ended all that were kept
      PGA_TRY(session, all_.pool_.get(profile_, ""));
      server = read_server(*session, all_.settings_, problems);
    }
    if (!server) return std::move(server).error();
    server_ = std::move(server).value();
    PGA_CHECK(recognise(*session));
    choose_sample();
    PGA_CHECK(read_server_object(*session));
    for (const Problem& problem : problems) documents_.add(problem);
    PGA_CHECK(read_server_families());
    PGA_CHECK(read_databases());
    account();
    return documents_.finish();
  }

 private:
  void head(JsonWriter& json) const {
    json.member("instance", instance_).key(kServer).json(server_json_);
    json.key("budget").begin_object();
    json.member("percent", all_.settings_.budget_percent).member("used_percent", all_.schedule_.used_percent());
    json.member("stretch", all_.schedule_.stretch()).end_object();
  }

  // Another server, or this one in another life: what was remembered is of no use.
  Outcome recognise(postgres::ReadOnlySession& session) {
    if (server_.identity != all_.identity_) {
      all_.identity_ = server_.identity;
      all_.forget();
      for (auto& each : all_.extensions_) each.second = Extension{each.first, "", "", {}, false};
      all_.probes_.reset();
      all_.samples_.assign(all_.readers_.size(), Sample());
    }
    if (all_.probes_) return {};
    std::set<std::string> wanted;
    for (const Family& family : families()) {
      if (family.extension.empty()) wanted.merge(family.probes());
    }
    PGA_TRY(all_.probes_, known_probes(session, wanted, ""));
    return {};
  }

  Outcome read_server_object(postgres::ReadOnlySession& session) {
    FamilyReader::Place place = place_of("", "");
    PGA_TRY(const Reading reading,
            all_.readers_[index_of(kServer)].read(session, documents_, place,
                                                  [&](std::string_view, std::string json) { server_json_ = std::move(json); }));
    count(index_of(kServer), reading);
    return {};
  }

  // One of the families that are read now, whose turn it is to be measured; not in the first run, which has enough to do.
  void choose_sample() {
    for (std::size_t i = 0; i < families().size() && all_.has_run_; ++i) {
      if (!due(i)) continue;
      const auto& taken_ms = all_.samples_[i].taken_ms;
      if (taken_ms && begun_ms_ - *taken_ms < kSampleEveryMs) continue;
      if (!sampled_ || taken_ms < all_.samples_[*sampled_].taken_ms) sampled_ = i;
    }
  }

  // In the first place of this run where it is read.
  double measure_below_ms(std::size_t family) {
    if (sampled_ != family) return 0;
    all_.samples_[family].taken_ms = begun_ms_;
    sampled_.reset();
    constexpr double kShareOfTheTimeLeft = 0.25;
    return kShareOfTheTimeLeft * static_cast<double>(profile_.deadline.monotonic_ns - monotonic_now_ns()) / 1e6;
  }

  // This server, or the version of the extension, has nothing that it could be read from.
  bool is_absent(const Family& family) const {
    if (family.needs.empty()) return false;
    if (family.extension.empty()) return all_.probes_->count(family.needs) == 0;
    const Extension& extension = all_.extensions_.at(family.extension);
    return !extension.schema.empty() && extension.probes.count(family.needs) == 0;
  }

  bool due(std::size_t family) const {
    if (families()[family].name == kServer || families()[family].name == kStatementTexts) return false;
    return !is_absent(families()[family]) && has_its_turn(family);
  }

  bool has_its_turn(std::size_t family) const {
    if (run_.reason() == PGA_REASON_ONDEMAND) return all_.schedule_.is_enabled(family);
    return all_.schedule_.is_due(family, begun_ms_);
  }

  FamilyReader::Place place_of(const std::string& database, const std::string& epoch) const {
    FamilyReader::Place place;
    place.database = database;
    place.epoch = epoch;
    place.probes = &*all_.probes_;
    place.timestamp = now();
    place.now_ms = monotonic_ms();
    place.full_interval_ms = all_.settings_.full_interval.count();
    place.rows_max = static_cast<std::int64_t>(all_.settings_.rows_max);
    return place;
  }

  void count(std::size_t family, const Reading& reading) {
    Account& account = accounts_[family];
    ++account.places;
    account.sum.rows += reading.rows;
    account.sum.sent += reading.sent;
    account.sum.omitted += reading.omitted;
    account.sum.bytes += reading.bytes;
    account.sum.ms += reading.ms;
    const Family& read = families()[family];
    if (account.places == 1 && !read.role.empty() && server_.lacks(read.role)) {
      documents_.add(Problem{std::nullopt, read.name, "42501", "without the role " + read.role + " the server hides some of it",
                             read.grants});
    }
    if (!reading.cost) return;
    if (*reading.cost) {
      all_.samples_[family].cost = reading.cost->value();
    } else {
      documents_.add(problem_of(std::nullopt, families()[family].name, reading.cost->error()));
    }
  }

  // Whatever fails here is told in the document; only a cancelled run and a document that the host refuses are errors.
  Outcome failed(std::size_t family, const std::optional<std::string>& database, const Error& error) {
    if (error.code == "emit") return error;
    if (run_.cancelled()) return Error{PGA_E_DEADLINE, "cancelled", "reading statistics: cancelled", "", 0};
    ++accounts_[family].failures;
    const auto extension = all_.extensions_.find(families()[family].extension);
    const bool was_there = extension != all_.extensions_.end() && !extension->second.schema.empty();
    if (was_there) extension->second = Extension{extension->first, "", "", {}, false};  // it may have moved
    documents_.add(problem_of(database, families()[family].name, with_grant(error, families()[family])));
    return {};
  }

  bool time_is_up() const { return monotonic_now_ns() >= profile_.deadline.monotonic_ns; }

  Outcome read_server_families() {
    for (std::size_t i = 0; i < families().size(); ++i) {
      const Family& family = families()[i];
      if (family.scope != Scope::kServer || !due(i)) continue;
      if (time_is_up()) {
        documents_.add(Problem{std::nullopt, "", "deadline", "the run's time was up before all families were read",
                               "Raise the plugin's timeout, or switch families off."});
        return {};
      }
      all_.schedule_.read(i, begun_ms_);
      if (Outcome read = read_server_family(i); !read) PGA_CHECK(failed(i, std::nullopt, read.error()));
    }
    return {};
  }

  Outcome read_server_family(std::size_t index) {
    const Family& family = families()[index];
    FamilyReader::Place place = place_of("", "");
    place.measure_below_ms = measure_below_ms(index);
    std::string database;
    if (!family.extension.empty()) {
      PGA_TRY(const Extension* const extension, extension_of(family));
      if (is_absent(family)) return {};
      database = extension->database;
      place.probes = &extension->probes;
      place.extension_schema = extension->schema;
    }
    PGA_TRY(postgres::ReadOnlySession* const session, all_.pool_.get(profile_, database));
    FamilyReader::Sink sink;
    if (family.extent == Extent::kOfDatabases) {
      sink = [this, index](std::string_view name, std::string json) {
        of_databases_[std::string(name)].emplace_back(index, std::move(json));
      };
    }
    FamilyReader::Novelty novelty;
    if (family.name == kStatements) {
      const std::size_t id = column_of(family, "query_id");
      novelty = [this, id](const RowReader& row) {
        if (all_.new_statements_.size() < kNewStatementsMax && row.field(id)) all_.new_statements_.emplace(*row.field(id));
      };
    }
    PGA_TRY(const Reading reading, all_.readers_[index].read(*session, documents_, place, sink, novelty));
    count(index, reading);
    if (family.name == kStatements) return read_statement_texts(*session, place);
    return {};
  }

  static std::size_t column_of(const Family& family, std::string_view name) {
    return static_cast<std::size_t>(
        std::find_if(family.columns.begin(), family.columns.end(), [&](const Column& c) { return c.name == name; }) -
        family.columns.begin());
  }

  Outcome read_statement_texts(postgres::ReadOnlySession& session, FamilyReader::Place place) {
    const std::size_t index = index_of(kStatementTexts);
    if (all_.new_statements_.empty() || !has_its_turn(index)) return {};
    all_.schedule_.read(index, begun_ms_);
    for (const std::string& id : all_.new_statements_) place.keys += (place.keys.empty() ? "" : ", ") + id;
    const auto reading = all_.readers_[index].read(session, documents_, place);
    if (!reading) return failed(index, std::nullopt, reading.error());  // they are asked for again
    all_.new_statements_.clear();
    count(index, *reading);
    return {};
  }

  // Where an extension is: first looked for in the session's own database, then in each that is visited.
  Expected<const Extension*> extension_of(const Family& family) {
    Extension& extension = all_.extensions_[family.extension];
    if (extension.schema.empty() && !std::exchange(extension.searched, true)) {
      PGA_TRY(postgres::ReadOnlySession* const session, all_.pool_.get(profile_, ""));
      PGA_CHECK(look_for(extension, *session, ""));
    }
    if (!extension.schema.empty()) return &extension;
    return Error{PGA_E_NOTFOUND, "extension",
                 "family " + family.name + ": the extension " + family.extension + " is in no database that is read",
                 family.grants, 0};
  }

  Outcome look_for(Extension& extension, postgres::ReadOnlySession& session, const std::string& database) {
    PGA_TRY(const auto schema, extension_schema(session, extension.name));
    if (!schema) return {};
    std::set<std::string> wanted;
    for (const Family& family : families()) {
      if (family.extension == extension.name) wanted.merge(family.probes());
    }
    PGA_TRY(extension.probes, known_probes(session, wanted, extension.name));
    extension.schema = *schema;
    extension.database = database;
    return {};
  }

  // The session's own database first, since it is open; then from where time ran out the last time.
  void put_in_turn() {
    auto& all = server_.databases;
    const auto next = std::find_if(all.begin(), all.end(), [&](const Database& d) { return d.name == all_.next_database_; });
    if (next != all.end()) std::rotate(all.begin(), next, all.end());
    std::stable_partition(all.begin(), all.end(), [&](const Database& d) { return d.name == server_.current_database; });
  }

  Outcome read_databases() {
    std::vector<std::size_t> due_ones;
    for (std::size_t i = 0; i < families().size(); ++i) {
      if (families()[i].scope == Scope::kDatabase && due(i)) due_ones.push_back(i);
    }
    std::set<std::string> names;
    for (const Database& database : server_.databases) names.insert(database.name);
    for (FamilyReader& reader : all_.readers_) reader.keep_only(names);
    put_in_turn();
    all_.next_database_.clear();
    for (const Database& database : server_.databases) PGA_CHECK(read_database(database, due_ones));
    for (const std::size_t i : due_ones) all_.schedule_.read(i, begun_ms_);
    return {};
  }

  Outcome read_database(const Database& database, const std::vector<std::size_t>& due_ones) {
    const auto& objects = of_databases_[database.name];
    if (due_ones.empty() && objects.empty()) return {};
    documents_.open_database(database.name);
    for (const auto& [family, json] : objects) documents_.json().key(families()[family].name).json(json);
    if (!due_ones.empty()) PGA_CHECK(read_inside(database, due_ones));
    return documents_.close_database();
  }

  // A kept session whose end is only noticed when it is asked.
  static bool is_lost(const Error& error) { return error.code == "pg.connection_lost" || error.code == "57P01"; }

  Outcome read_inside(const Database& database, const std::vector<std::size_t>& due_ones) {
    const auto tell = [&](const char* code, const std::string& why, const char* hint) {
      documents_.add(Problem{database.name, "", code, "reading database \"" + database.name + "\": " + why, hint});
    };
    if (!database.can_connect) {
      return tell("42501", "the role has no CONNECT privilege",
                  "Grant CONNECT on the database to the role, or add it to exclude_databases."),
             Outcome();
    }
    if (time_is_up()) {
      if (all_.next_database_.empty()) all_.next_database_ = database.name;
      return tell("deadline", "the run's time was up before its turn", "Raise the plugin's timeout, or read fewer databases."),
             Outcome();
    }
    // The first session is with this database already.
    const auto open = [&] { return all_.pool_.get(profile_, database.name == server_.current_database ? "" : database.name); };
    auto session = open();
    bool opened_again = false;
    for (const std::size_t i : due_ones) {
      // One that broke was told by the family that broke it; the others are read over another.
      if (session && !(*session)->usable() && !time_is_up() && !std::exchange(opened_again, true)) session = open();
      if (!session || !(*session)->usable()) break;
      FamilyReader::Place place = place_of(database.name, database.stats_reset);
      place.measure_below_ms = measure_below_ms(i);
      const std::size_t written = documents_.bytes();
      auto reading = all_.readers_[i].read(**session, documents_, place);
      if (!reading && is_lost(reading.error()) && documents_.bytes() == written && !std::exchange(opened_again, true)) {
        session = open();
        if (!session) break;
        reading = all_.readers_[i].read(**session, documents_, place);
      }
      if (!reading) {
        PGA_CHECK(failed(i, database.name, reading.error()));
        continue;
      }
      count(i, *reading);
    }
    if (!session) {
      if (run_.cancelled()) return Error{PGA_E_DEADLINE, "cancelled", "reading statistics: cancelled", "", 0};
      documents_.add(problem_of(database.name, "", session.error()));
      return {};
    }
    for (auto& [name, extension] : all_.extensions_) {
      if (extension.schema.empty() && extension.searched && (*session)->usable())
        PGA_CHECK(look_for(extension, **session, database.name));
    }
    return {};
  }

  // nullptr: nothing to tell. Who asks on demand hears of all families.
  const char* state_of(std::size_t family) const {
    const Account& account = accounts_[family];
    if (account.places > 0) return "read";
    if (account.failures > 0) return "failed";
    if (run_.reason() != PGA_REASON_ONDEMAND) return nullptr;
    if (!all_.schedule_.is_enabled(family)) return "off";
    return is_absent(families()[family]) ? "absent" : "idle";
  }

  void account() {
    double ms = 0;
    for (std::size_t i = 0; i < families().size(); ++i) {
      const Account& account = accounts_[i];
      const char* const state = state_of(i);
      if (state == nullptr) continue;
      ms += account.sum.ms;
      JsonWriter json;
      json.begin_object()
          .member("family", families()[i].name)
          .member("state", state)
          .member("places", account.places)
          .member("failures", account.failures);
      json.member("rows", account.sum.rows).member("sent", account.sum.sent).member("omitted", account.sum.omitted);
      json.member("bytes", account.sum.bytes).member("ms", account.sum.ms);
      if (const auto& cost = all_.samples_[i].cost) {
        json.member("server_ms", cost->ms).member("blocks_hit", cost->blocks_hit).member("blocks_read", cost->blocks_read);
        json.member("temp_blocks", cost->temp_blocks);
      }
      json.end_object();
      documents_.add_reading(json.text());
    }
    all_.schedule_.spent(ms, monotonic_ms());
  }

  Collection& all_;
  Run& run_;
  const postgres::ReadOnlySession::Profile& profile_;
  const std::string& instance_;
  const std::int64_t begun_ms_;
  Server server_;
  std::string server_json_ = "{}";
  std::optional<std::size_t> sampled_;  // the family whose cost is still to be measured in this run
  std::map<std::string, std::vector<std::pair<std::size_t, std::string>>> of_databases_;  // families' rows, as JSON
  std::vector<Account> accounts_;
  Documents documents_;
};

Outcome Collection::run(Run& run, const postgres::ReadOnlySession::Profile& profile, const std::string& instance) {
  Outcome done = Pass(*this, run, profile, instance).collect();
  has_run_ = has_run_ || done;
  pool_.tidy(profile);
  return done;
}

}  // namespace pganalytics::pg_stats
