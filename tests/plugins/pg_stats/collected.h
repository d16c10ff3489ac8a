// A run of the plugin as its reader sees it: its documents, parsed and valid against the output schema, and what is in them.
#pragma once

#include <pganalytics/plugin.h>
#include <rapidjson/document.h>

#include <pganalytics/testhost.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/plugins/alone.h"
#include "tests/support/catch.h"

namespace pganalytics::testing {

// A server of most tests does not have the extension.
inline const std::string kNoStatements = R"("families":{"statements":{"enabled":false},"statement_info":{"enabled":false}})";

struct Collected {
  CollectResult result;
  std::vector<rapidjson::Document> documents;
};

inline Collected parsed(CollectResult result) {
  static const auto schema = output_schema();
  Collected collected{std::move(result), {}};
  for (const std::string& text : collected.result.documents) {
    rapidjson::Document document;
    document.Parse(text.c_str(), text.size());
    REQUIRE_FALSE(document.HasParseError());
    const Outcome valid = schema.validate(document);
    INFO((valid ? "" : valid.error().message));
    CHECK(valid);
    collected.documents.push_back(std::move(document));
  }
  return collected;
}

inline Collected collect(Instance& instance, const CollectOptions& options = {std::chrono::seconds(30), 0, PGA_REASON_ONDEMAND}) {
  return parsed(instance.collect(options));
}

inline Instance configured(FakeHost& host, const std::string& config) {
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const Outcome taken = instance.configure(config);
  INFO((taken ? "" : taken.error().message));
  REQUIRE(taken);
  return instance;
}

// The first run of an instance of its own.
inline Collected collect(FakeHost& host, const std::string& config,
                         const CollectOptions& options = {std::chrono::seconds(30), 0, PGA_REASON_SCHEDULE}) {
  Instance instance = configured(host, config);
  return collect(instance, options);
}

inline rapidjson::Document only_document_of(Collected collected) {
  INFO(collected.result.error_code << ": " << collected.result.error_message);
  REQUIRE(collected.result.status == PGA_OK);
  REQUIRE(collected.documents.size() == 1);
  return std::move(collected.documents.front());
}

inline rapidjson::Document collect_one(const std::string& config) {
  FakeHost host;
  return only_document_of(collect(host, config));
}

inline const rapidjson::Value* named(const rapidjson::Value& list, const std::string& name) {
  for (const rapidjson::Value& item : list.GetArray()) {
    if (item["name"].GetString() == name) return &item;
  }
  return nullptr;
}

inline const rapidjson::Value& database(const rapidjson::Value& document, const std::string& name) {
  const rapidjson::Value* const found = named(document["databases"], name);
  INFO("database " << name);
  REQUIRE(found != nullptr);
  return *found;
}

using Codes = std::vector<std::string>;

inline Codes error_codes(const rapidjson::Value& document, const std::string& database) {
  Codes codes;
  for (const rapidjson::Value& error : document["errors"].GetArray()) {
    if (error["database"].IsString() && error["database"].GetString() == database) codes.emplace_back(error["code"].GetString());
  }
  return codes;
}

// All errors, each with what it says; a test names those it waits for and finds the others in its own output.
inline std::vector<const rapidjson::Value*> errors_of(const Collected& collected) {
  std::vector<const rapidjson::Value*> errors;
  for (const rapidjson::Document& document : collected.documents) {
    for (const rapidjson::Value& error : document["errors"].GetArray()) errors.push_back(&error);
  }
  return errors;
}

// It went well and nothing is missing.
inline bool is_without_errors(const Collected& collected) {
  UNSCOPED_INFO(collected.result.error_message);
  for (const rapidjson::Value* const error : errors_of(collected)) UNSCOPED_INFO((*error)["message"].GetString());
  return collected.result.status == PGA_OK && errors_of(collected).empty();
}

// Names of the tables that have come from a database.
inline std::set<std::string> tables_of(const Collected& collected, const std::string& database) {
  std::set<std::string> names;
  for (const rapidjson::Document& document : collected.documents) {
    const rapidjson::Value* const entry = named(document["databases"], database);
    if (entry == nullptr || !entry->HasMember("tables")) continue;
    for (const rapidjson::Value& row : (*entry)["tables"]["rows"].GetArray()) names.emplace(row["name"].GetString());
  }
  return names;
}

}  // namespace pganalytics::testing
