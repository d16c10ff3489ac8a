// The calls that the fake host makes into a plugin. On the test's thread, or one of each call's own; cancel() on any.
#include "instance.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <pganalytics/json.hpp>
#include <utility>

#include "canceller.h"
#include "document_check.h"

namespace pganalytics::testing {
namespace {

// Sizes of the growable structs as ABI 1.0 has them; what a host of 1.0 gives out.
constexpr std::size_t kHostBytes10 = 88, kRunBytes10 = 72, kErrorBytes10 = 520;
// What a later host may have appended.
constexpr std::size_t kFutureBytes = 64;

}  // namespace

Instance::Impl::Impl(FakeHost& host, const pga_plugin* plugin, std::string name)
    : host_(host),
      plugin_(plugin),
      abi_minor_(host.tables == Tables::kOldest ? 0 : host.abi_minor),
      tables_(host.tables),
      guarded_(host.guard_pages),
      poisoned_(host.poison),
      hopping_(host.hop_threads),
      name_(std::move(name)),
      state_(host.state),
      cancel_fd_(make_cancel_fd()) {
  created_ = hosting::check_plugin(plugin_, abi_minor_);
  if (created_) {
    if (name_.empty()) name_ = plugin_->descriptor->id;
    JsonWriter json;
    json.value(hosting::instance_part(name_));
    instance_fact_ = json.text();
    if ((plugin_->descriptor->flags & PGA_F_AFFINE) != 0) hopping_ = false;
    created_ = create();
  }
  const std::lock_guard<std::mutex> lock(host_.clock_mutex_);
  host_.instances_.push_back(this);
}

Instance::Impl::~Impl() {
  {
    const std::lock_guard<std::mutex> lock(host_.clock_mutex_);
    auto& all = host_.instances_;
    all.erase(std::remove(all.begin(), all.end(), this), all.end());
  }
  if (created_) {
    enter(Call::kOther, "destroy", [this] {
      plugin_->destroy(self_);
      return PGA_OK;
    });
  }
  if (cancel_fd_ >= 0) close(cancel_fd_);
}

// One call into the plugin, on the thread it is to come on.
pga_status Instance::Impl::enter(Call call, const char* name, const std::function<pga_status()>& body) {
  pga_status status = PGA_E_FAIL;
  const auto guarded_body = [&] {
    caller_ = std::this_thread::get_id();
    call_ = call;
    try {
      status = body();
    } catch (...) {
      host_.note_violation(std::string(name) + "() threw an exception across the ABI");
    }
    call_ = Call::kNone;
  };
  calls_ = {};
  if (hopping_) {
    std::thread(guarded_body).join();
  } else {
    guarded_body();
  }
  return status;
}

Error Instance::Impl::said_by_plugin(const char* name, pga_status status, const pga_error& error) {
  const auto is_text = [](const auto& array) { return std::memchr(array, '\0', sizeof array) != nullptr; };
  if (!is_text(error.code) || !is_text(error.message)) {
    host_.note_violation(std::string(name) + "() left a text in pga_error without its NUL");
  }
  return hosting::error_of(hosting::known_status(status), error);
}

Outcome Instance::Impl::create() {
  const pga_host table = make_host_table();
  table_.emplace(lend_struct(&table, kHostBytes10, sizeof table));
  table_->make_read_only();
  LentMemory name = lend(name_.c_str(), name_.size() + 1);
  const pga_error blank = hosting::blank_error();
  LentMemory error = lend_struct(&blank, kErrorBytes10, sizeof blank);
  auto* const error_struct = reinterpret_cast<pga_error*>(error.data());
  const pga_status status = enter(Call::kCreate, "create", [&] {
    return plugin_->create(reinterpret_cast<const pga_host*>(table_->data()), name.data(), &self_, error_struct);
  });
  Outcome outcome;
  if (status != PGA_OK) outcome = said_by_plugin("create", status, *error_struct);
  take_back(std::move(name));
  take_back(std::move(error));
  return outcome;
}

Outcome Instance::Impl::configure(std::string_view json, bool dry_run) {
  if (!created_) return created_;
  LentMemory text = lend(json.data(), json.size());
  text.make_read_only();
  const pga_error blank = hosting::blank_error();
  LentMemory error = lend_struct(&blank, kErrorBytes10, sizeof blank);
  auto* const error_struct = reinterpret_cast<pga_error*>(error.data());
  const pga_status status = enter(Call::kConfigure, "configure", [&] {
    return plugin_->configure(self_, {text.data(), text.size()}, dry_run ? 1 : 0, error_struct);
  });
  Outcome outcome;
  if (status != PGA_OK) outcome = said_by_plugin("configure", status, *error_struct);
  take_back(std::move(text));
  take_back(std::move(error));
  return outcome;
}

CollectResult Instance::Impl::collect(const CollectOptions& options) {
  if (created_) return run(options);
  CollectResult result;
  result.status = result.returned = created_.error().status;
  result.error_code = created_.error().code;
  result.error_message = created_.error().message;
  return result;
}

CollectResult Instance::Impl::run(const CollectOptions& options) {
  CollectResult result;
  options_ = &options;
  result_ = &result;
  refusal_.reset();
  const pga_run table = make_run_table(options);
  LentMemory run = lend_struct(&table, kRunBytes10, sizeof table);
  run.make_read_only();
  const pga_error blank = hosting::blank_error();
  LentMemory error = lend_struct(&blank, kErrorBytes10, sizeof blank);
  auto* const error_struct = reinterpret_cast<pga_error*>(error.data());

  begin_cancellable(options);
  const std::int64_t began_ns = clock_ns(CLOCK_MONOTONIC);
  {
    const Canceller canceller(real_cancel(options), [this] { cancel(); });
    result.returned = enter(Call::kCollect, "collect",
                            [&] { return plugin_->collect(self_, reinterpret_cast<const pga_run*>(run.data()), error_struct); });
    result.took = std::chrono::nanoseconds(clock_ns(CLOCK_MONOTONIC) - began_ns);
  }
  result.state_sets = calls_[static_cast<std::size_t>(Service::kStateSet)];
  for (std::thread& thread : std::exchange(cancelling_, {})) thread.join();
  end_cancellable(result);

  Error said = said_by_plugin("collect", result.returned, *error_struct);
  result.status = said.status;
  result.error_code = std::move(said.code);
  result.error_message = std::move(said.message);
  result.retry_after_ms = said.retry_after_ms;
  judge(result);
  const bool committed = result.status == PGA_OK && options.commit;
  state_.settle(committed);
  if (committed) previous_unix_ns_ = table.scheduled_unix_ns;

  take_back(std::move(error));
  run.make_writable();
  if (poisoned_) {
    const pga_run stale = make_stale_run_table();
    run.fill(kPoison);
    std::memcpy(run.data(), &stale, std::min(sizeof stale, run.size()));
  }
  retired_.push_back(std::move(run));
  options_ = nullptr;
  result_ = nullptr;
  return result;
}

// A plugin that says OK over a document the host refused has not succeeded.
void Instance::Impl::judge(CollectResult& result) const {
  if (result.status != PGA_OK) return;
  std::optional<Error> wrong;
  if (refusal_ && refusal_->status != PGA_E_DEADLINE) wrong = refusal_;
  for (const std::string& document : result.documents) {
    if (wrong) break;
    const pga_descriptor& descriptor = *plugin_->descriptor;
    if (auto checked = check_document(document, descriptor.id, descriptor.output_schema); !checked) wrong = checked.error();
  }
  if (!wrong) return;
  result.status = hosting::known_status(wrong->status);
  result.error_code = wrong->code;
  result.error_message = wrong->message;
}

const void* Instance::Impl::extension(const char* id) {
  if (!created_ || !PGA_HAS(pga_plugin, plugin_, get_extension) || plugin_->get_extension == nullptr) return nullptr;
  const void* table = nullptr;
  enter(Call::kOther, "get_extension", [&] {
    table = plugin_->get_extension(self_, id);
    return PGA_OK;
  });
  return table;
}

LentMemory Instance::Impl::lend(const void* bytes, std::size_t size) {
  LentMemory memory(size, guarded_);
  if (size > 0) std::memcpy(memory.data(), bytes, size);
  return memory;
}

// A growable struct, as large as the host at hand makes it. Its first member is struct_size.
LentMemory Instance::Impl::lend_struct(const void* bytes, std::size_t size_1_0, std::size_t size_now) {
  const std::size_t known = tables_ == Tables::kOldest ? size_1_0 : size_now;
  LentMemory memory(tables_ == Tables::kFuture ? size_now + kFutureBytes : known, guarded_);
  memory.fill(kPoison);
  std::memcpy(memory.data(), bytes, known);
  const auto struct_size = static_cast<std::uint32_t>(memory.size());
  std::memcpy(memory.data(), &struct_size, sizeof struct_size);
  return memory;
}

// The call is over, and the borrow with it. The memory stays for a while, so that who kept it reads poison.
void Instance::Impl::take_back(LentMemory memory) {
  memory.make_writable();
  if (poisoned_) memory.fill(kPoison);
  retired_.push_back(std::move(memory));
  while (retired_.size() > kRetiredMax) retired_.pop_front();
}

}  // namespace pganalytics::testing
