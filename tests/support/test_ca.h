// A certificate authority for tests: certificates of every kind, the wrong ones too.
#pragma once

#include "core/crypto/keys.h"

#include <string>

namespace pganalytics::testing {

struct Pem {
  std::string certificate, key;
};

class TestCa {
 public:
  explicit TestCa(const std::string& name = "test CA");

  [[nodiscard]] const std::string& pem() const { return pem_; }

  // subject_alt_name in OpenSSL's notation: "IP:127.0.0.1", "URI:pganalytics:collector:<uuid>"; usage: "serverAuth",
  // "clientAuth". Valid from `from_s` to `to_s` seconds from now.
  [[nodiscard]] Pem issue(const std::string& subject_alt_name, const std::string& usage, long from_s = -60,
                          long to_s = 3600) const;

 private:
  crypto::Key key_;
  crypto::Certificate certificate_;
  std::string pem_;
};

}  // namespace pganalytics::testing
