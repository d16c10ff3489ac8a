// TLS of the server: its context, and who the peer of a finished handshake is.
//
// TLS 1.3 only, ALPN http/1.1, no session tickets and no resumption: every connection proves its key anew, so a certificate
// cannot outlive its check. A client certificate is asked for and never required. One that does not verify counts as not
// shown: the handshake ends well and the route answers 401 in words, which an alert cannot do.
//
// Not here: issuing certificates (core/server/auth). Included by this folder's sources only.
#pragma once

#include "core/crypto/keys.h"
#include "core/server/http/message.h"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::http {

struct TlsFiles {
  std::string certificate_file;  // the server's, perhaps with intermediates
  std::string key_file;
  std::string client_ca_file;  // whose client certificates count
  std::string chain_ca_file;   // sent after the server's certificate, so that a newcomer can check its pin; "" = not sent
};

using TlsContext = std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>>;
Expected<TlsContext> make_tls_context(const TlsFiles& files);

// After the handshake: the peer's certificate if it chains to a CA of `context`, which may be younger than the connection, has
// begun, is meant for clients and names a collector; otherwise nothing. Whether it is over is for each request to say
// (not_after_unix_ns): a connection may outlive its certificate, and an expired one may still ask for its renewal.
std::optional<PeerCertificate> verified_peer(SSL* connection, SSL_CTX* context);

// Whether each CA whose clients `before` lets in is one of `now` as well.
bool trusts_all_of(SSL_CTX* now, SSL_CTX* before);

}  // namespace pganalytics::server::http
