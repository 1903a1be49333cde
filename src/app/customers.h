// What the support process knows of customers: those told beforehand, and everybody's last payments
// as the stream tells them. Bounded.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "payops/core/result.h"
#include "payops/support_agent/chat.h"

namespace payops::app {

class Customers {
 public:
  explicit Customers(std::size_t users_max = 100'000) : users_max_(users_max) {}

  // YAML: customers: [{user_id, name, email, phone, card_last4, issuers, methods}]. Errors:
  // not_found; config, with file and line.
  [[nodiscard]] Status load(const std::string& file);
  // A message of payments.transactions in payops' own shape; others are passed over.
  void observe(std::string_view payload);
  [[nodiscard]] support_agent::CustomerView look_up(const std::string& user_id) const;

 private:
  struct Known {
    support_agent::CustomerView view;
    bool told = false;  // in the file: never forgotten
    std::list<std::string>::iterator turn;
  };
  std::size_t users_max_;
  std::map<std::string, Known, std::less<>> known_;
  std::list<std::string> turns_;  // users by their last payment, the oldest first
};

}  // namespace payops::app
