#include "plugins/sysstat/pressure.h"

#include <pganalytics/text.hpp>
#include <string>

namespace pganalytics::sysstat {
namespace {

struct Average {
  std::string_view name;  // in the file
  const char* key;        // in the document
  std::optional<double> Stall::*member;
};
constexpr Average kAverages[] = {
    {"avg10=", "_avg10", &Stall::avg10}, {"avg60=", "_avg60", &Stall::avg60}, {"avg300=", "_avg300", &Stall::avg300}};
constexpr std::string_view kTotal = "total=";
constexpr double kPercent = 100;

bool begins_with(std::string_view text, std::string_view beginning) { return text.substr(0, beginning.size()) == beginning; }

std::optional<double> share_of(std::string_view percents) {
  const auto number = to_number<double>(percents);
  return number && *number >= 0 && *number <= kPercent ? std::optional(*number / kPercent) : std::nullopt;  // refuses "nan" too
}

Stall parse_stall(std::string_view words) {
  Stall stall;
  for (std::string_view word = next_word(words); !word.empty(); word = next_word(words)) {
    if (begins_with(word, kTotal)) stall.total_us = to_count(word.substr(kTotal.size()));
    for (const Average& average : kAverages) {
      if (begins_with(word, average.name)) stall.*average.member = share_of(word.substr(average.name.size()));
    }
  }
  return stall;
}

void write_stall(JsonWriter& writer, const std::string& name, const Stall& stall) {
  writer.member(name + "_us", stall.total_us);
  for (const Average& average : kAverages) writer.member(name + average.key, stall.*average.member);
}

}  // namespace

Pressure parse_pressure(std::string_view text) {
  Pressure pressure;
  while (auto line = next_line(text)) {
    const std::string_view who = next_word(*line);
    if (who == "some") pressure.some = parse_stall(*line);
    if (who == "full") pressure.full = parse_stall(*line);
  }
  return pressure;
}

std::optional<HostPressure> read_pressure(const Tree& proc) {
  const auto cpu = proc.read("pressure/cpu");
  const auto memory = proc.read("pressure/memory");
  const auto io = proc.read("pressure/io");
  if (!cpu || !memory || !io) return std::nullopt;
  const auto irq = proc.read("pressure/irq");
  return HostPressure{parse_pressure(*cpu), parse_pressure(*memory), parse_pressure(*io),
                      irq ? parse_pressure(*irq) : Pressure{}};
}

void to_json(JsonWriter& writer, const HostPressure& pressure) {
  writer.begin_object();
  write_stall(writer, "cpu_some", pressure.cpu.some);
  write_stall(writer, "cpu_full", pressure.cpu.full);
  write_stall(writer, "memory_some", pressure.memory.some);
  write_stall(writer, "memory_full", pressure.memory.full);
  write_stall(writer, "io_some", pressure.io.some);
  write_stall(writer, "io_full", pressure.io.full);
  write_stall(writer, "irq_full", pressure.irq.full);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
