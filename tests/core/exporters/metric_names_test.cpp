#include "core/exporters/metric_names.h"

#include "tests/support/catch.h"

using namespace pganalytics::exporters;
using pganalytics::schema::FieldKind;

TEST_CASE("a field's unit becomes the base unit's name at its end") {
  struct Case {
    const char *field, *unit, *name;
    double of_thousand;  // what 1000 of its unit are
  };
  const Case cases[] = {{"size_bytes", "By", "f_size_bytes", 1000},
                        {"size", "By", "f_size_bytes", 1000},
                        {"bytes_received", "By", "f_bytes_received", 1000},
                        {"bytes", "By", "f_bytes", 1000},
                        {"megabytes", "By", "f_megabytes_bytes", 1000},
                        {"age_seconds", "s", "f_age_seconds", 1000},
                        {"total_duration_ms", "ms", "f_total_duration_seconds", 1},
                        {"ms", "ms", "f_seconds", 1},
                        {"latency_us", "us", "f_latency_seconds", 0.001},
                        {"forms", "ms", "f_forms_seconds", 1},
                        {"used_percent", "%", "f_used_ratio", 10},
                        {"used", "%", "f_used_ratio", 10},
                        {"speed", "By/s", "f_speed_bytes_per_second", 1000},
                        {"share", "1", "f_share", 1000},
                        {"rows", "{row}", "f_rows", 1000},
                        {"inodes_total", "{inode}", "f_inodes_all", 1000},
                        {"total", "1", "f_all", 1000},
                        {"memory_total", "By", "f_memory_total_bytes", 1000}};
  for (const Case& each : cases) {
    CAPTURE(each.field, each.unit);
    const MetricName metric = name_of_field("f", each.field, FieldKind::kGauge, each.unit);
    CHECK(metric.name == each.name);
    CHECK(1000 * metric.multiply_by / metric.divide_by == each.of_thousand);
    CHECK(name_of_field("f", each.field, FieldKind::kUpdown, each.unit).name == each.name);
  }
}

TEST_CASE("counters end in _total, once") {
  CHECK(name_of_field("f", "scans", FieldKind::kCounter, "{scan}").name == "f_scans_total");
  CHECK(name_of_field("f", "scans_total", FieldKind::kCounter, "{scan}").name == "f_scans_total");
  CHECK(name_of_field("f", "bytes_total", FieldKind::kCounter, "By").name == "f_bytes_total");
  CHECK(name_of_field("f", "cpu_ms", FieldKind::kCounter, "ms").name == "f_cpu_seconds_total");
  CHECK(name_of_field("f", "total", FieldKind::kCounter, "1").name == "f_total");
}

TEST_CASE("a time is a gauge of Unix seconds") {
  CHECK(name_of_time("f", "last_vacuum") == "f_last_vacuum_timestamp_seconds");
  CHECK(name_of_time("f", "start_time") == "f_start_timestamp_seconds");
  CHECK(name_of_time("f", "timestamp") == "f_timestamp_seconds");
}

TEST_CASE("labels that are Prometheus' own, or the exporters', get its prefix") {
  CHECK(name_of_label("database") == "database");
  for (const char* taken : {"job", "instance", "collector", "source", "le", "quantile", "__name__"}) {
    CHECK(name_of_label(taken) == std::string("exported_") + taken);
  }
}
