// The description held against the server, by a program in another language (openapi_check.py).
#include <cstdlib>

#include "stage.h"
#include "support/paths.h"

namespace payops::api {
namespace {

TEST_CASE("every call is described, and answers as it is described, whoever calls") {
  Stage stage;
  std::string command = "/usr/bin/python3 " + testing::source_path("tests/api/openapi_check.py") +
                        " " + testing::source_path("src/api") + " " +
                        std::to_string(stage.console->http_port()) + " '" + kPassword + "'";
  for (const Role role :
       {Role::viewer, Role::operator_, Role::approver, Role::auditor, Role::admin}) {
    command += " " + std::string(name_of(role)) + "=" + stage.token(role);
  }
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("the page of the description needs no script and nothing from elsewhere") {
  Stage stage;
  const auto page = stage.client().Get("/docs");
  REQUIRE(page);
  CHECK(page->status == 200);
  CHECK(page->body.find("<script") == std::string::npos);
  CHECK(page->body.find("style=") == std::string::npos);
  CHECK(page->body.find("://") == std::string::npos);
  CHECK(page->body.find("POST /api/kill") != std::string::npos);
  CHECK(page->get_header_value("Content-Security-Policy").find("default-src 'none'") == 0);
  CHECK(stage.client().Get("/docs.css")->get_header_value("Content-Type") ==
        "text/css; charset=utf-8");
}

}  // namespace
}  // namespace payops::api
