// reason, second half: what is known about it - articles, incidents, the customer's payments.
#include <algorithm>
#include <array>
#include <cctype>

#include "clues.h"
#include "payops/support_agent/chat_node.h"
#include "payops/support_agent/text_features.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kOffered = 3;
constexpr int64_t kRecentPaymentMs = 3 * 24 * 3'600'000LL;
constexpr std::array<std::string_view, 3> kFirst{"1", "first", "pehla"};
constexpr std::array<std::string_view, 3> kSecond{"2", "second", "dusra"};
constexpr std::array<std::string_view, 3> kThird{"3", "third", "teesra"};

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

bool among(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const auto& n) { return same(n, name); });
}

// The article a customer picks of those offered, or empty: by number, or by the word that only its
// title has.
std::string chosen(const Turn& turn) {
  const Pending& pending = turn.session->pending;
  if (pending.what != Awaiting::choose) return "";
  const auto words = words_of(turn.message->text);
  const std::array<std::array<std::string_view, 3>, kOffered> ordinals{kFirst, kSecond, kThird};
  for (std::size_t i = 0; i < std::min(kOffered, pending.choices.size()); ++i) {
    const bool named = std::any_of(ordinals[i].begin(), ordinals[i].end(),
                                   [&](std::string_view w) { return has_phrase(words, w); });
    if (named && words.size() <= 5) return pending.choices[i];
  }
  return "";
}

bool failed(const KnownPayment& payment) {
  return payment.status == "declined" || payment.status == "error" || payment.status == "timeout";
}

// The customer's latest payment that fits what was said; of equals one that failed.
const KnownPayment* payment_meant(const Turn& turn) {
  const Entities& said = turn.understanding.entities;
  const KnownPayment* best = nullptr;
  for (const KnownPayment& payment : turn.customer->payments) {
    if (turn.now_ms - payment.ts_ms > kRecentPaymentMs) continue;
    if (said.amount_minor && *said.amount_minor != payment.amount_minor) continue;
    if (!said.issuer.empty() && !same(said.issuer, payment.issuer)) continue;
    if (!said.method.empty() && !same(said.method, payment.method)) continue;
    if (best == nullptr || (failed(payment) && !failed(*best))) best = &payment;
  }
  return best;
}

bool stands_on(const KnownPayment& payment, const std::string& upstream, const Topology& topology) {
  const Scope path{payment.issuer, payment.method, payment.gateway};
  return std::any_of(
      topology.upstreams.begin(), topology.upstreams.end(),
      [&](const Upstream& known) { return known.name == upstream && known.carries(path); });
}

// Whether they are seen to be in the part of the payments that it is about. Of regions and amounts
// nothing is known here: what is about those is nobody's.
bool in_part(const Slice& part, const KnownPayment* payment, const Topology& topology) {
  if (part.region != "*" || part.amount != "*") return false;
  if (part.merchant == "*" && part.upstream == "*") return true;
  if (payment == nullptr || !failed(*payment)) return false;
  return (part.merchant == "*" || same(payment->merchant, part.merchant)) &&
         (part.upstream == "*" || stands_on(*payment, part.upstream, topology));
}

// Whether the incident can be what this customer met. What they say counts most, then the payment
// meant, then what they hold; of a gateway only a payment can tell.
bool affects(const Incident& incident, const Turn& turn, const KnownPayment* payment) {
  const Entities& said = turn.understanding.entities;
  const Scope& at = incident.instrument;
  const auto fits = [&](const std::string& wanted, const std::string& named,
                        const std::string& paid, const std::vector<std::string>& held) {
    if (wanted == "*") return true;
    if (!named.empty()) return same(named, wanted);
    if (payment != nullptr && failed(*payment)) return same(paid, wanted);
    return among(wanted, held);
  };
  const std::string none;
  const bool issuer =
      fits(at.issuer, said.issuer, payment ? payment->issuer : none, turn.customer->issuers);
  const bool method =
      fits(at.method, said.method, payment ? payment->method : none, turn.customer->methods);
  const bool gateway = at.gateway == "*" || (payment != nullptr && failed(*payment) &&
                                             same(payment->gateway, at.gateway));
  return issuer && method && gateway && in_part(incident.slice, payment, turn.config->topology);
}

const Incident* incident_met(const Turn& turn, const KnownPayment* payment) {
  const Incident* best = nullptr;
  for (const auto& [id, incident] : *turn.incidents) {
    // What only complaints tell of is no fact to be told to the next who complains.
    if (incident.pattern == "complaints" || !affects(incident, turn, payment)) continue;
    if (best == nullptr || incident.severity > best->severity) best = &incident;
  }
  return best;
}

class LookUpNode final : public ChatNode {
 public:
  std::string_view name() const override { return "look_up"; }
  Contribution run(const Turn& turn) const override {
    LookUp found;
    found.payment = payment_meant(turn);
    found.incident = incident_met(turn, found.payment);
    found.question = turn.message->text;
    if (const std::string id = chosen(turn); !id.empty()) {
      found.hits = {{.id = id, .score = 1.0, .bm25 = 1.0, .similarity = 1.0}};
      found.confidence = 1.0;
      return {.look_up = std::move(found)};
    }
    const auto& recent = turn.session->recent;
    if (turn.understanding.follows_up && !recent.empty()) {
      found.question = recent.back().text + " " + found.question;
    }
    std::vector<std::pair<std::string, double>> likely;
    for (const IntentGuess& guess : turn.understanding.main.alternatives) {
      likely.emplace_back(guess.intent.name, guess.probability);
    }
    found.hits = turn.faq->search(found.question, likely, kOffered);
    found.confidence = faq_confidence(found.hits);
    return {.look_up = std::move(found)};
  }
};

}  // namespace

std::unique_ptr<ChatNode> make_look_up() { return std::make_unique<LookUpNode>(); }

}  // namespace payops::support_agent
