// Batches pushed to an engine that is not ours, as the requests that an exporter (core/exporters) makes of them.
//
// A batch is acknowledged when each of its requests was answered with success; after a failure all of them are sent again, so the
// receiver may get some of it twice. [delivery thread only, but for interrupt()]
#pragma once

#include "core/exporters/receiver.h"
#include "core/transport/destination.h"

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

// `collector`: the name of the one that emitted it all. Errors are those of Receiver::open().
Expected<std::unique_ptr<Destination>> open_exported_destination(std::string collector, exporters::ExportTarget target,
                                                                 std::unique_ptr<exporters::Exporter> exporter);

}  // namespace pganalytics::transport
