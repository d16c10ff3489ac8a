#include "plugins/exec/document.h"

#include <cstring>

#include "plugins/exec/json_lines.h"
#include "plugins/exec/performance_data.h"

namespace pganalytics::exec {
namespace {

constexpr const char* kStatuses[] = {"ok", "warning", "critical", "unknown"};
// Kept free for "errors": a few per command, each a few hundred bytes.
constexpr std::size_t kErrorsBytes = 192u << 10;
constexpr std::size_t kErrorBytesMax = 600;

struct Wrong {
  const std::string* command;
  std::string code, message;
};

std::string told(const Error& error) { return error.hint.empty() ? error.message : error.message + "\nHINT: " + error.hint; }

// 0 to 3 as the format knows them; nullopt: failed.
std::optional<int> status_code(const Command& command, const Finished& finished) {
  if (finished.failure || !finished.exit || !finished.exit->code) return std::nullopt;
  const int code = *finished.exit->code;
  return code <= (command.format == Format::kNagios ? 3 : 0) ? std::optional(code) : std::nullopt;
}

std::string with_last_line(const std::string& what, const Finished& finished) {
  return finished.last_error_line.empty() ? what : what + ": " + finished.last_error_line;
}

// Why a command's status is "failed".
Wrong failure_of(const Command& command, const Finished& finished) {
  if (finished.failure) return {&command.name, finished.failure->code, with_last_line(told(*finished.failure), finished)};
  if (finished.exit && finished.exit->code) {
    return {&command.name, "exec.exit",
            with_last_line("it exited with status " + std::to_string(*finished.exit->code), finished)};
  }
  if (finished.exit && finished.exit->signal) {
    const int number = *finished.exit->signal;
    const char* const name = ::sigabbrev_np(number);
    return {&command.name, "exec.signal",
            with_last_line(
                "signal " + std::to_string(number) + (name != nullptr ? std::string(" (SIG") + name + ")" : "") + " ended it",
                finished)};
  }
  return {&command.name, "exec.exit", "it ended, and the system does not say how"};
}

class Document {
 public:
  explicit Document(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::string write(const std::vector<Command>& commands, const std::vector<Finished>& finished, const std::string& timestamp) {
    std::vector<Reading> readings;
    json_.begin_object().member("type", "exec").member("timestamp", timestamp);
    json_.key("commands").begin_array();
    for (std::size_t i = 0; i < commands.size(); ++i) {
      readings.push_back(commands[i].format == Format::kNagios ? read_nagios(finished[i].out) : read_json_lines(finished[i].out));
      write_command(commands[i], finished[i], readings.back());
    }
    json_.end_array().key("entries").begin_array();
    for (std::size_t i = 0; i < commands.size(); ++i) write_entries(commands[i], readings[i]);
    json_.end_array();
    write_errors();
    json_.end_object();
    return std::string(json_.text());
  }

 private:
  void write_command(const Command& command, const Finished& finished, const Reading& reading) {
    const auto code = status_code(command, finished);
    if (!code) wrongs_.push_back(failure_of(command, finished));
    for (const Problem& problem : reading.problems) wrongs_.push_back({&command.name, problem.code, problem.message});
    const Exit exit = finished.exit.value_or(Exit{});
    json_.begin_object().member("command", command.name).member("status", code ? kStatuses[*code] : "failed");
    json_.member("status_code", code).member("exit_code", exit.code).member("signal", exit.signal);
    json_.member("duration_ms", finished.duration ? std::optional(finished.duration->count()) : std::nullopt);
    json_.member("output_bytes", finished.out.size()).member("text", text_or_null(reading.text)).end_object();
  }

  void write_entries(const Command& command, const Reading& reading) {
    std::size_t left_out = 0;
    for (const Entry& entry : reading.entries) {
      // An entry with its longest texts, each byte of them escaped as \u00xx, stays below what is kept free twice over.
      if (json_.text().size() + kErrorsBytes > bytes_max_) {
        ++left_out;
      } else {
        write_entry(command, entry);
      }
    }
    if (left_out > 0) {
      wrongs_.push_back(
          {&command.name, "exec.limit",
           std::to_string(left_out) + " entries are left out: a document has " + std::to_string(bytes_max_) + " bytes"});
    }
  }

  void write_entry(const Command& command, const Entry& entry) {
    json_.begin_object().member("command", command.name).member("name", entry.name).member("labels", entry.labels);
    json_.member("unit", entry.unit);
    write_number("value", entry.value);
    write_number("total", entry.total);
    json_.member("minimum", entry.minimum).member("maximum", entry.maximum);
    json_.member("warning", text_or_null(entry.warning)).member("critical", text_or_null(entry.critical)).end_object();
  }

  void write_number(const char* key, const std::optional<Number>& number) {
    json_.key(key);
    if (!number) {
      json_.value(nullptr);
    } else {
      std::visit([this](auto value) { json_.value(value); }, *number);
    }
  }

  void write_errors() {
    json_.key("errors").begin_array();
    for (const Wrong& wrong : wrongs_) {
      if (json_.text().size() + 2 * kErrorBytesMax * 6 > bytes_max_) break;  // 6: of \u00xx
      json_.begin_object().member("command", *wrong.command).member("code", wrong.code);
      json_.member("message", clipped(wrong.message, kErrorBytesMax)).end_object();
    }
    json_.end_array();
  }

  const std::size_t bytes_max_;
  JsonWriter json_;
  std::vector<Wrong> wrongs_;
};

}  // namespace

std::string document_of(const std::vector<Command>& commands, const std::vector<Finished>& finished, const std::string& timestamp,
                        std::size_t bytes_max) {
  return Document(bytes_max).write(commands, finished, timestamp);
}

}  // namespace pganalytics::exec
