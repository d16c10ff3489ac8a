#include "core/validator/checker/stage.h"

namespace pganalytics::validator {

// What stands for a secret that is not known here.
constexpr char kUnknownSecret[] = "canary-0d7f1c29";

Stage::Stage(Subject& subject) : configurations(subject), plugin_(subject.plugin()) {
  host.guard_pages = false;
  host.poison = false;
  host.log_level = PGA_LOG_INFO;
  for (const std::string& name : configurations.secret_names()) host.secrets[name] = kUnknownSecret;
  for (const auto& [name, value] : subject.request().secrets) host.secrets[name] = value;
}

testing::Instance Stage::create() {
  now_at("create()");
  testing::Instance instance = host.create(plugin_);
  if (!instance.created()) {
    const Error& error = instance.created().error();
    throw CannotCheck{Finding::fail(words_for("create()", error.status, error.message))};
  }
  return instance;
}

testing::Instance Stage::create_configured() {
  testing::Instance instance = create();
  configure(instance, configurations.base());
  return instance;
}

Outcome Stage::try_configure(testing::Instance& instance, const std::string& json, bool dry_run) {
  now_at("configure()");
  Outcome outcome = instance.configure(json, dry_run);
  now_at("destroy()");
  return outcome;
}

void Stage::configure(testing::Instance& instance, const std::string& json) {
  const Outcome outcome = try_configure(instance, json);
  if (outcome) return;
  const Error& error = outcome.error();
  const std::string words = words_for("configure()", error.status, error.message);
  throw CannotCheck{is_unreachable(error.status) ? Finding::skip("the target was not reachable: " + words)
                                                 : Finding::fail(words)};
}

testing::CollectResult Stage::collect(testing::Instance& instance, const testing::CollectOptions& options) {
  now_at("collect()");
  testing::CollectResult result = instance.collect(options);
  now_at("destroy()");
  return result;
}

testing::CollectResult Stage::collect_well(testing::Instance& instance, const testing::CollectOptions& options) {
  testing::CollectResult result = collect(instance, options);
  if (result.returned == PGA_OK) return result;
  const std::string words = words_for("collect()", result.returned, result.error_message);
  throw CannotCheck{is_unreachable(result.returned)
                        ? Finding::skip("the target was not reachable: " + words + "; name one that is with --config FILE")
                        : Finding::fail(words)};
}

bool is_unreachable(pga_status status) { return status == PGA_E_TRANSIENT || status == PGA_E_DENIED; }

const char* name_of(pga_status status) {
  static constexpr const char* kNames[] = {"PGA_OK",         "PGA_E_FAIL",   "PGA_E_CONFIG",      "PGA_E_TRANSIENT",
                                           "PGA_E_DEADLINE", "PGA_E_DENIED", "PGA_E_UNSUPPORTED", "PGA_E_TOOSMALL",
                                           "PGA_E_NOTFOUND", "PGA_E_LIMIT",  "PGA_E_FATAL"};
  const auto index = static_cast<std::size_t>(-static_cast<std::int64_t>(status));
  return index < std::size(kNames) ? kNames[index] : "an unknown status";
}

std::string words_for(const char* what, pga_status status, const std::string& message) {
  return std::string(what) + " returned " + name_of(status) + (message.empty() ? " without a message" : ": " + message);
}

}  // namespace pganalytics::validator
