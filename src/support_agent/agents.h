// The agents of the support graph; each answers the messages that the router gives it.
#pragma once

#include "payops/support_agent/chat_node.h"

namespace payops::support_agent {

// Quotes the article that answers, offers the nearest three, or says that there is none.
class FaqAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "faq"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

// Registers complaints, adds to them, tells where they stand.
class TicketAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "ticket"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

// The customer's own data and changes in it, behind the step-up check.
class AccountAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "account"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

// Payments: what the payments agent knows of the trouble, and what became of this customer's own.
class PaymentStatusAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "payment_status"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

// Hands over to a person, with what must be said at once.
class PersonAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "person"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

// What nobody else takes: small talk, other languages, what is out of scope or not allowed.
class FallbackAgent final : public ChatNode {
 public:
  [[nodiscard]] std::string_view name() const override { return "fallback"; }
  [[nodiscard]] Contribution run(const Turn& turn) const override;
};

}  // namespace payops::support_agent
