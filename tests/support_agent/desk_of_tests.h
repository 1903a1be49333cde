// A support agent whose understanding is a handful of words, for tests of everything around it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "payops/core/digest.h"
#include "payops/support_agent/support_agent.h"
#include "payops/support_agent/text_features.h"

namespace payops::support_agent {

// Says what the first of its words found in a message says; each is certain of it.
class WordClassifier final : public IntentClassifier {
 public:
  IntentAnswer classify(std::string_view text) const override {
    static const std::vector<std::pair<std::string, Intent>> kWords{
        {"suicide", {"self_harm", IntentClass::complaint, true}},
        {"human", {"talk_to_person", IntentClass::complaint, true}},
        {"twice", {"charged_twice", IntentClass::complaint, false}},
        {"failed", {"payment_failed_why", IntentClass::complaint, false}},
        {"balance", {"balance", IntentClass::account, false}},
        {"lost", {"card_lost", IntentClass::account, false}},
        {"status", {"payment_status", IntentClass::account, false}},
        {"refund", {"refund_howto", IntentClass::faq, false}},
        {"fees", {"fees_howto", IntentClass::faq, false}},
        {"cheque", {"cheque_howto", IntentClass::faq, false}}};
    const auto words = words_of(text);
    for (const auto& [word, intent] : kWords) {
      for (const std::string& w : words) {
        if (w == word) return {intent, 0.95, {{intent, 0.95}}};
      }
    }
    return {{std::string(kOutOfScope), IntentClass::unknown, false}, 0.1, {}};
  }
};

inline std::vector<FaqArticle> few_articles() {
  return {{.id = "fees_upi",
           .title = "Fees of UPI payments",
           .topics = {"fees", "upi"},
           .intents = {"fees_howto"},
           .asks = {"does upi cost anything", "upi fees"},
           .body = "UPI payments are free for customers.\n\nShops may pay."},
          {.id = "refund_time",
           .title = "How long a refund takes",
           .topics = {"refund"},
           .intents = {"refund_howto"},
           .asks = {"how many days for a refund", "refund time"},
           .body = "A refund takes 5 to 7 working days."},
          {.id = "refund_credit_card",
           .title = "A refund to a credit card",
           .topics = {"refund", "credit card"},
           .intents = {"refund_howto"},
           .asks = {"refund credit card", "when is a refund on a credit card seen"},
           .body = "On a credit card a refund lowers what you owe."}};
}

// The agent with a customer, its clock and the messages so far.
class TestDesk {
 public:
  explicit TestDesk(SupportAgent::Extend extend = [](ChatNodes&) {})
      : agent_(vault_, std::move(extend)) {
    agent_.know(
        {.classifier = std::make_shared<WordClassifier>(), .embed = {}, .model_hash = "words"});
    customer_ = {.name = "Asha Rao",
                 .email = "asha@example.com",
                 .phone = "+919876543210",
                 .card_last4 = "4432",
                 .issuers = {"HDFC"},
                 .methods = {"upi"},
                 .payments = {}};
    SupportInput input;
    input.articles_changed = true;
    input.articles = few_articles();
    (void)take(std::move(input));
  }

  ChatReply say(const std::string& text, const std::string& user = "asha",
                const std::string& id = "") {
    SupportInput input;
    ChatMessage message;
    message.message_id = id.empty() ? "m" + std::to_string(++said_) : id;
    message.user_id = user;
    message.text = text;
    input.messages.push_back({message, customer_, false});
    (void)take(std::move(input));
    REQUIRE(agent_.replies().size() == 1);
    return agent_.replies().front();
  }

  Taken take(SupportInput input) {
    input.step = agent_.steps() + 1;
    input.at_ms = now_ms_ += 1000;
    input.model_hash = "words";
    input.entropy = sha256_hex(std::to_string(input.step));
    auto taken = agent_.step(std::move(input));
    REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().message));
    blocks_.push_back(taken->block);
    digests_.push_back(taken->output.digest);
    last_ = taken->output;
    last_rows_ = taken->rows;
    return std::move(*taken);
  }

  // The one-time code sent in the last step.
  std::string code() const {
    for (const Notification& n : agent_.notifications()) {
      const std::size_t at = n.text.find("code is ");
      if (at != std::string::npos) return n.text.substr(at + 8, 6);
    }
    return "";
  }

  DerivedVault vault_;
  SupportAgent agent_;
  CustomerView customer_;
  int64_t now_ms_ = 1'772'443'800'000;
  int said_ = 0;
  std::vector<std::string> blocks_, digests_;
  StepOutput last_;
  std::vector<TableRow> last_rows_;
};

}  // namespace payops::support_agent
