#include "customers.h"

#include <algorithm>

#include "payops/core/json_fields.h"
#include "payops/core/yaml_fields.h"

namespace payops::app {
namespace {

using support_agent::CustomerView;
using support_agent::KnownPayment;

constexpr std::size_t kPaymentsKept = 5;

struct ListedCustomer {
  std::string user_id, name, email, phone, card_last4;
  std::vector<std::string> issuers, methods;
  [[nodiscard]] Status validate() const {
    if (user_id.empty()) return fail(ErrorCode::config, "a customer needs a \"user_id\"");
    return {};
  }
  static constexpr auto fields() {
    using C = ListedCustomer;
    return std::make_tuple(field("user_id", &C::user_id), field("name", &C::name),
                           field("email", &C::email), field("phone", &C::phone),
                           field("card_last4", &C::card_last4), field("issuers", &C::issuers),
                           field("methods", &C::methods));
  }
};
struct CustomerList {
  std::vector<ListedCustomer> customers;
  static constexpr auto fields() {
    return std::make_tuple(field("customers", &CustomerList::customers));
  }
};

void add_once(std::vector<std::string>& to, const std::string& name) {
  if (!name.empty() && std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

int64_t number_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

}  // namespace

Status Customers::load(const std::string& file) {
  auto list = read_yaml_file<CustomerList>(file);
  if (!list) return tl::make_unexpected(list.error());
  for (ListedCustomer& c : list->customers) {
    Known& known = known_[c.user_id];
    known.told = true;
    known.turn = turns_.end();
    known.view = {.name = std::move(c.name),
                  .email = std::move(c.email),
                  .phone = std::move(c.phone),
                  .card_last4 = std::move(c.card_last4),
                  .issuers = std::move(c.issuers),
                  .methods = std::move(c.methods),
                  .payments = {}};
  }
  return {};
}

void Customers::observe(std::string_view payload) {
  const Json event = Json::parse(payload, nullptr, false);
  if (!event.is_object()) return;
  const std::string user = text_of(event, "user_id");
  if (user.empty()) return;
  KnownPayment payment;
  payment.payment_id = text_of(event, "payment_id");
  payment.ts_ms = number_of(event, "ts_ms");
  payment.amount_minor = number_of(event, "amount_minor");
  payment.currency = text_of(event, "currency");
  payment.issuer = text_of(event, "issuer");
  payment.method = text_of(event, "method");
  payment.gateway = text_of(event, "gateway");
  payment.status = text_of(event, "status");
  payment.decline_code = text_of(event, "decline_code");
  payment.merchant = text_of(event, "merchant_name");
  auto [it, fresh] = known_.try_emplace(user);
  Known& known = it->second;
  if (fresh) known.turn = turns_.end();
  if (!known.told) {
    if (known.turn != turns_.end()) turns_.erase(known.turn);
    turns_.push_back(user);
    known.turn = std::prev(turns_.end());
  }
  add_once(known.view.issuers, payment.issuer);
  add_once(known.view.methods, payment.method);
  auto& payments = known.view.payments;
  // A retry replaces the attempt before it.
  std::erase_if(payments,
                [&](const KnownPayment& p) { return p.payment_id == payment.payment_id; });
  payments.insert(payments.begin(), std::move(payment));
  if (payments.size() > kPaymentsKept) payments.pop_back();
  if (turns_.size() > users_max_) {
    known_.erase(turns_.front());
    turns_.pop_front();
  }
}

CustomerView Customers::look_up(const std::string& user_id) const {
  const auto it = known_.find(user_id);
  return it == known_.end() ? CustomerView{} : it->second.view;
}

}  // namespace payops::app
