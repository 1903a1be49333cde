#include "phrases.h"

#include <algorithm>
#include <cmath>

#include "payops/core/money.h"
#include "payops/core/text.h"
#include "payops/model/intervention.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kSubjectBytes = 400;
constexpr int64_t kLargeAmountMinor = 1'000'000;  // Rs 10,000: such a loss is not left waiting

Priority priority_of(const Turn& turn) {
  const Understanding& u = turn.understanding;
  if (u.risk >= Risk::high) return Priority::urgent;
  const bool large = u.entities.amount_minor.value_or(0) >= kLargeAmountMinor;
  if (u.sentiment <= -0.4 || large) return Priority::high;
  return Priority::normal;
}

std::string with_commas(std::string digits) {
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 2) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

// "upi" is spoken as "UPI".
std::string spoken_method(const std::string& method) {
  if (method == "upi") return "UPI";
  if (method == "bnpl") return "pay-later";
  std::string words = in_words(method);
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') {
    words[0] = static_cast<char>(words[0] - 32);
  }
  return words;
}

}  // namespace

std::string in_words(std::string_view intent) {
  std::string words(intent);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string clock_time(int64_t ts_ms, const SupportConfig& config) {
  return iso_time(ts_ms + config.utc_offset_min * 60'000LL).substr(11, 5);
}

std::string spoken_amount(int64_t amount_minor, std::string_view currency) {
  const std::string unit = currency == "INR" ? "Rs" : std::string(currency);
  const std::string digits = major_text(static_cast<double>(amount_minor), currency);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::string rest = digits.substr(point);
  if (rest.find_first_of("123456789") == std::string::npos) rest.clear();
  return unit + " " + with_commas(digits.substr(0, point)) + rest;
}

std::string incident_in_words(const Incident& incident, const Turn& turn) {
  const Scope& at = incident.instrument;
  std::string who = at.method == "*" ? "Payments" : spoken_method(at.method) + " payments";
  if (at.issuer != "*") who += " through " + at.issuer;
  const bool partner = at.gateway != "*" || incident.slice.upstream != "*";
  if (partner && at.issuer == "*") who += " on one of our payment partners";
  const bool slow = incident.pattern.find("latency") != std::string::npos;
  std::string text = who + (slow ? " have been slow since " : " have been failing since ") +
                     clock_time(incident.begin_ts_ms, *turn.config);
  bool around = false;
  for (const std::string& action : incident.action_ids) {
    const auto type = turn.actions->find(action);
    if (type == turn.actions->end()) continue;
    around = around || type->second == action_type::kRerouteTraffic ||
             type->second == action_type::kSuppressPath;
  }
  return text + (around ? " and are being routed around it." : "; we are working on it.");
}

Ticket new_ticket(const Turn& turn, std::string_view category) {
  Ticket ticket;
  ticket.session_id = turn.session->id;
  ticket.user_id = turn.message->user_id;
  ticket.category = std::string(category);
  ticket.priority = priority_of(turn);
  ticket.subject = masked_words(turn.message->text, kSubjectBytes);
  ticket.created_ts = turn.now_ms;
  return ticket;
}

const Ticket* open_ticket(const Turn& turn, std::string_view category) {
  const Ticket* newest = nullptr;
  for (const auto& [id, ticket] : *turn.tickets) {
    const bool fits = ticket.user_id == turn.message->user_id && ticket.category == category &&
                      ticket.status != TicketStatus::resolved;
    if (fits && (newest == nullptr || ticket.created_ts >= newest->created_ts)) newest = &ticket;
  }
  return newest;
}

Contribution ask_for_code(const Turn& turn, std::string_view intent) {
  const CustomerView& customer = *turn.customer;
  std::string target = masked_email(customer.email);
  if (!customer.phone.empty()) target = masked_phone(customer.phone);
  Contribution delta;
  Wish wish;
  if (target.empty()) {
    delta.said =
        Said{.text =
                 "That touches your own account, and I have no e-mail address and no "
                 "phone number from you to check that it is you. A person can help. Shall I "
                 "get one?",
             .outcome = Outcome::account};
    wish.pending = Pending{.what = Awaiting::person,
                           .intent = std::string(intent),
                           .question = "Shall I get a person for this?",
                           .text = turn.message->text,
                           .choices = {},
                           .asked = 1};
    delta.wish = std::move(wish);
    return delta;
  }
  const std::string question = "Please type the six-digit code that I sent to " + target + ".";
  delta.said =
      Said{.text = "Before I open or change anything in your account I must know that it is you. " +
                   question + " Never share it with anybody else.",
           .outcome = Outcome::account};
  wish.send_code = true;
  wish.pending = Pending{.what = Awaiting::code,
                         .intent = std::string(intent),
                         .question = question,
                         .text = turn.message->text,
                         .choices = {},
                         .asked = 1};
  delta.wish = std::move(wish);
  return delta;
}

}  // namespace payops::support_agent
