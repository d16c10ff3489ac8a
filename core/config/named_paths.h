// The files and folders that a plugin's configuration names, found by the formats of its schema.
//
// Here: the walk over schema and value, and the files in a connection string. Not here: which of them a plugin gets to read
// (core/host). [any thread]
#pragma once

#include "core/schema/schema.h"

#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::config {

struct NamedPaths {
  std::vector<std::string> paths;  // "format": "path-read": files, folders, patterns
  std::vector<std::string> files;  // of "format": "conninfo": certificates, keys, password files
};

// `value` is valid against `schema`, defaults filled in.
NamedPaths named_paths(const rapidjson::Value& value, const schema::Schema& schema);

// sslcert, sslkey, sslrootcert, sslcrl, sslcrldir and passfile of a conninfo, keyword=value or URI. What is malformed names
// nothing.
std::vector<std::string> conninfo_files(std::string_view conninfo);

}  // namespace pganalytics::config
