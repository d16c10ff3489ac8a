// ca show, rotate, promote, retire: a new certificate authority beside the old one, in three steps (core/server/auth/ca_files.h).
//
// A running server follows the files within a second or two; here are the steps and who is not ready for the next one.
#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/files/file_lock.h"
#include "core/server/api/access.h"
#include "core/server/auth/authority.h"
#include "core/server/auth/ca_files.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/key_file.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"

#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

struct Listed {
  const char* role;
  std::string pin, until;
};

struct Progress {
  const char* phase = "steady";  // "announced": a next CA is there, "moved": the one before is still trusted
  std::vector<Listed> authorities;
  std::vector<store::CollectorRow> waiting_for;  // collectors that the next step would lock out
};

Listed listed(const char* role, X509* certificate) {
  return {role, auth::pin_of(certificate), clock::format_rfc3339(auth::not_after_unix_ns(certificate))};
}

// A collector that could still come back by itself.
bool counts(const store::CollectorRow& row) {
  return !row.revoked && row.certificate_until_unix_ns + api::kLateRenewalNs > clock::now_unix_ns();
}

// Before promotion: who has not said that it trusts the next CA. Before retirement: whose certificate is still of the old one.
template <class Ready>
void wait_for(Progress& progress, const std::vector<store::CollectorRow>& rows, const Ready& is_ready) {
  for (const store::CollectorRow& row : rows) {
    if (counts(row) && !is_ready(row)) progress.waiting_for.push_back(row);
  }
}

Expected<Progress> look(const Workplace& place) {
  PGA_TRY(const auto authority, auth::Authority::open(place.settings.data_dir, place.settings.names));  // settles what is there
  PGA_TRY(const auth::CaSet ca, auth::open_ca(auth::CaFiles(place.settings.data_dir), clock::now_unix_ns()));
  PGA_TRY(const auto rows, place.database.store->collectors());
  Progress progress;
  progress.authorities.push_back(listed("current", ca.certificate.get()));
  if (ca.next) {
    progress.phase = "announced";
    progress.authorities.push_back(listed("next", ca.next.get()));
    wait_for(progress, rows, [&](const store::CollectorRow& row) { return row.ca_etag == authority->ca_etag(); });
  }
  if (ca.previous) {
    progress.phase = "moved";
    progress.authorities.push_back(listed("previous", ca.previous.get()));
    const std::string old = auth::pin_of(ca.previous.get());
    wait_for(progress, rows, [&](const store::CollectorRow& row) { return row.certificate_ca_pin != old; });
  }
  return progress;
}

void print_json(const Progress& progress) {
  JsonWriter json;
  json.begin_object().member("phase", progress.phase).key("authorities").begin_array();
  for (const Listed& ca : progress.authorities) {
    json.begin_object().member("role", ca.role).member("ca_pin", ca.pin).member("until", ca.until).end_object();
  }
  json.end_array().key("waiting_for").begin_array();
  for (const store::CollectorRow& row : progress.waiting_for) {
    json.begin_object().member("id", row.id).member("name", row.name).end_object();
  }
  std::cout << json.end_array().end_object().text() << "\n";
}

void print(const Progress& progress) {
  for (const Listed& ca : progress.authorities) {
    std::cout << ca.role << std::string(10 - std::string_view(ca.role).size(), ' ') << ca.pin << "  until " << ca.until << "\n";
  }
  const std::string_view phase = progress.phase;
  if (phase == "announced") std::cout << "\nNext step: pganalytics-server ca promote\n";
  if (phase == "moved") std::cout << "\nNext step: pganalytics-server ca retire\n";
  for (const store::CollectorRow& row : progress.waiting_for) {
    std::cout << "  not ready: " << row.id << "  " << row.name << "\n";
  }
}

int show(const Arguments& arguments, const Expected<Progress>& progress) {
  if (!progress) return report(progress.error());
  if (arguments.json) {
    print_json(*progress);
  } else {
    print(*progress);
  }
  return kExitOk;
}

int ca_show(const Arguments& arguments) {
  const auto place = open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand);
  if (!place) return report(place.error());
  return show(arguments, look(*place));
}

using Step = Outcome (*)(const auth::CaFiles&, std::int64_t);

Expected<Progress> take(const Arguments& arguments, const char* action, Step step) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(const Progress before, look(place));
  const bool forced = arguments.values.count("force") != 0 && arguments.value<bool>("force");
  if (!before.waiting_for.empty() && !forced) {
    return Error{
        PGA_E_FAIL, "ca.not_ready", std::to_string(before.waiting_for.size()) + " collectors are not ready for this step",
        "`pganalytics-server ca show` names them. Wait until they have called, or add --force: they have to register anew.", 0};
  }
  const auto locked_step = [&]() -> Outcome {
    const std::string& data_dir = place.settings.data_dir;
    PGA_TRY(const auto lock, files::FileLock::take(auth::key_lock_path(data_dir), auth::kKeyLockPatience));
    return step(auth::CaFiles(data_dir), clock::now_unix_ns());
  };
  // The CA that signs after this step.
  const bool promotes = std::string_view(action) == "ca.promote";
  const std::string& pin = (promotes ? before.authorities.back() : before.authorities.front()).pin;
  PGA_CHECK(place.database.store->audited({"command line", action, pin, "", "{}"}, locked_step));
  return look(place);
}

int ca_rotate(const Arguments& arguments) { return show(arguments, take(arguments, "ca.rotate", auth::begin_ca_rotation)); }
int ca_promote(const Arguments& arguments) { return show(arguments, take(arguments, "ca.promote", auth::promote_ca)); }
int ca_retire(const Arguments& arguments) { return show(arguments, take(arguments, "ca.retire", auth::retire_ca)); }

}  // namespace

std::vector<Command> ca_commands() {
  po::options_description force("Options");
  force.add_options()("force", po::bool_switch(), "do not wait for collectors that are not ready: they have to register anew");
  return {{"ca show", "", 0, "the certificate authorities that are trusted, and how far a rotation is", {}, ca_show},
          {"ca rotate", "", 0, "make the next CA and tell the collectors; nothing is signed with it yet", {}, ca_rotate},
          {"ca promote", "", 0, "from now on the next CA signs, the server's own certificate too", force, ca_promote},
          {"ca retire", "", 0, "the CA before this one is trusted no longer", force, ca_retire}};
}

}  // namespace pganalytics::server::program
