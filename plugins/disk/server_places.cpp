#include "plugins/disk/server_places.h"

#include <ctime>
#include <utility>

#include "core/postgres/unload.h"
#include "disk_embedded.h"
#include "plugins/disk/same_host.h"

namespace pganalytics::disk {
namespace {

using postgres::ReadOnlySession;

constexpr char kPart[] = "directories";
constexpr char kDenied[] = "42501";  // insufficient_privilege
constexpr char kElsewhere[] = "disk.elsewhere";

double boot_seconds() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Outcome check_host(ReadOnlySession& session, const std::string& proc_path) {
  PGA_TRY(const auto rows, session.query(embedded::backend_sql));
  if (rows.size() != 1) return Error{PGA_E_FAIL, "disk.backend", "the server does not list our own session", "", 0};
  Backend backend;
  backend.pid = rows.int64(0, rows.column("pid")).value_or(0);
  backend.age_seconds = rows.number(0, rows.column("age_seconds")).value_or(0);
  backend.user = rows.text(0, rows.column("user"));
  backend.database = rows.text(0, rows.column("database"));
  return is_of_this_host(backend, proc_path, boot_seconds());
}

Expected<std::vector<ServerPlace>> read_places(ReadOnlySession& session) {
  PGA_TRY(const auto rows, session.query(embedded::places_sql));
  std::vector<ServerPlace> places;
  for (int row = 0; row < rows.size(); ++row) {
    places.push_back({std::string(rows.text(row, rows.column("name"))), std::string(rows.text(row, rows.column("path"))),
                      rows.int64(row, rows.column("files")), rows.int64(row, rows.column("bytes"))});
  }
  return places;
}

Expected<std::vector<ServerPlace>> ask(const ReadOnlySession::Profile& profile, const std::string& proc_path) {
  PGA_TRY(ReadOnlySession session, ReadOnlySession::open(profile, ""));
  PGA_CHECK(check_host(session, proc_path));
  return read_places(session);
}

Gap gap_of(const Error& error) {
  const std::string hint = error.code == kDenied ? "GRANT pg_monitor TO the role that conninfo names." : error.hint;
  return {kPart, "", error.code, "asking the server for its places: " + error.message, hint};
}

bool is_answer(const Error& error) { return error.code == kDenied || error.code == kElsewhere; }

}  // namespace

void ServerPlaces::refresh(const ReadOnlySession::Profile& profile, const std::string& proc_path, std::chrono::milliseconds every,
                           std::int64_t now_ns, Gaps& gaps) {
  for (ServerPlace& place : places_) place.files = place.bytes = std::nullopt;  // of another moment
  if (answered_ns_ && now_ns - *answered_ns_ < std::chrono::nanoseconds(every).count()) {
    if (refusal_) gaps.push_back(*refusal_);
    return;
  }
  auto places = ask(profile, proc_path);
  postgres::unload_libpq();  // until then nobody needs it
  answered_ns_.reset();
  refusal_.reset();
  if (places) {
    places_ = std::move(places).value();
    answered_ns_ = now_ns;
    return;
  }
  gaps.push_back(gap_of(places.error()));
  if (!is_answer(places.error())) return;
  answered_ns_ = now_ns;
  refusal_ = gaps.back();
  places_.clear();
}

}  // namespace pganalytics::disk
