// pganalytics register: a registration token becomes this collector's identity.
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/plugin_facts.h"
#include "core/files/files.h"
#include "core/transport/enrolment.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;

Expected<std::string> read_standard_input() {
  std::string text;
  char buffer[512];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{PGA_E_FAIL, "register.token", std::string("unable to read standard input: ") + std::strerror(errno), "", 0};
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kTokenBytesMax) break;
  }
  return Error{PGA_E_CONFIG, "register.token", "standard input is longer than a token", "Give the token alone.", 0};
}

Expected<std::string> read_token(const CommandLine& line) {
  std::string token = line.text("token");
  if (line.has("token-file")) {
    const std::string path = line.text("token-file");
    PGA_TRY(token, path == "-" ? read_standard_input() : files::read(path, kTokenBytesMax));
  }
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!token.empty() && blank(token.back())) token.pop_back();
  while (!token.empty() && blank(token.front())) token.erase(0, 1);
  if (!token.empty()) return token;
  return Error{PGA_E_CONFIG, "register.token", "no registration token",
               "Give one that `pganalytics-server token create` printed.", 0};
}

Expected<transport::EnrolmentRequest> request_from(const CommandLine& line) {
  PGA_TRY(const config::CollectorConfig config, line.load_config());
  transport::EnrolmentRequest request;
  if (config.backend) {
    request.backend_url = config.backend->url;
    request.ca_file = config.backend->ca_file;
    request.proxy = config.backend->proxy;
  }
  if (line.has("backend")) request.backend_url = line.text("backend");
  if (request.backend_url.rfind("https://", 0) != 0) {
    return Error{PGA_E_CONFIG, "register.url",
                 request.backend_url.empty() ? "no server to register with" : "'" + request.backend_url + "' is not an https URL",
                 "Set [backend] url in the configuration, or give --backend https://host:8443.", 0};
  }
  request.ca_pin = line.text("ca-pin");
  if (request.ca_pin.empty() && request.ca_file.empty()) {
    return Error{PGA_E_CONFIG, "register.pin", "nothing says which server to trust",
                 "Give --ca-pin with the pin that `pganalytics-server token create` printed, or set [backend] ca_file.", 0};
  }
  request.name = line.has("name") ? line.text("name") : config.name;
  request.hostname = host_name();
  request.state_dir = config.state_dir;
  request.user_agent = std::string("pganalytics/") + PGANALYTICS_VERSION;
  PGA_TRY(request.token, read_token(line));
  return request;
}

void print_enrolment(const transport::Enrolment& enrolment, bool as_json) {
  if (!as_json) {
    std::printf("%s\n", enrolment.identity.collector_id.c_str());
    return;
  }
  JsonWriter json;
  json.begin_object().member("id", enrolment.identity.collector_id).member("expires_at", enrolment.expires_at).end_object();
  std::printf("%.*s\n", static_cast<int>(json.text().size()), json.text().data());
}

}  // namespace

int register_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line("register (--token-file FILE | --token TOKEN) --ca-pin PIN [options]",
                   "Makes a key, has the server certify it and writes the identity under [collector] state_dir. Prints the\n"
                   "collector's id. May be repeated after a failure with the same token.");
  line.add()                                                                                                      //
      ("token-file", po::value<std::string>()->value_name("FILE"), "registration token; - reads standard input")  //
      ("token", po::value<std::string>()->value_name("TOKEN"),
       "the token itself: seen by others in the process list, but it is used up at once")                         //
      ("ca-pin", po::value<std::string>()->value_name("PIN"), "sha256:<hex> of the server's CA")                  //
      ("name", po::value<std::string>()->value_name("NAME"), "the collector's name (default: [collector] name)")  //
      ("backend", po::value<std::string>()->value_name("URL"), "https://host:port (default: [backend] url)")      //
      ("json", "print {\"id\", \"expires_at\"}");
  if (const auto done = line.parse(arguments)) return *done;
  if (line.has("token") == line.has("token-file")) return line.usage_error("give one of --token-file and --token");
  const auto request = request_from(line);
  if (!request) {
    print_error(request.error());
    return kUsage;
  }
  const auto enrolment = transport::enrol(*request);
  if (!enrolment) {
    print_error(enrolment.error());
    return kFailed;
  }
  print_enrolment(*enrolment, line.has("json"));
  return kOk;
}

}  // namespace pganalytics::collector
