#include "audit_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "payops/core/text.h"

namespace payops::app {
namespace {

Result<KeyPair> pair_of(const std::string& secret_hex, const std::string& where) {
  if (secret_hex.size() == 128) return key_pair_from_seed(secret_hex.substr(0, 64));
  return fail(
      ErrorCode::config,
      where + " is not a secret key of 128 hexadecimal digits; \"payops keys new\" makes one");
}

}  // namespace

Status write_private_file(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::unavailable, path + ": " + std::strerror(errno));
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const int reason = errno;
  close(file);
  if (!written) return fail(ErrorCode::unavailable, path + ": " + std::strerror(reason));
  return {};
}

Result<KeyPair> load_key(const std::string& path) {
  if (const auto stored = read_file(path)) {
    return pair_of(stored->substr(0, stored->find('\n')), path);
  }
  const KeyPair pair = make_key_pair();
  if (Status status = write_private_file(path, pair.secret_key_hex + "\n"); !status) {
    return tl::make_unexpected(status.error());
  }
  return pair;
}

Result<KeyPair> load_audit_key(const std::string& state_dir,
                               const std::function<void(const std::string&)>& note) {
  if (const char* secret = std::getenv("PAYOPS_AUDIT_KEY"); secret != nullptr) {
    return pair_of(secret, "PAYOPS_AUDIT_KEY");
  }
  const std::string path = state_dir + "/audit.key";
  const bool fresh = access(path.c_str(), F_OK) != 0;
  auto pair = load_key(path);
  if (pair && fresh) {
    note("made a key for signing audit checkpoints: " + path + " (PAYOPS_AUDIT_KEY overrides it)");
  }
  return pair;
}

}  // namespace payops::app
