// Files that must be right or absent: whole reads with a limit, atomic writes, and the checks a private key deserves.
//
// Here: small files of ours (keys, certificates, tokens, configuration). Not here: the spool's database, plugins' data.
// [any thread]
#pragma once

#include <sys/types.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::files {

// The whole file. PGA_E_NOTFOUND if it does not exist, PGA_E_DENIED if it may not be read, PGA_E_LIMIT if larger than max_bytes.
Expected<std::string> read(const std::string& path, std::size_t max_bytes = 1 << 20);

// Write, fsync, rename over `path`, fsync the folder: after a crash `path` holds the old content or the new, whole.
Outcome write_atomically(const std::string& path, std::string_view content, mode_t mode);

// Create `path` and its parents where missing; the last one gets `mode`.
Outcome make_directories(const std::string& path, mode_t mode);

// A secret's file must be a regular file (no symlink), owned by root or this process' user, closed to group and others;
// root's own may be group-readable (0640). PGA_E_DENIED with a HINT otherwise.
Outcome check_private(const std::string& path);

// The same, and nobody else can put another file in its place: its folder belongs to root or this process' user, and neither it
// nor one above it may be written by others, unless it is sticky (/tmp) or its group is this user's own, with nobody else in it.
Outcome check_private_place(const std::string& path);

// Remove the file if it is there, and make that last (fsync of the folder).
Outcome remove(const std::string& path);

// What changes when a file is written again: compare two of them. "" if it is not there.
std::string stamp_of(const std::string& path);

}  // namespace pganalytics::files
