#include "payops/api/access.h"

#include <fcntl.h>
#include <jwt.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "payops/core/check.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::api {
namespace {

constexpr std::size_t kUsersMax = 1000;
constexpr std::size_t kUserNameMax = 64;
constexpr std::size_t kTicketsMax = 1024;
constexpr std::size_t kThrottledMax = 4096;
constexpr int kFreeFailuresOfMany = 50;  // of a name from anywhere, of an address for any name
constexpr int64_t kWaitMaxMs = 300'000;
constexpr int64_t kForgetMs = 3'600'000;

struct UsersFile {
  std::vector<User> users;
  static constexpr auto fields() { return std::make_tuple(field("users", &UsersFile::users)); }
};

struct FreeJwt {
  void operator()(jwt_t* jwt) const { jwt_free(jwt); }
};
using Jwt = std::unique_ptr<jwt_t, FreeJwt>;

Result<std::string> hash_of(std::string_view password) {
  PAYOPS_CHECK(sodium_init() >= 0);
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(),
                            crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorCode::unavailable, "hashing a password needs 64 MiB of memory");
  }
  return std::string(hash);
}

Status write_whole(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::unavailable, fresh + ": " + std::strerror(errno));
  bool done = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              fsync(file) == 0;
  int reason = errno;
  close(file);
  if (done && rename(fresh.c_str(), path.c_str()) != 0) {
    done = false;
    reason = errno;
  }
  if (!done) return fail(ErrorCode::unavailable, path + ": " + std::strerror(reason));
  return {};
}

}  // namespace

bool may(Role role, Right right) {
  switch (right) {
    case Right::watch:
      return role <= Role::admin;
    case Right::operate:
      return role == Role::operator_ || role == Role::approver || role == Role::admin;
    case Right::approve:
      return role == Role::approver || role == Role::admin;
    case Right::audit:
      return role == Role::auditor || role == Role::admin;
    case Right::administer:
      return role == Role::admin;
    case Right::chat:
      return role == Role::customer || role == Role::channel || may(role, Right::serve);
    case Right::serve:
      return role == Role::support_agent || may(role, Right::manage);
    case Right::manage:
      return role == Role::support_manager || role == Role::admin;
  }
  return false;
}

bool good_user_name(std::string_view name) {
  constexpr std::string_view kMarks = "._-@";
  return !name.empty() && name.size() <= kUserNameMax &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

std::string random_password() {
  PAYOPS_CHECK(sodium_init() >= 0);
  constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string password;
  while (password.size() < 24) {
    password += kLetters[randombytes_uniform(static_cast<uint32_t>(kLetters.size()))];
  }
  return password;
}

Result<std::map<std::string, User>> load_users(const std::string& file) {
  std::map<std::string, User> users;
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT) return users;
    return fail(ErrorCode::unavailable, file + ": " + std::strerror(errno));
  }
  if ((status.st_mode & 0077) != 0) {
    return fail(ErrorCode::config, file + " may be read by others than its owner: chmod 600");
  }
  const auto text = read_file(file);
  if (!text) return tl::make_unexpected(text.error());
  auto parsed = from_json<UsersFile>(Json::parse(*text, nullptr, false));
  if (!parsed) return fail(ErrorCode::config, file + ": " + parsed.error().message);
  for (User& user : parsed->users) {
    std::string name = user.name;
    users.insert_or_assign(std::move(name), std::move(user));
  }
  return users;
}

Status add_user(const std::string& file, const std::string& name, Role role,
                std::string_view password) {
  if (!good_user_name(name)) {
    return fail(ErrorCode::usage,
                "a user's name has 1 to 64 letters, digits or . _ - @, not \"" + name + "\"");
  }
  if (password.size() < 8 || password.size() > 256) {
    return fail(ErrorCode::usage, "a password has 8 to 256 bytes");
  }
  auto users = load_users(file);
  if (!users) return tl::make_unexpected(users.error());
  auto hash = hash_of(password);
  if (!hash) return tl::make_unexpected(hash.error());
  (*users)[name] = {.name = name, .role = role, .password_hash = std::move(*hash)};
  if (users->size() > kUsersMax) {
    return fail(ErrorCode::limit, file + " has no room for more than 1000 users");
  }
  UsersFile all;
  for (const auto& [key, user] : *users) all.users.push_back(user);
  return write_whole(file, to_json(all).dump(2) + "\n");
}

Result<std::string> Tokens::issue(const Identity& who, int64_t now_ms) const {
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0) return fail(ErrorCode::internal, "no memory for a token");
  const Jwt jwt(raw);
  const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
  const int64_t now_s = now_ms / 1000;
  bool good = jwt_add_grant(jwt.get(), "iss", "payops") == 0 &&
              jwt_add_grant(jwt.get(), "sub", who.user.c_str()) == 0 &&
              jwt_add_grant(jwt.get(), "role", std::string(name_of(who.role)).c_str()) == 0 &&
              jwt_add_grant_int(jwt.get(), "iat", now_s) == 0 &&
              jwt_add_grant_int(jwt.get(), "auth_time", who.signed_in_ms / 1000) == 0 &&
              jwt_add_grant_int(jwt.get(), "exp", now_s + lifetime_s_) == 0 &&
              jwt_set_alg(jwt.get(), JWT_ALG_HS256, key, static_cast<int>(key_.size())) == 0;
  char* text = good ? jwt_encode_str(jwt.get()) : nullptr;
  if (text == nullptr) return fail(ErrorCode::internal, "a token could not be made");
  std::string token(text);
  std::free(text);
  return token;
}

Result<Identity> Tokens::check(const std::string& token, int64_t now_ms) const {
  const auto refused = [](const char* why) { return fail(ErrorCode::refused, why); };
  if (token.empty() || token.size() > 2048) return refused("no token");
  jwt_t* raw = nullptr;
  const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
  if (jwt_decode(&raw, token.c_str(), key, static_cast<int>(key_.size())) != 0 || raw == nullptr) {
    return refused("not a token of this agent");
  }
  const Jwt jwt(raw);
  if (jwt_get_alg(jwt.get()) != JWT_ALG_HS256) return refused("not a token of this agent");
  const char* issuer = jwt_get_grant(jwt.get(), "iss");
  const char* user = jwt_get_grant(jwt.get(), "sub");
  const char* role_name = jwt_get_grant(jwt.get(), "role");
  if (issuer == nullptr || user == nullptr || role_name == nullptr ||
      std::string_view(issuer) != "payops") {
    return refused("not a token of this agent");
  }
  const auto role = parse_enum<Role>(role_name);
  if (!role) return refused("not a token of this agent");
  if (jwt_get_grant_int(jwt.get(), "exp") * 1000 <= now_ms) return refused("the token is over");
  return Identity{.user = user,
                  .role = *role,
                  .signed_in_ms = jwt_get_grant_int(jwt.get(), "auth_time") * 1000};
}

std::string Tickets::issue(const Identity& who, int64_t now_ms) {
  PAYOPS_CHECK(sodium_init() >= 0);
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  char text[64];
  sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  const std::lock_guard lock(lock_);
  std::erase_if(good_, [&](const auto& item) { return item.second.until_ms < now_ms; });
  if (good_.size() >= kTicketsMax) {
    good_.erase(std::min_element(good_.begin(), good_.end(), [](const auto& a, const auto& b) {
      return a.second.until_ms < b.second.until_ms;
    }));
  }
  good_[text] = {.who = who, .until_ms = now_ms + kTicketS * 1000};
  return text;
}

std::optional<Identity> Tickets::use(const std::string& ticket, int64_t now_ms) {
  const std::lock_guard lock(lock_);
  const auto it = good_.find(ticket);
  if (it == good_.end()) return std::nullopt;
  const Good good = std::move(it->second);
  good_.erase(it);
  return now_ms <= good.until_ms ? std::optional(good.who) : std::nullopt;
}

int64_t Throttle::wait_ms(const std::string& key, int64_t now_ms) {
  const std::lock_guard lock(lock_);
  const auto it = tries_.find(key);
  return it == tries_.end() ? 0 : std::max<int64_t>(0, it->second.next_ms - now_ms);
}

void Throttle::failed(const std::string& key, int64_t now_ms, int free) {
  const std::lock_guard lock(lock_);
  if (tries_.size() >= kThrottledMax && tries_.count(key) == 0) {
    std::erase_if(tries_, [&](const auto& t) { return t.second.last_ms + kForgetMs < now_ms; });
    if (tries_.size() >= kThrottledMax) {
      tries_.erase(std::min_element(tries_.begin(), tries_.end(), [](const auto& a, const auto& b) {
        return a.second.last_ms < b.second.last_ms;
      }));
    }
  }
  Tries& tries = tries_[key];
  if (tries.last_ms + kForgetMs < now_ms) tries.failures = 0;
  ++tries.failures;
  tries.last_ms = now_ms;
  if (tries.failures < free) return;
  const int doublings = std::min(tries.failures - free, 20);
  tries.next_ms = now_ms + std::min<int64_t>(kWaitMaxMs, int64_t{1000} << doublings);
}

void Throttle::succeeded(const std::string& key) {
  const std::lock_guard lock(lock_);
  tries_.erase(key);
}

SignIn::SignIn(std::string users_file)
    : file_(std::move(users_file)), nobody_hash_(hash_of("nobody's").value_or("")) {}

bool SignIn::still(const Identity& who) {
  // Replaced as a whole, the file is another one whenever it has changed.
  struct stat file {};
  std::string mark = "none";
  if (::stat(file_.c_str(), &file) == 0) {
    mark = std::to_string(file.st_ino) + " " + std::to_string(file.st_size) + " " +
           std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
  }
  const std::lock_guard lock(users_lock_);
  if (mark != users_mark_) {
    auto users = load_users(file_);
    users_ = users ? std::move(*users) : std::map<std::string, User>();
    users_mark_ = std::move(mark);
  }
  const auto it = users_.find(who.user);
  return it != users_.end() && it->second.role == who.role;
}

SignIn::Answer SignIn::check(const std::string& name, std::string_view password,
                             const std::string& address, int64_t now_ms) {
  Answer answer;
  // One person's mistakes neither lock out another at the same address nor, from elsewhere, those
  // whose name they try; many names from one address, and one name from many, are slowed as well.
  const std::string user_name = name.substr(0, kUserNameMax);
  const std::string by_both = "user " + user_name + " at " + address;
  const std::string by_name = "user " + user_name;
  const std::string by_address = "address " + address;
  const std::lock_guard lock(one_at_a_time_);
  answer.retry_after_ms =
      std::max({throttle_.wait_ms(by_both, now_ms), throttle_.wait_ms(by_name, now_ms),
                throttle_.wait_ms(by_address, now_ms)});
  if (answer.retry_after_ms > 0) return answer;
  const auto users = load_users(file_);
  const User* user = nullptr;
  if (users) {
    if (const auto it = users->find(name); it != users->end()) user = &it->second;
  }
  const std::string& hash = user != nullptr ? user->password_hash : nobody_hash_;
  const bool right = password.size() <= 256 &&
                     crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  answer.known = user != nullptr;
  if (right && user != nullptr) {
    throttle_.succeeded(by_both);
    answer.who = Identity{.user = user->name, .role = user->role, .signed_in_ms = now_ms};
  } else {
    throttle_.failed(by_both, now_ms);
    throttle_.failed(by_name, now_ms, kFreeFailuresOfMany);
    throttle_.failed(by_address, now_ms, kFreeFailuresOfMany);
  }
  return answer;
}

}  // namespace payops::api
