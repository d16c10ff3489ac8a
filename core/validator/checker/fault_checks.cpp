#include "core/validator/checker/fault_checks.h"

#include <algorithm>

#include "core/validator/checker/documents.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

using testing::Fault;
using testing::Service;

constexpr std::chrono::seconds kPromptly{2};

std::string in_words(const Fault& fault, const char* service) {
  return std::string(service) + " answers " + name_of(fault.status) +
         (fault.lasting ? " always" : " at call " + std::to_string(fault.call));
}

// Two runs of a new instance on `stage`, by the shape of the second.
Shape shape_of_runs(Stage& stage, const schema::Schema& schema) {
  testing::Instance instance = stage.create_configured();
  stage.collect_well(instance);
  return DocumentReader(schema).shape_of(stage.collect_well(instance).documents);
}

}  // namespace

Finding check_refused_documents(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  const std::uint32_t emits = stage.collect_well(instance).emits;
  if (emits == 0) return Finding::skip("it emitted nothing that could be refused");
  for (const pga_status status : {PGA_E_FAIL, PGA_E_LIMIT, PGA_E_DEADLINE}) {
    for (const std::uint32_t call : {1u, std::min(emits, 2u), emits}) {
      const Fault fault{Service::kEmit, call, status, true};
      stage.host.faults = {fault};
      const testing::CollectResult run = stage.collect(instance);
      if (run.emits < call) continue;  // it emitted less this time
      if (run.returned == PGA_OK) return Finding::fail("collect() returned PGA_OK though " + in_words(fault, "emit()"));
      if (run.took > kPromptly) return Finding::fail("collect() went on for more than 2 s though " + in_words(fault, "emit()"));
    }
  }
  stage.host.faults.clear();
  stage.collect_well(instance);
  return Finding::pass();
}

Finding check_refused_state(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  stage.collect_well(instance);
  const std::map<std::string, std::string> kept = stage.host.state;
  for (const pga_status status : {PGA_E_FAIL, PGA_E_NOTFOUND, PGA_E_TOOSMALL}) {
    for (const bool lasting : {false, true}) {
      const Fault fault{Service::kStateGet, 1, status, lasting};
      now_at(("a run in which " + in_words(fault, "state_get()")).c_str());
      stage.host.faults = {fault};
      testing::Instance fresh = stage.host.create(subject.plugin());
      if (fresh.created() && fresh.configure(stage.configurations.base())) fresh.collect();
    }
  }
  for (const char* const rubbish :
       {"", "\xFF\xFE not what was written, and longer than anything that was written before, by far"}) {
    stage.host.faults.clear();
    for (auto& [key, value] : stage.host.state) value = rubbish;
    now_at("a run with rubbish in its state");
    testing::Instance fresh = stage.host.create(subject.plugin());
    if (fresh.created() && fresh.configure(stage.configurations.base())) fresh.collect();
    stage.host.state = kept;
  }
  if (kept.empty()) return Finding::pass("it keeps no state");
  for (const pga_status status : {PGA_E_FAIL, PGA_E_LIMIT}) {
    const Fault fault{Service::kStateSet, 1, status, true};
    stage.host.state.clear();  // so that there is something to keep
    stage.host.faults = {};
    testing::Instance fresh = stage.create_configured();
    stage.host.faults = {fault};
    const testing::CollectResult run = stage.collect(fresh);
    if (run.state_sets > 0 && run.returned == PGA_OK) {
      return Finding::fail("collect() returned PGA_OK though " + in_words(fault, "state_set()"));
    }
  }
  return Finding::pass(std::to_string(kept.size()) + " keys");
}

// The host dies after collect(), before the run is durable: what was emitted must come again.
Finding check_lost_run(Subject& subject) {
  Stage stage(subject);
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  const DocumentReader reader(schema);
  testing::CollectOptions lost;
  lost.commit = false;
  testing::CollectResult first, second;
  {
    testing::Instance instance = stage.create_configured();
    first = stage.collect_well(instance, lost);
  }
  {
    testing::Instance instance = stage.create_configured();
    second = stage.collect_well(instance);
  }
  if (first.documents.empty()) return Finding::skip("it emitted nothing that could be lost");
  const Shape wanted = reader.shape_of(first.documents), found = reader.shape_of(second.documents);
  for (const std::string& piece : wanted) {
    if (found.count(piece) == 0) return Finding::fail("after a run that was lost, the next had no " + piece);
  }
  return Finding::pass();
}

Finding check_other_hosts(Subject& subject) {
  Stage stage(subject);
  for (const auto& [tables, which] : {std::pair{testing::Tables::kOldest, "a host of ABI 1.0"},
                                      std::pair{testing::Tables::kFuture, "a host with longer tables"}}) {
    stage.host.tables = tables;
    now_at(which);
    testing::Instance instance = stage.host.create(subject.plugin());
    Outcome outcome = instance.created();
    if (outcome) outcome = instance.configure(stage.configurations.base());
    if (!outcome)
      return Finding::fail(std::string("with ") + which + ": " +
                           words_for("it", outcome.error().status, outcome.error().message));
    const testing::CollectResult run = instance.collect();
    if (run.returned != PGA_OK) {
      return Finding::fail(std::string("with ") + which + ": " + words_for("collect()", run.returned, run.error_message));
    }
  }
  return Finding::pass();
}

// Whoever reads past a struct or writes to a table dies of it here.
Finding check_memory_bounds(Subject& subject) {
  Stage stage(subject);
  stage.host.guard_pages = true;
  stage.host.tables = testing::Tables::kOldest;
  testing::Instance instance = stage.create_configured();
  stage.collect_well(instance);
  static_cast<void>(stage.try_configure(instance, stage.configurations.base(), true));
  stage.collect_well(instance);
  return Finding::pass();
}

Finding check_borrows(Subject& subject) {
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  Stage kind(subject), unkind(subject);
  unkind.host.poison = true;
  const Shape wanted = shape_of_runs(kind, schema);
  testing::Instance instance = unkind.create_configured();
  for (int i = 0; i < 2; ++i) {
    const testing::CollectResult run = unkind.collect(instance);
    if (run.returned != PGA_OK || run.emits > run.documents.size()) {
      return Finding::fail("once the memory of earlier calls was overwritten, " +
                           words_for("the run", run.status, run.error_message));
    }
    if (i == 0) continue;
    const Shape found = DocumentReader(schema).shape_of(run.documents);
    for (const std::string& piece : found) {
      if (wanted.count(piece) == 0) return Finding::fail("once the memory of earlier calls was overwritten, it emits " + piece);
    }
  }
  return Finding::pass();
}

}  // namespace pganalytics::validator
