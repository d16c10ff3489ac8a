// A worker with the probing plugin (plugins/probe.c) under a policy of the test's choice: tries one thing, and is gone.
#pragma once

#include <string>

#include "core/host/sandbox_policy.h"

namespace pganalytics::host {

struct Probed {
  int code = -1;                  // errno of what it tried; 0: it succeeded; -1: the worker did not get that far
  std::string text;               // strerror, or what "who" says; why there is no code
  std::vector<std::string> gaps;  // of its hello
};

// The probing plugin with these needs, and nothing else set.
PluginSettings probing(std::uint32_t needs);

Probed probe(const PluginSettings& settings, const std::string& what, const std::string& path = "", long number = 0);
Probed probe(WorkerPolicy policy, const std::string& what, const std::string& path = "", long number = 0);

// What `body` returns as an ordinary user (nobody); as it is where this process is one.
int as_ordinary_user(int (*body)());

}  // namespace pganalytics::host
