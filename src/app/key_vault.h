// Customers' keys in the state's own tables: made at first use, written by the commit of the step
// that first uses them, destroyed by the commit that erases the customer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "payops/runtime/tables.h"
#include "payops/support_agent/vault.h"

namespace payops::app {

inline constexpr std::string_view kKeysTable = "keys";  // key: user id, value: 32 bytes

class KeyVault final : public support_agent::Vault {
 public:
  explicit KeyVault(Tables& tables) : tables_(tables) {}
  [[nodiscard]] std::string seal(std::string_view user_id, std::string_view context,
                                 std::string_view text) override;
  [[nodiscard]] std::optional<std::string> open(std::string_view user_id, std::string_view context,
                                                std::string_view sealed) override;
  // Keys made since the last call, to be written by the next commit.
  [[nodiscard]] std::vector<TableRow> take_new_keys();
  // Forgets what is at hand of a key; the row is the caller's to remove.
  void forget(const std::string& user_id) { at_hand_.erase(user_id); }

 private:
  // Empty when there is none.
  [[nodiscard]] std::string find(const std::string& user_id);

  Tables& tables_;
  std::map<std::string, std::string> at_hand_;  // bounded: emptied when it is full
  std::vector<TableRow> fresh_;
};

}  // namespace payops::app
