#include "chat_story.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "chat_room.h"
#include "payops/core/moment.h"
#include "payops/core/text.h"
#include "payops/model/intervention.h"

namespace payops::app {
namespace {

using support_agent::ChatReply;

constexpr const char* kDay = "2026-03-02";
constexpr const char* kStart = "2026-03-02T15:00:00+05:30";

// Reads a story node by node: its shape is looser than a configuration's.
class StoryReader {
 public:
  explicit StoryReader(std::string file) : file_(std::move(file)) {}

  ChatStory read(const YAML::Node& root) {
    ChatStory story;
    story.file = file_;
    keys(root, "the story", {"story", "given", "turns", "about"});
    if (!root["story"]) wrong(root, "\"story\" (its name) is missing");
    story.name = text(root["story"]);
    story.given.customer = {.name = "Asha Rao",
                            .email = "asha@example.com",
                            .phone = "+919876543210",
                            .card_last4 = "4432",
                            .issuers = {"HDFC"},
                            .methods = {"upi", "card"},
                            .payments = {}};
    if (root["given"]) read_given(root["given"], story.given);
    if (!root["turns"] || !root["turns"].IsSequence() || root["turns"].size() == 0) {
      wrong(root, "\"turns\" (a list) is missing");
    }
    for (const auto& node : root["turns"]) story.turns.push_back(read_turn(node));
    return story;
  }

 private:
  [[noreturn]] void wrong(const YAML::Node& node, const std::string& what) const {
    throw std::runtime_error(file_ + ":" + std::to_string(node.Mark().line + 1) + ": " + what);
  }
  void keys(const YAML::Node& node, const std::string& of, std::vector<std::string> known) const {
    if (!node.IsMap()) wrong(node, of + " must be a mapping");
    for (const auto& item : node) {
      const auto key = item.first.as<std::string>();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        wrong(item.first, "unknown key \"" + key + "\" of " + of + did_you_mean(key, known));
      }
    }
  }
  std::string text(const YAML::Node& node) const {
    if (node.IsNull()) return "";
    if (!node.IsScalar()) wrong(node, "a single value is wanted here");
    return node.Scalar();
  }
  template <class T>
  T number(const YAML::Node& node) const {
    T value{};
    if (!node.IsScalar() || !YAML::convert<T>::decode(node, value)) {
      wrong(node, "a number (or true, false) is wanted here");
    }
    return value;
  }
  std::vector<std::string> texts(const YAML::Node& node) const {
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) wrong(node, "a list is wanted here");
    std::vector<std::string> all;
    for (const auto& item : node) all.push_back(text(item));
    return all;
  }

  void read_given(const YAML::Node& node, StoryGiven& given) const {
    keys(node, "given", {"user", "verified", "customer", "incidents", "payments", "tickets"});
    if (node["user"]) given.user = text(node["user"]);
    if (node["verified"]) given.verified = number<bool>(node["verified"]);
    if (const YAML::Node c = node["customer"]) {
      keys(c, "customer", {"name", "email", "phone", "card_last4", "issuers", "methods"});
      if (c["name"]) given.customer.name = text(c["name"]);
      if (c["email"]) given.customer.email = text(c["email"]);
      if (c["phone"]) given.customer.phone = text(c["phone"]);
      if (c["card_last4"]) given.customer.card_last4 = text(c["card_last4"]);
      if (c["issuers"]) given.customer.issuers = texts(c["issuers"]);
      if (c["methods"]) given.customer.methods = texts(c["methods"]);
    }
    for (const auto& item : node["incidents"]) {
      keys(item, "an incident",
           {"issuer", "method", "gateway", "since_ms", "since", "routed", "pattern"});
      StoryIncident incident;
      if (item["issuer"]) incident.issuer = text(item["issuer"]);
      if (item["method"]) incident.method = text(item["method"]);
      if (item["gateway"]) incident.gateway = text(item["gateway"]);
      if (item["since_ms"]) incident.since_ms = number<int64_t>(item["since_ms"]);
      if (item["since"]) incident.since = text(item["since"]);
      if (item["routed"]) incident.routed = number<bool>(item["routed"]);
      if (item["pattern"]) incident.pattern = text(item["pattern"]);
      given.incidents.push_back(incident);
    }
    for (const auto& item : node["payments"]) {
      keys(item, "a payment",
           {"payment_id", "amount_minor", "currency", "issuer", "method", "gateway", "status",
            "decline_code", "merchant", "ago_s"});
      StoryPayment p;
      if (item["payment_id"]) p.payment.payment_id = text(item["payment_id"]);
      if (item["amount_minor"]) p.payment.amount_minor = number<int64_t>(item["amount_minor"]);
      if (item["currency"]) p.payment.currency = text(item["currency"]);
      if (item["issuer"]) p.payment.issuer = text(item["issuer"]);
      if (item["method"]) p.payment.method = text(item["method"]);
      if (item["gateway"]) p.payment.gateway = text(item["gateway"]);
      if (item["status"]) p.payment.status = text(item["status"]);
      if (item["decline_code"]) p.payment.decline_code = text(item["decline_code"]);
      if (item["merchant"]) p.payment.merchant = text(item["merchant"]);
      if (item["ago_s"]) p.ago_s = number<int64_t>(item["ago_s"]);
      given.payments.push_back(p);
    }
    for (const auto& item : node["tickets"]) {
      keys(item, "a ticket", {"id", "user", "category", "status"});
      StoryTicket t;
      if (item["id"]) t.id = text(item["id"]);
      t.user = item["user"] ? text(item["user"]) : given.user;
      if (item["category"]) t.category = text(item["category"]);
      if (item["status"]) t.status = text(item["status"]);
      given.tickets.push_back(t);
    }
  }

  StoryTurn read_turn(const YAML::Node& node) const {
    keys(node, "a turn", {"user", "after_s", "repeat", "locale", "expect"});
    if (!node["user"]) wrong(node, "\"user\" (what they say) is missing");
    StoryTurn turn;
    turn.line = node.Mark().line + 1;
    turn.user = text(node["user"]);
    if (node["locale"]) turn.locale = text(node["locale"]);
    if (node["repeat"]) {
      const std::string once = turn.user;
      for (auto n = number<int64_t>(node["repeat"]); n > 1 && turn.user.size() < 100'000; --n) {
        turn.user += once;
      }
    }
    if (node["after_s"]) turn.after_s = number<int64_t>(node["after_s"]);
    if (const YAML::Node e = node["expect"]) read_expectation(e, turn.expect);
    return turn;
  }

  void read_expectation(const YAML::Node& e, StoryExpectation& expect) const {
    keys(e, "expect",
         {"class", "intent", "agent", "outcome", "reply", "citations", "ticket", "handover"});
    const auto optional = [&](const char* key, AnyOf& into) {
      if (e[key]) into = texts(e[key]);
    };
    optional("class", expect.intent_class);
    optional("intent", expect.intent);
    optional("agent", expect.agent);
    optional("outcome", expect.outcome);
    optional("handover", expect.handover);
    if (const YAML::Node r = e["reply"]) {
      keys(r, "reply", {"contains", "not_contains", "matches"});
      if (r["contains"]) expect.reply.contains = texts(r["contains"]);
      if (r["not_contains"]) expect.reply.not_contains = texts(r["not_contains"]);
      if (r["matches"]) {
        expect.reply.matches = text(r["matches"]);
        try {
          const std::regex tried(expect.reply.matches);
        } catch (const std::regex_error& error) {
          wrong(r["matches"], std::string("no regular expression: ") + error.what());
        }
      }
    }
    if (e["citations"]) expect.citations = texts(e["citations"]);
    if (const YAML::Node t = e["ticket"]) {
      if (t.IsScalar()) {
        const std::string word = t.Scalar();
        expect.no_ticket = word == "none" || word == "false";
        expect.has_ticket = !expect.no_ticket;
        return;
      }
      keys(t, "ticket", {"category", "status", "priority"});
      expect.has_ticket = true;
      if (t["category"]) expect.ticket_category = texts(t["category"]);
      if (t["status"]) expect.ticket_status = texts(t["status"]);
      if (t["priority"]) expect.ticket_priority = texts(t["priority"]);
    }
  }

  std::string file_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

// Holds one answer against what was expected.
class Judge {
 public:
  Judge(const ChatStory& story, const StoryTurn& turn, std::string ticket,
        std::vector<std::string>& failures)
      : where_(story.file + ":" + std::to_string(turn.line) + ": "),
        turn_(turn),
        ticket_(std::move(ticket)),
        failures_(failures) {}

  void judge(const ChatRoom::Answer& answer) {
    const StoryExpectation& e = turn_.expect;
    const ChatReply& r = answer.reply;
    same("class", e.intent_class, std::string(name_of(r.intent_class)));
    same("intent", e.intent, r.intent);
    same("agent", e.agent, r.agent);
    same("outcome", e.outcome, std::string(name_of(r.outcome)));
    if (e.citations && *e.citations != r.citations) {
      wrong("citations", join(r.citations, ", "), join(*e.citations, ", "));
    }
    const std::string said = lower(r.text);
    for (std::string part : e.reply.contains) {
      replace_all(part, "{ticket}", ticket_);
      if (said.find(lower(part)) == std::string::npos)
        wrong("reply", r.text, "\"" + part + "\" in it");
    }
    for (const std::string& part : e.reply.not_contains) {
      if (said.find(lower(part)) != std::string::npos) {
        wrong("reply", r.text, "no \"" + part + "\" in it");
      }
    }
    if (!e.reply.matches.empty() &&
        !std::regex_search(r.text, std::regex(e.reply.matches, std::regex::icase))) {
      wrong("reply", r.text, "/" + e.reply.matches + "/");
    }
    judge_ticket(answer);
    judge_handover(answer.session.handover);
  }

 private:
  void wrong(const std::string& what, const std::string& got, const std::string& wanted) {
    failures_.push_back(where_ + "\"" + turn_.user.substr(0, 60) + "\": " + what + " is \"" + got +
                        "\"; expected " + wanted);
  }
  void same(const char* what, const AnyOf& wanted, const std::string& got) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), got) != wanted.end()) return;
    wrong(what, got, join(wanted, " or "));
  }
  void judge_ticket(const ChatRoom::Answer& answer) {
    const StoryExpectation& e = turn_.expect;
    if (e.no_ticket && !answer.reply.ticket_id.empty()) {
      wrong("ticket", answer.reply.ticket_id, "none");
    }
    if (!e.has_ticket) return;
    if (answer.changed.empty()) return wrong("ticket", "none", "one");
    const support_agent::Ticket& t = answer.changed.front();
    same("ticket.category", e.ticket_category, t.category);
    same("ticket.status", e.ticket_status, std::string(name_of(t.status)));
    same("ticket.priority", e.ticket_priority, std::string(name_of(t.priority)));
  }
  void judge_handover(const std::string& reason) {
    const AnyOf& wanted = turn_.expect.handover;
    const bool fits = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) {
      return w == "true" ? !reason.empty() : w == "false" ? reason.empty() : reason == w;
    });
    if (!wanted.empty() && !fits) {
      wrong("handover", reason.empty() ? "none" : reason, join(wanted, " or "));
    }
  }

  std::string where_;
  const StoryTurn& turn_;
  std::string ticket_;  // the latest
  std::vector<std::string>& failures_;
};

void set_the_stage(const ChatStory& story, ChatRoom& room) {
  support_agent::CustomerView customer = story.given.customer;
  for (const StoryPayment& p : story.given.payments) {
    customer.payments.push_back(p.payment);
    customer.payments.back().ts_ms = room.now_ms() - p.ago_s * 1000;
  }
  room.set_customer(std::move(customer), story.given.verified);
  std::vector<Incident> incidents;
  std::vector<std::pair<std::string, std::string>> actions;
  for (const StoryIncident& given : story.given.incidents) {
    Incident incident;
    incident.id = "inc-" + hex64(incidents.size() + 1);
    incident.severity = Severity::high;
    incident.pattern = given.pattern;
    incident.instrument = {given.issuer, given.method, given.gateway};
    const auto since = parse_iso8601(std::string(kDay) + "T" +
                                     (given.since.empty() ? "14:02" : given.since) + ":00+05:30");
    incident.begin_ts_ms = given.since_ms.value_or(since.value_or(room.now_ms()));
    if (given.routed) {
      actions.emplace_back("act-" + incident.id, std::string(action_type::kRerouteTraffic));
      incident.action_ids.push_back(actions.back().first);
    }
    incidents.push_back(incident);
  }
  room.set_incidents(std::move(incidents), std::move(actions));
  for (const StoryTicket& ticket : story.given.tickets) {
    room.open_ticket(ticket.id, ticket.user, ticket.category, ticket.status);
  }
}

}  // namespace

Result<ChatStory> parse_chat_story(const std::string& text, const std::string& file) {
  try {
    return StoryReader(file).read(YAML::Load(text));
  } catch (const YAML::Exception& e) {
    return fail(ErrorCode::config, file + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg);
  } catch (const std::exception& e) {
    return fail(ErrorCode::config, e.what());
  }
}

Result<std::vector<ChatStory>> read_chat_stories(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    }
  } else {
    files.push_back(path);
  }
  if (files.empty()) return fail(ErrorCode::not_found, path + ": no *.yaml with stories in it");
  std::sort(files.begin(), files.end());
  std::vector<ChatStory> stories;
  for (const std::string& file : files) {
    const auto text = read_file(file);
    if (!text) return tl::make_unexpected(text.error());
    auto story = parse_chat_story(*text, file);
    if (!story) return tl::make_unexpected(story.error());
    stories.push_back(std::move(*story));
  }
  return stories;
}

Result<StoryResult> play(const ChatStory& story, const support_agent::Knowledge& knowledge,
                         const support_agent::SupportConfig& config,
                         const std::vector<support_agent::FaqArticle>& articles) {
  const auto room = ChatRoom::open(knowledge, config, articles, parse_iso8601(kStart).value_or(0));
  if (!room) return tl::make_unexpected(room.error());
  set_the_stage(story, **room);
  StoryResult result;
  std::string code, ticket;
  for (const StoryTurn& turn : story.turns) {
    (*room)->pass_ms(turn.after_s * 1000);
    std::string text = turn.user;
    replace_all(text, "{code}", code);
    replace_all(text, "{ticket}", ticket);
    const auto answer = (*room)->say(story.given.user, text, turn.locale);
    if (!answer) return tl::make_unexpected(answer.error());
    if (!answer->code.empty()) code = answer->code;
    if (!answer->reply.ticket_id.empty()) ticket = answer->reply.ticket_id;
    Judge(story, turn, ticket, result.failures).judge(*answer);
  }
  return result;
}

}  // namespace payops::app
