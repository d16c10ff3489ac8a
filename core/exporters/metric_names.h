// What a field is called in Prometheus, and in which unit it stands there: seconds, bytes and ratios, as its conventions want
// (prometheus.io/docs/practices/naming).
//
// The name is <family>_<field>; a unit at the field's end gives way to the base unit's name (age_ms: age_seconds), and counters
// end in _total; a gauge that does (inodes_total) ends in _all, because _total would say that it is a counter. Units that are no
// units of measure ({row}, 1) leave no trace. Pure functions. [any thread]
#pragma once

#include "core/schema/families.h"

#include <string>
#include <string_view>

namespace pganalytics::exporters {

struct MetricName {
  std::string name;
  // The base unit's value is value * multiply_by / divide_by: dividing keeps what is exact in decimals as near as it can be.
  double multiply_by = 1;
  double divide_by = 1;
};

// `unit`: UCUM, as in the schema.
MetricName name_of_field(std::string_view family, std::string_view field, schema::FieldKind kind, std::string_view unit);

// Of a fact that is a time, as Unix seconds: <family>_<fact>_timestamp_seconds.
std::string name_of_time(std::string_view family, std::string_view fact);

// What a label of a row is called. Names that are the exporters' own (collector, source) or Prometheus' (job, instance, le,
// quantile, whatever begins with two underscores) get the prefix that Prometheus itself gives in such a case: exported_instance.
std::string name_of_label(std::string_view label);

}  // namespace pganalytics::exporters
