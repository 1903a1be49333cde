// strict_server.py as a process of the test's own.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/notify/http.h"
#include "support/paths.h"
#include "support/process.h"

namespace payops::notify {

inline const std::string kSecret = "whsec_dGhpcnR5LXR3byBieXRlcyBvZiB3ZWJob29rIGtleSE=";
inline const std::string kMailUser = "pager@payops.example";
inline const std::string kMailPassword = "pass word \u00fc";

class StrictServer {
 public:
  StrictServer()
      : process_("strict", folder_.path(),
                 {"/usr/bin/python3", testing::source_path("tests/notify/strict_server.py"),
                  folder_.path()}) {
    const std::string file = folder_.path() + "/ports.json";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!std::filesystem::exists(file) && std::chrono::steady_clock::now() < deadline) {
      if (!process_.lives_for(5)) break;
    }
    REQUIRE_MESSAGE(std::filesystem::exists(file), process_.err());
    ports_ = Json::parse(*read_file(file));
  }
  [[nodiscard]] std::string port(const char* name) const {
    return std::to_string(ports_[name].get<int>());
  }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + port("http") + path;
  }
  [[nodiscard]] std::string ca_file() const { return folder_.path() + "/ca.pem"; }
  [[nodiscard]] std::string folder() const { return folder_.path(); }
  [[nodiscard]] Json ask(const std::string& path) const {
    HttpRequest request;
    request.url = url(path);
    const auto answer = http(request);
    REQUIRE(answer);
    REQUIRE(answer->status == 200);
    return Json::parse(answer->body);
  }
  // Everything of the last accepted request that was broken has been refused.
  void check_that_broken_is_refused(std::size_t at_least) const {
    const Json broken = ask("/broken");
    CHECK(broken.size() >= at_least);
    for (const auto& [name, why] : broken.items()) {
      CHECK_MESSAGE(why.is_string(), name, " was accepted");
    }
  }

 private:
  testing::TemporaryFolder folder_;
  testing::Process process_;
  Json ports_;
};

}  // namespace payops::notify
