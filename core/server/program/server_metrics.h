// What /metrics says: every number of the server, gathered from the parts that count. [the metrics endpoint's thread]
//
// Names are listed with their meaning in docs/SERVER_METRICS.md; a test compares.
#pragma once

#include "core/server/api/condition.h"
#include "core/server/forward/forwarder.h"
#include "core/server/http/https_server.h"
#include "core/server/ingest/push_counters.h"
#include "core/server/program/private_cluster.h"
#include "core/server/program/traffic.h"
#include "core/server/program/upkeep.h"
#include "core/server/store/store.h"

#include <string>

namespace pganalytics::server::program {

struct MetricSources {
  const http::HttpsServer& server;
  const http::Refusals& refusals;
  const Traffic& traffic;
  const ingest::PushCounters& pushes;
  store::Store& store;
  const Upkeep& upkeep;
  const api::Condition& condition;
  const forward::Forwarders& forwarders;
  const PrivateCluster* cluster;  // nullptr: the database is the operator's
};

std::string server_metrics(const MetricSources& sources);

}  // namespace pganalytics::server::program
