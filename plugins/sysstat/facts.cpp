#include "plugins/sysstat/facts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/sysstat/readings.h"

namespace pganalytics::sysstat {
namespace {

constexpr std::string_view kBlanks = " \t\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// A file of one line; empty if there is none.
std::string line_of(const Tree& tree, const char* path) {
  const auto text = tree.read(path);
  return text ? std::string(trimmed(*text)) : "";
}

Count number_of(const Tree& tree, const char* path) { return to_count(line_of(tree, path)); }

std::string choice_of(const Tree& tree, const char* path) { return std::string(chosen_of(line_of(tree, path))); }

// The first block only: the kernel measures the speed of each processor whose entry is read.
std::string cpu_model_of(const Tree& proc) {
  const int file = ::open((proc.root() + "/cpuinfo").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  char block[1024];
  const ssize_t got = ::read(file, block, sizeof block);
  ::close(file);
  std::string_view text(block, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (const auto line = next_line(text)) {
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos || trimmed(line->substr(0, colon)) != "model name") continue;
    return std::string(trimmed(line->substr(colon + 1)));
  }
  return "";
}

}  // namespace

Count count_of_list(std::string_view list) {
  constexpr std::uint64_t kMax = 1 << 20;  // no machine has more; keeps the sum from overflowing
  list = trimmed(list);
  std::uint64_t count = 0;
  while (!list.empty()) {
    const std::string_view range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(range.size() + 1, list.size()));
    const std::size_t dash = range.find('-');
    const auto first = to_number<std::uint64_t>(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : to_number<std::uint64_t>(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first >= kMax || count >= kMax) return std::nullopt;
    count += *last - *first + 1;
  }
  return count > 0 ? Count(count) : std::nullopt;
}

std::string_view chosen_of(std::string_view choices) {
  const std::size_t open = choices.find('[');
  const std::size_t close = choices.find(']', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return choices.substr(open + 1, close - open - 1);
}

Facts read_facts(const Tree& proc, const Tree& sys) {
  Facts facts;
  facts.kernel_release = line_of(proc, "sys/kernel/osrelease");
  facts.hardware =
      std::string(trimmed(line_of(sys, "class/dmi/id/sys_vendor") + " " + line_of(sys, "class/dmi/id/product_name")));
  facts.cpu_model = cpu_model_of(proc);
  facts.cpus_online = count_of_list(line_of(sys, "devices/system/cpu/online"));
  facts.cpus_possible = count_of_list(line_of(sys, "devices/system/cpu/possible"));
  facts.numa_nodes = count_of_list(line_of(sys, "devices/system/node/online"));
  if (const Count smt = number_of(sys, "devices/system/cpu/smt/active")) facts.smt = *smt != 0;
  facts.cpu_governor = line_of(sys, "devices/system/cpu/cpu0/cpufreq/scaling_governor");
  facts.clocksource = line_of(sys, "devices/system/clocksource/clocksource0/current_clocksource");
  Gaps told_already;
  const auto meminfo = proc.read("meminfo");
  const Memory memory = parse_memory(meminfo ? *meminfo : "", told_already);
  facts.memory_bytes = memory.total;
  facts.huge_page_bytes = memory.huge_page_size;
  facts.transparent_hugepages = choice_of(sys, "kernel/mm/transparent_hugepage/enabled");
  facts.transparent_hugepage_defrag = choice_of(sys, "kernel/mm/transparent_hugepage/defrag");
  facts.swappiness = number_of(proc, "sys/vm/swappiness");
  facts.overcommit_memory = number_of(proc, "sys/vm/overcommit_memory");
  facts.overcommit_ratio = number_of(proc, "sys/vm/overcommit_ratio");
  return facts;
}

void to_json(JsonWriter& writer, const Facts& facts) {
  writer.begin_object();
  writer.member("kernel_release", text_or_null(facts.kernel_release)).member("hardware", text_or_null(facts.hardware));
  writer.member("cpu_model", text_or_null(facts.cpu_model)).member("cpus_online", facts.cpus_online);
  writer.member("cpus_possible", facts.cpus_possible).member("smt", facts.smt).member("numa_nodes", facts.numa_nodes);
  writer.member("cpu_governor", text_or_null(facts.cpu_governor)).member("clocksource", text_or_null(facts.clocksource));
  writer.member("memory_bytes", facts.memory_bytes).member("huge_page_bytes", facts.huge_page_bytes);
  writer.member("transparent_hugepages", text_or_null(facts.transparent_hugepages));
  writer.member("transparent_hugepage_defrag", text_or_null(facts.transparent_hugepage_defrag));
  writer.member("swappiness", facts.swappiness).member("overcommit_memory", facts.overcommit_memory);
  writer.member("overcommit_ratio", facts.overcommit_ratio);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
