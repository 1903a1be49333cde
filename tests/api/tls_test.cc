// HTTPS and WSS with a certificate made here.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

#include "stage.h"
#include "support/paths.h"

namespace payops::api {
namespace {

// A certificate that signs itself, good for an hour, and its key, as PEM files.
void make_certificate(const std::string& cert_file, const std::string& key_file) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), &X509_free);
  REQUIRE(key);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* name = X509_get_subject_name(cert.get());
  const auto* host = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  REQUIRE(X509_sign(cert.get(), key.get(), EVP_sha256()) > 0);
  const auto write = [](const std::string& file, const auto& put) {
    std::FILE* out = std::fopen(file.c_str(), "w");
    REQUIRE(out != nullptr);
    CHECK(put(out) == 1);
    std::fclose(out);
  };
  write(cert_file, [&](std::FILE* out) { return PEM_write_X509(out, cert.get()); });
  write(key_file, [&](std::FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

struct Certificate {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("payops-tls-" + random_password());
  std::string cert = folder / "cert.pem", key = folder / "key.pem";
  Certificate() {
    std::filesystem::create_directories(folder);
    make_certificate(cert, key);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
};

TEST_CASE("with a certificate all is HTTPS and WSS, and plain text gets nothing") {
  const Certificate own;
  Stage stage([](HubOptions&) {},
              [&](ConsoleConfig& c) {
                c.tls_cert = own.cert;
                c.tls_key = own.key;
              });
  CHECK(stage.console->address().rfind("https://localhost:", 0) == 0);
  httplib::SSLClient client("127.0.0.1", stage.console->http_port());
  client.enable_server_certificate_verification(false);
  const auto me = client.Get("/api/me", stage.as(Role::viewer));
  REQUIRE(me);
  CHECK(me->status == 200);
  CHECK(me->get_header_value("Content-Security-Policy").find("wss://localhost:") !=
        std::string::npos);
  CHECK(me->has_header("Strict-Transport-Security"));
  CHECK_FALSE(stage.client().Get("/healthz"));
  const std::string command = "/usr/bin/python3 " + testing::source_path("tests/api/live.py") +
                              " secure " + std::to_string(stage.console->http_port()) + " " +
                              std::to_string(stage.console->ws_port()) + " " +
                              stage.token(Role::viewer);
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("a certificate that is none is said before anything is served") {
  ConsoleSpec spec;
  spec.config.http_port = spec.config.ws_port = 0;
  spec.config.tls_cert = spec.config.tls_key = "/dev/null";
  spec.config.users_file = "/nonexistent/users.json";
  Feed feed{FeedOptions{}};
  Stage other;
  const auto started = Console::start(std::move(spec), feed, other);
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("/dev/null") != std::string::npos);
}

}  // namespace
}  // namespace payops::api
