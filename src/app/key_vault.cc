#include "key_vault.h"

#include <utility>

#include "payops/core/check.h"
#include "payops/core/seal.h"

namespace payops::app {
namespace {

constexpr std::size_t kAtHandMax = 50'000;

}  // namespace

std::string KeyVault::find(const std::string& user_id) {
  if (const auto it = at_hand_.find(user_id); it != at_hand_.end()) return it->second;
  for (const TableRow& row : fresh_) {
    if (row.key == user_id) return row.value;
  }
  const auto stored = tables_.row(kKeysTable, user_id);
  // A key that cannot be read is not a key that is not there: another in its place would erase all
  // that was sealed with it. Stopping here loses nothing.
  PAYOPS_CHECK(stored.has_value());
  if (!*stored) return "";
  if (at_hand_.size() >= kAtHandMax) at_hand_.clear();
  return at_hand_[user_id] = **stored;
}

std::string KeyVault::seal(std::string_view user_id, std::string_view context,
                           std::string_view text) {
  const std::string user(user_id);
  std::string key = find(user);
  if (key.empty()) {
    key = make_seal_key();
    fresh_.push_back({std::string(kKeysTable), user, key});
    at_hand_[user] = key;
  }
  return payops::seal(key, context, text);
}

std::optional<std::string> KeyVault::open(std::string_view user_id, std::string_view context,
                                          std::string_view sealed) {
  const std::string key = find(std::string(user_id));
  if (key.empty()) return std::nullopt;
  return unseal(key, context, sealed);
}

std::vector<TableRow> KeyVault::take_new_keys() { return std::exchange(fresh_, {}); }

}  // namespace payops::app
