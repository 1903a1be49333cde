#include "payops/api/access.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace payops::api {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("payops-access-" + random_password());
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST_CASE("a token says who it was issued to, until it is over or altered") {
  const Tokens tokens("0123456789abcdef0123456789abcdef", 900);
  const std::string token = *tokens.issue({.user = "asha", .role = Role::approver}, kNow);
  const auto who = tokens.check(token, kNow + 899'000);
  REQUIRE(who);
  CHECK(who->user == "asha");
  CHECK(who->role == Role::approver);
  CHECK_FALSE(tokens.check(token, kNow + 900'000));
  std::string altered = token;
  altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
  CHECK_FALSE(tokens.check(altered, kNow));
  CHECK_FALSE(tokens.check("", kNow));
  CHECK_FALSE(tokens.check("a.b.c", kNow));
  const Tokens others("another-key-of-thirty-two-bytes!", 900);
  CHECK_FALSE(others.check(token, kNow));
  // {"alg":"none"} with the claims of an admin and no signature.
  CHECK_FALSE(
      tokens.check("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
                   "eyJpc3MiOiJwYXlvcHMiLCJzdWIiOiJldmUiLCJyb2xlIjoiYWRtaW4iLCJleHAiOjk5OT"
                   "k5OTk5OTl9.",
                   kNow));
}

TEST_CASE("a ticket is good once, and for ten seconds") {
  Tickets tickets;
  const std::string ticket = tickets.issue({.user = "asha", .role = Role::viewer}, kNow);
  CHECK(ticket.size() == 43);
  const auto who = tickets.use(ticket, kNow + 9'999);
  REQUIRE(who);
  CHECK(who->user == "asha");
  CHECK_FALSE(tickets.use(ticket, kNow + 9'999));
  const std::string late = tickets.issue({.user = "asha", .role = Role::viewer}, kNow);
  CHECK_FALSE(tickets.use(late, kNow + 10'001));
  CHECK_FALSE(tickets.use("", kNow));
}

TEST_CASE("guessing is slowed down more and more, and forgiven by a success") {
  Throttle throttle;
  for (int i = 0; i < 4; ++i) throttle.failed("asha", kNow);
  CHECK(throttle.wait_ms("asha", kNow) == 0);
  throttle.failed("asha", kNow);
  CHECK(throttle.wait_ms("asha", kNow) == 1000);
  throttle.failed("asha", kNow);
  CHECK(throttle.wait_ms("asha", kNow) == 2000);
  for (int i = 0; i < 40; ++i) throttle.failed("asha", kNow);
  CHECK(throttle.wait_ms("asha", kNow) == 300'000);
  CHECK(throttle.wait_ms("ben", kNow) == 0);
  throttle.succeeded("asha");
  CHECK(throttle.wait_ms("asha", kNow) == 0);
}

TEST_CASE("users are kept by hash in a file that only its owner may read") {
  const Folder folder;
  const std::string file = (folder.path / "users.json").string();
  REQUIRE(add_user(file, "asha", Role::approver, "correct horse"));
  REQUIRE(add_user(file, "ben", Role::viewer, "battery staple"));
  REQUIRE(add_user(file, "ben", Role::operator_, "battery staple"));
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto users = load_users(file);
  REQUIRE(users);
  REQUIRE(users->size() == 2);
  CHECK(users->at("ben").role == Role::operator_);
  CHECK(users->at("asha").password_hash.rfind("$argon2id$", 0) == 0);

  SignIn sign_in(file);
  CHECK(sign_in.check("asha", "correct horse", "::1", kNow).who.has_value());
  CHECK_FALSE(sign_in.check("asha", "wrong", "::1", kNow).who.has_value());
  const auto nobody = sign_in.check("eve", "nobody's", "::1", kNow);
  CHECK_FALSE(nobody.who.has_value());
  CHECK_FALSE(nobody.known);

  std::filesystem::permissions(file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  CHECK_FALSE(load_users(file));
  CHECK_FALSE(sign_in.check("asha", "correct horse", "::1", kNow).who.has_value());
}

TEST_CASE(
    "one person's wrong guesses lock out nobody else, nor those they guess at from elsewhere") {
  const Folder folder;
  const std::string file = (folder.path / "users.json").string();
  REQUIRE(add_user(file, "asha", Role::approver, "correct horse"));
  REQUIRE(add_user(file, "ben", Role::viewer, "battery staple"));
  SignIn sign_in(file);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(sign_in.check("asha", "wrong", "::1", kNow).who);
  CHECK(sign_in.check("asha", "correct horse", "::1", kNow).retry_after_ms > 0);
  CHECK(sign_in.check("ben", "battery staple", "::1", kNow).who.has_value());
  CHECK(sign_in.check("asha", "correct horse", "::2", kNow).who.has_value());
}

TEST_CASE("names and passwords that cannot be are refused, and a broken file is named") {
  const Folder folder;
  const std::string file = (folder.path / "users.json").string();
  CHECK_FALSE(add_user(file, "", Role::viewer, "correct horse"));
  CHECK_FALSE(add_user(file, "a b", Role::viewer, "correct horse"));
  CHECK_FALSE(add_user(file, "asha", Role::viewer, "short"));
  CHECK(load_users(file)->empty());
  std::ofstream(file) << "{";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  const auto broken = load_users(file);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find(file) != std::string::npos);
}

TEST_CASE("each role has the rights of those below it, an auditor those of a viewer") {
  CHECK(may(Role::viewer, Right::watch));
  CHECK_FALSE(may(Role::viewer, Right::operate));
  CHECK(may(Role::operator_, Right::operate));
  CHECK_FALSE(may(Role::operator_, Right::approve));
  CHECK(may(Role::approver, Right::operate));
  CHECK(may(Role::approver, Right::approve));
  CHECK_FALSE(may(Role::approver, Right::administer));
  CHECK(may(Role::auditor, Right::audit));
  CHECK_FALSE(may(Role::auditor, Right::operate));
  CHECK(may(Role::admin, Right::administer));
  CHECK(may(Role::admin, Right::audit));
}

}  // namespace
}  // namespace payops::api
