// What the fake host gives to a plugin: its two tables. Called by the plugin, on the thread the host called it on; log(),
// log_level(), get_extension() and cancelled() on any.
#include <pganalytics/hosting.hpp>

#include <algorithm>
#include <utility>

#include "document_check.h"
#include "instance.h"

namespace pganalytics::testing {
namespace {

template <class Value>
const Value* find(const std::map<std::string, Value>& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() ? nullptr : &found->second;
}

const char* name_of(Service service) {
  static constexpr const char* kNames[] = {"emit", "state_get", "state_set", "secret_get", "info_get"};
  return kNames[static_cast<std::size_t>(service)];
}

}  // namespace

// [caller]: inside a call of the host, on its thread.
bool Instance::Impl::may_ask(const char* service) {
  const Call call = call_;
  if (call != Call::kCreate && call != Call::kConfigure && call != Call::kCollect) {
    host_.note_violation(std::string(service) + "() was called outside create(), configure() and collect()");
    return false;
  }
  if (caller_.load() != std::this_thread::get_id()) {
    host_.note_violation(std::string(service) + "() was called on a thread that is not the host's");
    return false;
  }
  return true;
}

// Counts the call; the status to answer if this one is to fail.
std::optional<pga_status> Instance::Impl::fault(Service service) {
  const std::uint32_t call = ++calls_[static_cast<std::size_t>(service)];
  for (const Fault& fault : host_.faults) {
    if (fault.service != service) continue;
    if (fault.call == call || (fault.lasting && fault.call < call)) return fault.status;
  }
  return std::nullopt;
}

pga_status Instance::Impl::give(const pga_host* host, Service service, const char* name, const std::string* value, char* buf,
                                size_t* len) {
  Impl& instance = *static_cast<Impl*>(host->ctx);
  if (name == nullptr || len == nullptr || (buf == nullptr && *len > 0)) {
    instance.host_.note_violation(std::string(name_of(service)) + "() was called with a null pointer");
    return PGA_E_FAIL;
  }
  if (const auto status = instance.fault(service)) {
    if (*status == PGA_E_TOOSMALL) *len = std::max(*len + 1, value != nullptr ? value->size() : 0);
    return *status;
  }
  return hosting::hand_out(value, buf, len);
}

pga_status Instance::Impl::set_state(const pga_host* host, const char* key, pga_str value) {
  Impl& instance = *static_cast<Impl*>(host->ctx);
  if (!instance.may_ask("state_set")) return PGA_E_FAIL;
  if (const auto status = instance.fault(Service::kStateSet)) return *status;
  if (!instance.collecting()) return PGA_E_UNSUPPORTED;
  if (value.data == nullptr) return instance.state_.set(key, std::nullopt);
  return instance.state_.set(key, std::string_view(value.data, value.len));
}

// A level from a later minor is the nearest known one.
void Instance::Impl::log_line(std::uint32_t level, std::string_view message) {
  const std::uint32_t known = std::clamp(level, PGA_LOG_ERROR, PGA_LOG_DEBUG);
  if (known > host_.log_level) return;
  const std::lock_guard<std::mutex> lock(host_.mutex_);
  host_.log.push_back({known, std::string(message)});
}

pga_host Instance::Impl::make_host_table() {
  static constexpr auto self = [](const pga_host* host) -> Impl& { return *static_cast<Impl*>(host->ctx); };
  pga_host table{};
  table.abi_minor = abi_minor_;
  table.ctx = this;
  table.product = "testhost";
  table.version = "0";
  table.log = [](const pga_host* host, std::uint32_t level, pga_str text) { self(host).log_line(level, {text.data, text.len}); };
  table.log_level = [](const pga_host* host) -> std::uint32_t { return self(host).host_.log_level; };
  table.state_get = [](const pga_host* host, const char* key, char* buf, size_t* len) -> pga_status {
    if (!self(host).may_ask("state_get")) return PGA_E_FAIL;
    const std::string* const value = key != nullptr ? self(host).state_.get(key) : nullptr;
    return give(host, Service::kStateGet, key, value, buf, len);
  };
  table.state_set = &set_state;
  table.secret_get = [](const pga_host* host, const char* name, char* buf, size_t* len) -> pga_status {
    if (!self(host).may_ask("secret_get")) return PGA_E_FAIL;
    const std::string* const value = name != nullptr ? find(self(host).host_.secrets, name) : nullptr;
    return give(host, Service::kSecretGet, name, value, buf, len);
  };
  table.info_get = [](const pga_host* host, const char* key, char* buf, size_t* len) -> pga_status {
    if (!self(host).may_ask("info_get")) return PGA_E_FAIL;
    const std::string* value = key != nullptr ? find(self(host).host_.facts, key) : nullptr;
    if (value == nullptr && key != nullptr && key == hosting::kInstanceFact) value = &self(host).instance_fact_;
    return give(host, Service::kInfoGet, key, value, buf, len);
  };
  table.get_extension = [](const pga_host* host, const char* id) -> const void* {
    const auto* const found = find(self(host).host_.extensions, id);
    return found != nullptr ? *found : nullptr;
  };
  return table;
}

pga_run Instance::Impl::make_run_table(const CollectOptions& options) {
  std::int64_t unix_ns = options.scheduled_unix_ns;
  if (unix_ns == 0) {
    const std::lock_guard<std::mutex> lock(host_.clock_mutex_);
    unix_ns = host_.virtual_unix_ns_.value_or(clock_ns(CLOCK_REALTIME));
  }
  pga_run run{};
  run.reason = options.reason;
  run.ctx = this;
  run.sequence = ++sequence_;
  run.scheduled_unix_ns = unix_ns;
  run.previous_unix_ns = options.previous_unix_ns.value_or(previous_unix_ns_);
  run.deadline_mono_ns = clock_ns(CLOCK_MONOTONIC) + std::chrono::nanoseconds(options.timeout).count();
  run.cancel_fd = options.cancel_fd ? cancel_fd_ : -1;
  run.max_document_bytes = host_.max_document_bytes;
  run.cancelled = [](const pga_run* table) -> std::uint32_t {
    return static_cast<Impl*>(table->ctx)->cancelled_ns_ != 0 ? 1 : 0;
  };
  run.emit = [](const pga_run* table, pga_str json) -> pga_status {
    return static_cast<Impl*>(table->ctx)->emit({json.data, json.len});
  };
  return run;
}

// What a plugin finds that kept the run: poison to read, and calls that tell.
pga_run Instance::Impl::make_stale_run_table() {
  pga_run run{};
  std::fill_n(reinterpret_cast<unsigned char*>(&run), sizeof run, kPoison);
  run.ctx = this;
  run.cancelled = [](const pga_run* table) -> std::uint32_t {
    static_cast<Impl*>(table->ctx)->host_.note_violation("cancelled() was called with a run that is over");
    return 1;
  };
  run.emit = [](const pga_run* table, pga_str) -> pga_status {
    static_cast<Impl*>(table->ctx)->host_.note_violation("emit() was called with a run that is over");
    return PGA_E_FAIL;
  };
  return run;
}

pga_status Instance::Impl::emit(std::string_view json) {
  if (!collecting()) {
    host_.note_violation("emit() was called with a run that is over");
    return PGA_E_FAIL;
  }
  if (!may_ask("emit")) return PGA_E_FAIL;
  ++result_->emits;
  if (refusal_) ++result_->emits_after_error;
  const auto failure = fault(Service::kEmit);
  if (options_->emit_takes.count() != 0) host_.advance(options_->emit_takes);
  if (options_->cancel_at_emit == result_->emits) cancel();
  if (cancelled_ns_ != 0) {
    refuse({PGA_E_DEADLINE, "", "the run was cancelled", "", 0});
    return PGA_E_DEADLINE;
  }
  if (failure) {
    refuse({*failure, "testhost.fault", "the host refused a document, as the test told it to", "", 0});
    return *failure;
  }
  if (json.size() > host_.max_document_bytes) {
    refuse({PGA_E_LIMIT, "document.too_large", "a document of " + std::to_string(json.size()) + " bytes is too large", "", 0});
    return PGA_E_LIMIT;
  }
  if (auto checked = check_json_object(json); !checked) {
    refuse(std::move(checked).error());
    return PGA_E_FAIL;
  }
  result_->documents.emplace_back(json);
  return PGA_OK;
}

void Instance::Impl::refuse(Error why) {
  if (!refusal_) refusal_ = std::move(why);
}

}  // namespace pganalytics::testing
