// The CAs that a server hands out, in PEM: what may become this collector's trust, and what may not.
//
// A bundle is one CA, or two while one replaces the other. It comes over a connection that the CAs so far have verified; that is
// why it may add to them, and why it must keep one of them: a bundle of strangers would lock the collector out. [any thread]
#pragma once

#include <cstddef>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::transport {

constexpr std::size_t kAuthoritiesMax = 4;

// The certificates alone, written anew. PGA_E_FAIL unless they are one to four self-signed CAs.
Expected<std::string> parse_ca_bundle(std::string_view pem);

// Of any PEM file with certificates, the operator's too: as the server's ETag for the same ones. "" if it has none.
std::string etag_of_ca_bundle(std::string_view pem);

bool has_all_certificates(std::string_view pem, std::string_view wanted_pem);
// Whether they have a certificate in common.
bool ca_bundles_overlap(std::string_view pem, std::string_view other_pem);

}  // namespace pganalytics::transport
