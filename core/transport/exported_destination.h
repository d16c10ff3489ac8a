// Batches pushed to an engine that is not ours, as the requests that an exporter (core/exporters) makes of them.
//
// A batch is acknowledged when each of its requests was answered with success; after a failure all of them are sent again, so the
// receiver may get some of it twice. The status alone says what became of a request: there is no acknowledgement to look for.
// [delivery thread only, but for interrupt()]
#pragma once

#include "core/exporters/exporter.h"
#include "core/transport/destination.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::transport {

struct ExportTarget {
  std::string url;      // https, or http to a loopback address
  std::string ca_file;  // PEM bundle; with https only
  std::string proxy;
  std::vector<std::string> headers;  // of every request, "Name: value"
  std::int64_t timeout_ms = 30'000;
  std::string user_agent;
};

// PGA_E_CONFIG: the URL or the bundle is not usable.
Expected<std::unique_ptr<Destination>> open_exported_destination(ExportTarget target,
                                                                 std::unique_ptr<exporters::Exporter> exporter);

}  // namespace pganalytics::transport
