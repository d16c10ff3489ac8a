#include "tests/bench/load/fleet.h"

#include <rapidjson/document.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <pganalytics/json.hpp>
#include <stdexcept>

#include "core/crypto/digest.h"
#include "tests/bench/load/site.h"
#include "tests/support/must.h"

namespace pganalytics::bench {
namespace {

constexpr unsigned kAtOnce = 16;
constexpr unsigned kTellEach = 1'000;

std::vector<Identity> read(const std::string& file) {
  std::vector<Identity> identities;
  rapidjson::Document json;
  const std::string text = read_file(file);
  json.Parse(text.data(), text.size());
  if (json.HasParseError() || !json.IsArray()) return identities;
  for (const auto& one : json.GetArray()) identities.push_back({one["id"].GetString(), one["cert"].GetString(), {}, 0});
  return identities;
}

void write(const std::string& file, const std::vector<Identity>& identities) {
  JsonWriter json;
  json.begin_array();
  for (const Identity& one : identities)
    json.begin_object().member("id", one.id).member("cert", one.certificate_pem).end_object();
  if (!(std::ofstream(file) << json.end_array().text()).flush()) throw std::runtime_error("cannot write " + file);
}

// Enrols what is left to enrol over a few connections.
class Enrolment {
 public:
  Enrolment(Network& network, std::vector<Identity>& identities, unsigned count, std::string token)
      : network_(network),
        identities_(identities),
        next_(static_cast<unsigned>(identities.size())),
        count_(count),
        token_(std::move(token)),
        csr_(testing::must(crypto::make_csr(network.key.get(), "load"))) {}

  void run() {
    for (unsigned i = 0; i < std::min(kAtOnce, count_ - next_); ++i) {
      const auto link = std::make_shared<Link>(network_, i);
      link->open("", [this, link](bool ok) {
        if (!ok) throw std::runtime_error("enrolling: no connection");
        one(link);
      });
    }
    network_.io.restart();
    network_.io.run();
  }

 private:
  void one(const std::shared_ptr<Link>& link) {
    if (next_ >= count_) return link->drop();
    const std::string name = "load-" + std::to_string(next_++);
    JsonWriter body;
    body.begin_object().member("name", name).member("hostname", name).member("csr", csr_);
    body.member("enrollment_id", crypto::uuid_v4()).member("registration_token", token_).end_object();
    const std::string json = "Content-Type: application/json\r\n";
    link->call(request_text("POST", "/api/v1/collectors/register", "", json, std::string(body.text())),
               [this, link](const Answer* answer) {
                 keep(answer);
                 one(link);
               });
  }

  void keep(const Answer* answer) {
    if (answer == nullptr) throw std::runtime_error("enrolling: the connection is gone");
    rapidjson::Document json;
    json.Parse(answer->body.data(), answer->body.size());
    if (answer->status != 201 || json.HasParseError()) throw std::runtime_error("enrolling: " + answer->body);
    identities_.push_back({json["id"].GetString(), json["cert"].GetString(), {}, 0});
    if (identities_.size() % kTellEach == 0) std::fprintf(stderr, "enrolled %zu\n", identities_.size());
  }

  Network& network_;
  std::vector<Identity>& identities_;
  unsigned next_;
  const unsigned count_;
  const std::string token_, csr_;
};

}  // namespace

std::vector<Identity> enrol(Network& network, const std::string& file, unsigned count, const std::string& registration_token) {
  std::vector<Identity> identities = read(file);
  if (identities.size() < count) {
    Enrolment(network, identities, count, registration_token).run();
    write(file, identities);
  }
  identities.resize(count);
  return identities;
}

unsigned count_of(const std::string& file) { return static_cast<unsigned>(read(file).size()); }

void share_key(Network& network, const std::string& file) {
  if (const std::string pem = read_file(file); !pem.empty()) {
    network.key = testing::must(crypto::parse_private_key(pem));
    return;
  }
  const mode_t before = umask(077);
  const bool written = static_cast<bool>((std::ofstream(file) << testing::must(crypto::to_pem(network.key.get()))).flush());
  umask(before);
  if (!written) throw std::runtime_error("cannot write " + file);
}

}  // namespace pganalytics::bench
