// What is said over the control socket: one JSON object in, one out, a line each, then the end.
//
//     {"command":"status"}                          {"result":{...}}
//     {"command":"release","plugin":"sysstat"}      {"error":{"status":-8,"code":"plugin.unknown","message":"...","hint":"..."}}
//
// Here: lines to requests and answers, and back. Not here: sockets (control_socket.h, control_client.h). A line may come from
// anybody who reached the socket: it is parsed with limits, and what is not known is refused. Pure functions. [any thread]
#pragma once

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::collector {

constexpr std::size_t kControlRequestBytesMax = 4096;     // with its newline
constexpr std::size_t kControlAnswerBytesMax = 8u << 20;  // thousands of plugins and losses

struct ControlRequest {
  enum class Command { kStatus, kRelease };
  Command command = Command::kStatus;
  std::string plugin;  // of kRelease
};

// PGA_E_CONFIG: error.code "control.malformed", "control.unknown_command".
Expected<ControlRequest> parse_request(std::string_view line);
std::string to_line(const ControlRequest& request);

// `result_json` is one JSON value.
std::string answer_line(std::string_view result_json);
std::string error_line(const Error& error);
// The result, or the error that the other side told. error.code "control.answer" when it is neither.
Expected<rapidjson::Document> parse_answer(std::string_view line);

}  // namespace pganalytics::collector
