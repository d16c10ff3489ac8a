#include "tests/plugins/exec/scripts.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pganalytics::testing {

Scripts& Scripts::add(const std::string& name, const std::string& text, const std::string& more) {
  std::ofstream(path(name)) << "#!/bin/sh\n" << text;
  ::chmod(path(name).c_str(), 0755);
  return add_argv(name, "[\"" + path(name) + "\"]", more);
}

Scripts& Scripts::add_argv(const std::string& name, const std::string& argv_json, const std::string& more) {
  commands_ += (commands_.empty() ? "" : ",") + (R"({"name":")" + name + R"(","argv":)" + argv_json + more + "}");
  return *this;
}

std::string Scripts::content(const std::string& file) const {
  std::ostringstream text;
  text << std::ifstream(path(file)).rdbuf();
  return text.str();
}

const rapidjson::Value& ExecRun::command(const std::string& name) const {
  for (const auto& command : document["commands"].GetArray()) {
    if (name == command["command"].GetString()) return command;
  }
  throw std::runtime_error("no command " + name);
}

std::string ExecRun::errors(const std::string& name) const {
  std::string codes;
  for (const auto& error : document["errors"].GetArray()) {
    if (name == error["command"].GetString()) codes += (codes.empty() ? "" : " ") + std::string(error["code"].GetString());
  }
  return codes;
}

std::string ExecRun::message(const std::string& name) const {
  for (const auto& error : document["errors"].GetArray()) {
    if (name == error["command"].GetString()) return error["message"].GetString();
  }
  return "";
}

double ExecRun::number(const std::string& command, const std::string& name, const char* key) const {
  for (const auto& entry : document["entries"].GetArray()) {
    if (command == entry["command"].GetString() && name == entry["name"].GetString()) return entry[key].GetDouble();
  }
  throw std::runtime_error("no entry " + name + " of " + command);
}

ExecRun exec_run(Instance& instance, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  CollectOptions options;
  options.timeout = timeout;
  const CollectResult result = instance.collect(options);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  return {only_document(result), took};
}

ExecRun exec_run(const Scripts& scripts, std::chrono::milliseconds timeout) {
  FakeHost host;
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const Outcome configured = instance.configure(with_defaults(scripts.config()));
  INFO((configured ? "" : configured.error().message));
  REQUIRE(configured);
  return exec_run(instance, timeout);
}

}  // namespace pganalytics::testing
