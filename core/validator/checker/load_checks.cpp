#include "core/validator/checker/load_checks.h"

#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include "core/clock/clock.h"
#include "core/host/plugin_info.h"
#include "core/validator/checker/process_state.h"

namespace pganalytics::validator {
namespace {

constexpr std::int64_t kLoadMsMax = 100;
constexpr std::int64_t kDescribeMsMax = 20'000;
constexpr std::uint32_t kMinorFarAhead = 9999;
constexpr std::size_t kTableBytesMax = 64u << 10;

// Where distributions put libraries; merged /usr or not.
constexpr std::string_view kSystemFolders[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};

int note_library(dl_phdr_info* info, std::size_t, void* context) {
  std::error_code failed;
  const std::string path = std::filesystem::canonical(info->dlpi_name, failed).string();
  if (!failed) static_cast<std::set<std::string>*>(context)->insert(path);  // not a file: this program, the vdso
  return 0;
}

std::set<std::string> loaded_libraries() {
  std::set<std::string> paths;
  dl_iterate_phdr(note_library, &paths);
  return paths;
}

bool is_of_the_system(const std::string& path) {
  return std::any_of(std::begin(kSystemFolders), std::end(kSystemFolders),
                     [&](std::string_view folder) { return path.rfind(folder, 0) == 0; });
}

struct TimedLoad {
  std::int64_t ms = 0;
  std::string printed;
};

// In a process of its own, because a library loads once: how long it took, and what it printed meanwhile.
TimedLoad load_in_child(Subject& subject) {
  std::array<int, 2> times{}, prints{};
  if (pipe(times.data()) != 0 || pipe(prints.data()) != 0) throw CannotCheck{Finding::skip("no pipes are left")};
  const pid_t child = fork();
  if (child == 0) {
    dup2(prints[1], STDOUT_FILENO);
    dup2(prints[1], STDERR_FILENO);
    const std::int64_t begin_ns = clock::now_monotonic_ns();
    subject.entry()(PGA_ABI_MINOR);
    const std::int64_t took_ns = clock::now_monotonic_ns() - begin_ns;
    std::fflush(nullptr);
    _exit(write(times[1], &took_ns, sizeof took_ns) == sizeof took_ns ? 0 : 1);
  }
  close(times[1]);
  close(prints[1]);
  TimedLoad load;
  char buffer[512];
  for (ssize_t got = 0; (got = read(prints[0], buffer, sizeof buffer)) > 0;) {
    if (load.printed.size() < sizeof buffer) load.printed.append(buffer, static_cast<std::size_t>(got));
  }
  std::int64_t took_ns = 0;
  const bool timed = read(times[0], &took_ns, sizeof took_ns) == sizeof took_ns;
  close(times[0]);
  close(prints[0]);
  waitpid(child, nullptr, 0);
  if (!timed) throw CannotCheck{Finding::fail("it ended the process while being loaded")};
  load.ms = took_ns / 1'000'000;
  return load;
}

template <class Table>
bool is_plausible(const Table* table) {
  return table->struct_size <= kTableBytesMax && table->struct_size % sizeof(std::uint32_t) == 0;
}

// Everything 1.0 has, for the members that a 1.0 host reads without asking.
Finding check_descriptor_table(const pga_descriptor* descriptor) {
  if (descriptor == nullptr) return Finding::fail("descriptor is NULL");
  if (!is_plausible(descriptor) || !PGA_HAS(pga_descriptor, descriptor, default_timeout_ms)) {
    return Finding::fail("descriptor.struct_size is " + std::to_string(descriptor->struct_size) + ", 1.0 has " +
                         std::to_string(sizeof(pga_descriptor)));
  }
  const std::pair<const char*, const char*> texts[] = {{"id", descriptor->id},
                                                       {"aliases", descriptor->aliases},
                                                       {"version", descriptor->version},
                                                       {"vendor", descriptor->vendor},
                                                       {"description", descriptor->description},
                                                       {"license", descriptor->license},
                                                       {"url", descriptor->url},
                                                       {"config_schema", descriptor->config_schema},
                                                       {"output_schema", descriptor->output_schema}};
  for (const auto& [name, text] : texts) {
    if (text == nullptr) return Finding::fail(std::string("descriptor.") + name + " is NULL");
  }
  return Finding::pass();
}

}  // namespace

// Asked of the real worker, which is linked to less than this process is.
Finding check_symbols_resolve(Subject& subject) {
  now_at("loading it in a worker");
  const host::Candidate candidate{subject.request().file, subject.facts().id, std::nullopt};
  const auto described = host::describe(candidate, subject.request().worker_path, kDescribeMsMax);
  if (described) return Finding::pass();
  // What a worker says of the tables of a plugin that it could load is for other checks to judge.
  const std::string& code = described.error().code;
  if (code == "plugin.table" || code == "plugin.entry" || code == "plugin.refused" || code == "plugin.needs" ||
      code == "plugin.abi_minor") {
    return Finding::pass();
  }
  return Finding::fail(described.error().message);
}

Finding check_libraries(Subject& subject) {
  const std::set<std::string> before = loaded_libraries();
  subject.library();
  for (const std::string& path : loaded_libraries()) {
    if (before.count(path) == 0 && path != subject.request().file && !is_of_the_system(path)) {
      return Finding::fail("it brings in " + path);
    }
  }
  return Finding::pass();
}

Finding check_load_time_and_output(Subject& subject) {
  now_at("loading it");
  std::int64_t best_ms = 0;
  constexpr int kTries = 3;  // a busy machine is not the plugin's fault
  for (int i = 0; i < kTries; ++i) {
    const TimedLoad load = load_in_child(subject);
    if (!load.printed.empty()) return Finding::fail("it printed '" + load.printed.substr(0, load.printed.find('\n')) + "'");
    best_ms = i == 0 ? load.ms : std::min(best_ms, load.ms);
    if (best_ms < kLoadMsMax) return Finding::pass(std::to_string(best_ms) + " ms");
  }
  return Finding::fail("it took " + std::to_string(best_ms) + " ms to load");
}

Finding check_entry_is_pure(Subject& subject) {
  const Subject::Entry entry = subject.entry();
  now_at("its entry function");
  const pga_plugin* const first = entry(PGA_ABI_MINOR);
  std::array<const pga_plugin*, 4> more = {entry(PGA_ABI_MINOR), entry(PGA_ABI_MINOR), nullptr, nullptr};
  std::thread one([&] { more[2] = entry(PGA_ABI_MINOR); });
  std::thread other([&] { more[3] = entry(PGA_ABI_MINOR); });
  one.join();
  other.join();
  if (first == nullptr) return Finding::fail("it refuses this host (ABI minor " + std::to_string(PGA_ABI_MINOR) + ")");
  const bool same = std::all_of(more.begin(), more.end(), [first](const pga_plugin* again) { return again == first; });
  return same ? Finding::pass() : Finding::fail("it returned different pointers to the same question");
}

Finding check_load_side_effects(Subject& subject) {
  const ProcessState before = ProcessState::now();
  subject.entry()(PGA_ABI_MINOR);
  const auto difference = before.difference(ProcessState::now());
  return difference ? Finding::fail(*difference) : Finding::pass();
}

Finding check_tables(Subject& subject) {
  const pga_plugin* const plugin = subject.plugin();
  if (!is_plausible(plugin) || !PGA_HAS(pga_plugin, plugin, destroy)) {
    return Finding::fail("its struct_size is " + std::to_string(plugin->struct_size) + ", 1.0 has " +
                         std::to_string(sizeof(pga_plugin)));
  }
  if (plugin->abi_minor > subject.facts().abi_minor) {
    return Finding::fail("its table says ABI minor " + std::to_string(plugin->abi_minor) + ", its note " +
                         std::to_string(subject.facts().abi_minor));
  }
  if (plugin->create == nullptr) return Finding::fail("create is NULL");
  if (plugin->configure == nullptr) return Finding::fail("configure is NULL");
  if (plugin->collect == nullptr) return Finding::fail("collect is NULL");
  if (plugin->destroy == nullptr) return Finding::fail("destroy is NULL");
  return check_descriptor_table(plugin->descriptor);
}

Finding check_host_minors(Subject& subject) {
  const std::uint32_t least = subject.plugin()->descriptor->min_host_minor;
  if (least > subject.plugin()->abi_minor) {
    return Finding::fail("it wants a host of minor " + std::to_string(least) + " and was compiled with minor " +
                         std::to_string(subject.plugin()->abi_minor));
  }
  for (const std::uint32_t minor : {0u, PGA_ABI_MINOR, kMinorFarAhead}) {
    now_at(("its entry function, for a host of minor " + std::to_string(minor)).c_str());
    const pga_plugin* const plugin = subject.entry()(minor);
    if (plugin == nullptr && minor >= least) return Finding::fail("it refuses a host of minor " + std::to_string(minor));
    if (plugin != nullptr && !PGA_HAS(pga_plugin, plugin, destroy)) {
      return Finding::fail("its table for a host of minor " + std::to_string(minor) + " is too short");
    }
  }
  return Finding::pass();
}

}  // namespace pganalytics::validator
