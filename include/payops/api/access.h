// Who may do what: users with passwords in a file, short-lived tokens for HTTP, one-time tickets
// for the WebSocket, and brakes on guessing. Passwords are kept as argon2id (RFC 9106) hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "payops/core/clock.h"
#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::api {

// viewer < operator_ < approver < admin; an auditor is a viewer who may read the audit log. Of
// support: a customer chats as themselves, a support agent takes over chats and works on tickets, a
// support manager also sees the figures; `channel` is a program that speaks for customers.
enum class Role : uint8_t {
  viewer,
  operator_,
  approver,
  auditor,
  admin,
  customer,
  support_agent,
  support_manager,
  channel
};

// What a call needs.
enum class Right : uint8_t { watch, operate, approve, audit, administer, chat, serve, manage };
[[nodiscard]] bool may(Role role, Right right);

struct User {
  std::string name;
  Role role = Role::viewer;
  std::string password_hash;  // argon2id, as libsodium writes it
  static constexpr auto fields() {
    return std::make_tuple(field("name", &User::name), field("role", &User::role),
                           field("password_hash", &User::password_hash));
  }
};

// 1 to 64 letters, digits and . _ - @
[[nodiscard]] bool good_user_name(std::string_view name);
// 24 letters and digits from the system's randomness.
[[nodiscard]] std::string random_password();

// The file, or no users where there is none. Errors: config for a file that is not one or that
// others may read; unavailable.
[[nodiscard]] Result<std::map<std::string, User>> load_users(const std::string& file);
// Adds or replaces; the file is replaced as a whole, readable by its owner only. Errors: usage for
// a name or password (8 to 256 bytes) that cannot be; as load_users.
[[nodiscard]] Status add_user(const std::string& file, const std::string& name, Role role,
                              std::string_view password);

struct Identity {
  std::string user;
  Role role = Role::viewer;
  int64_t signed_in_ms = 0;  // when the password was given
};

// What is said of a token whose user is not what they were.
inline constexpr std::string_view kGone = "this user is no longer there, or has another role";

// How long tokens are renewed without the password.
inline constexpr int64_t kSessionS = int64_t{12} * 3600;

// JWTs, HS256. Any thread.
class Tokens {
 public:
  Tokens(std::string key, int64_t lifetime_s) : key_(std::move(key)), lifetime_s_(lifetime_s) {}
  [[nodiscard]] int64_t lifetime_s() const { return lifetime_s_; }
  [[nodiscard]] Result<std::string> issue(const Identity& who, int64_t now_ms) const;
  // Errors: refused, for one that is not ours, altered, or over.
  [[nodiscard]] Result<Identity> check(const std::string& token, int64_t now_ms) const;

 private:
  std::string key_;
  int64_t lifetime_s_;
};

// 43 url-safe characters each, good once and for kTicketS seconds. Any thread. Bounded: the oldest
// goes when there are too many. A ticket is for the one who asked for it.
inline constexpr int64_t kTicketS = 10;
class Tickets {
 public:
  [[nodiscard]] std::string issue(const Identity& who, int64_t now_ms);
  // Whose it is; nothing for one that is not good, or no longer.
  [[nodiscard]] std::optional<Identity> use(const std::string& ticket, int64_t now_ms);

 private:
  std::mutex lock_;
  struct Good {
    Identity who;
    int64_t until_ms = 0;
  };
  std::map<std::string, Good> good_;
};

// After some failures in a row the next try has to wait, each time twice as long. Any thread.
class Throttle {
 public:
  // How long to wait before a try with this key counts; 0: go ahead.
  [[nodiscard]] int64_t wait_ms(const std::string& key, int64_t now_ms);
  // From the `free`-th failure on each doubles the wait.
  void failed(const std::string& key, int64_t now_ms, int free = 5);
  void succeeded(const std::string& key);

 private:
  struct Tries {
    int failures = 0;
    int64_t last_ms = 0;
    int64_t next_ms = 0;
  };
  std::mutex lock_;
  std::map<std::string, Tries> tries_;
};

// Sign-in with name and password.
class SignIn {
 public:
  explicit SignIn(std::string users_file);
  struct Answer {
    std::optional<Identity> who;
    bool known = false;          // there is such a user
    int64_t retry_after_ms = 0;  // throttled: nothing was looked at
  };
  // Costs a quarter of a second and 64 MiB, whether or not there is such a user; one at a time.
  [[nodiscard]] Answer check(const std::string& name, std::string_view password,
                             const std::string& address, int64_t now_ms);
  // Whether there still is this user, in this role. The file is read again when it has changed.
  [[nodiscard]] bool still(const Identity& who);

 private:
  std::string file_;
  std::mutex users_lock_;
  std::map<std::string, User> users_;
  std::string users_mark_;   // of the file that they were read from
  std::string nobody_hash_;  // what an unknown user's password is compared with
  std::mutex one_at_a_time_;
  Throttle throttle_;
};

}  // namespace payops::api

template <>
inline constexpr payops::EnumNames<9> payops::enum_names<payops::api::Role>{
    "viewer",   "operator",      "approver",        "auditor", "admin",
    "customer", "support_agent", "support_manager", "channel"};
