// The support agent's working set, and the phases around its agents. Private to the module.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "payops/support_agent/support_agent.h"

namespace payops::support_agent {

// A reply given, for a message that comes again.
struct Remembered {
  std::string text_hash;
  std::string reply;  // as published
  static constexpr auto fields() {
    return std::make_tuple(field("text_hash", &Remembered::text_hash),
                           field("reply", &Remembered::reply));
  }
};

// How many messages a user has sent in a minute.
struct Pace {
  int64_t minute = 0;
  int32_t messages = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("minute", &Pace::minute), field("messages", &Pace::messages));
  }
};

struct Effects {
  std::vector<AuditRecord> audit;
  std::vector<OutboxEntry> outbox;
  std::vector<TableRow> rows;
};

// A turn while it runs: what the nodes see, and what they bring about.
struct ChatTurn {
  Turn turn;
  const ArrivedMessage* arrived = nullptr;
  std::string entropy;
  std::size_t place = 0;  // in the step
  Session session;
  std::string code;  // the one-time code made in this turn
  std::vector<Notification> notifications;
  ChatReply reply;
  std::string ticket_changed;  // id
  Effects effects;
};

struct Observed {
  Session session;
  bool limited = false;
};
struct Notified {
  std::string code;
  std::vector<Notification> notifications;
};
struct Acted {
  Session session;
  ChatReply reply;
  std::string ticket_changed;
  Effects effects;
};
struct Learned {
  Effects effects;
};

struct SupportAgent::Impl {
  Impl(Vault& vault, Extend extend);

  // What a snapshot holds.
  SupportConfig config;
  std::string config_json;
  std::vector<FaqArticle> articles;
  std::map<std::string, Session> sessions;        // open, by id
  std::map<std::string, std::string> session_of;  // by user
  std::map<std::string, Ticket> tickets;          // the latest, by id
  std::vector<std::string> ticket_order;          // the oldest first
  std::map<std::string, Incident> incidents;      // open, by id
  std::map<std::string, std::string> actions;     // type by id
  std::vector<std::string> action_order;          // the oldest first
  std::map<std::string, Remembered> remembered;   // by message id
  std::vector<std::string> remembered_order;      // a ring
  uint64_t remembered_next = 0;
  std::map<std::string, Pace> paces;  // by user
  std::map<std::string, int64_t> counts;
  uint64_t steps = 0;
  int64_t at_ms = 0;
  int64_t swept_ms = 0;
  std::string digest;

  // What configuration and knowledge make.
  Vault* vault;
  Extend extend;
  Knowledge knowledge;
  FaqIndex index;
  ChatNodes agents;
  std::unique_ptr<ChatNode> understand, look_up, router, follow_through, gate;
  graph::Graph<ChatTurn> graph;
  graph::Ticks ticks = [] { return int64_t{0}; };

  // Of the last step.
  std::vector<ChatReply> replies;
  std::vector<CommandResult> results;
  std::vector<Notification> notifications;

  [[nodiscard]] Status configure(const SupportConfig& next);
  void index_articles();
  [[nodiscard]] Result<Taken> step(SupportInput input, std::string_view recorded);
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] Status decode(std::string_view bytes);

  // The nodes of our own.
  [[nodiscard]] Observed observe(const ChatTurn& t);
  [[nodiscard]] Notified notify(const ChatTurn& t) const;
  [[nodiscard]] Acted act(const ChatTurn& t);
  [[nodiscard]] Learned learn(const ChatTurn& t);

  void take_news(const SupportInput& input, Effects& effects);
  [[nodiscard]] Status take_message(const ArrivedMessage& arrived, std::size_t place,
                                    const SupportInput& input, const graph::Ticks& clock,
                                    Effects& effects);
  void take_command(const DeskCommand& command, std::size_t place, Effects& effects);
  void close_idle(Effects& effects);
  void close_session(const std::string& id, Effects& effects);
  void put_session(const Session& session, Effects& effects);
  void put_ticket(const Ticket& ticket, Effects& effects);
  void put_notification(const Notification& notification, Effects& effects);
  void put_message(const Session& session, const std::string& id, std::string_view sender,
                   const std::string& text, std::size_t place, Effects& effects);
  void put_reply(const ChatReply& reply, const std::string& text_hash, Effects& effects);
  void remember(const std::string& message_id, Remembered what);
  [[nodiscard]] std::string erase_user(const DeskCommand& command, Effects& effects);
  [[nodiscard]] std::string reply_as_person(const DeskCommand& command, std::size_t place,
                                            Effects& effects);
  [[nodiscard]] std::string open_ticket(const DeskCommand& command, Effects& effects);
  [[nodiscard]] std::string change_ticket(const DeskCommand& command, Effects& effects);
};

[[nodiscard]] inline AuditRecord audit_record(std::string kind, int64_t ts_ms,
                                              const std::string& object) {
  return {std::move(kind), ts_ms, object.substr(1, object.size() - 2)};
}

// The graph of a message; `impl` null gives the shape of the agents that come with payops.
[[nodiscard]] Result<graph::Graph<ChatTurn>> chat_graph(SupportAgent::Impl* impl,
                                                        const ChatNodes& agents);

}  // namespace payops::support_agent
