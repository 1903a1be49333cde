// The support agent: messages in, replies out, as a pure reducer of input blocks. Every message
// goes through one graph: observe → understand → look_up → route → an agent → follow_through → gate
// → notify → act → learn.
//
//   SupportAgent agent(vault);
//   agent.know({.classifier = …, .embed = …, .model_hash = …});
//   Taken taken = *agent.step(input);                // one batch of messages
//   tables.put_with_next_commit(taken.rows);
//   stepper.take(taken.block, taken.output, cursors);
//
// What it remembers is its working set: open sessions and tickets, bounded. Everything said and
// done also goes to the tables (tables.h in runtime): sessions, messages, tickets, notifications.
// Not thread-safe; no clock, no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/result.h"
#include "payops/graph/graph.h"
#include "payops/runtime/step.h"
#include "payops/runtime/tables.h"
#include "payops/support_agent/chat_node.h"
#include "payops/support_agent/support_config.h"
#include "payops/support_agent/support_input.h"
#include "payops/support_agent/vault.h"

namespace payops::support_agent {

// What understands messages; not state, so the block only names it by its hash.
struct Knowledge {
  std::shared_ptr<const IntentClassifier> classifier;
  Embed embed;
  std::string model_hash;
};

// Names of tables and of logical topics.
namespace table {
inline constexpr std::string_view kSessions = "sessions";
inline constexpr std::string_view kMessages = "messages";  // key: session id | 16 hex of its place
inline constexpr std::string_view kTickets = "tickets";
inline constexpr std::string_view kNotifications = "notifications";
inline constexpr std::string_view kByUser = "by_user";  // key: by_user_key()
inline constexpr std::string_view kUnanswered = "unanswered";
}  // namespace table

// "<user id in hexadecimal>|table|key": what there is of a user, found by the part before the bar.
[[nodiscard]] std::string by_user_key(std::string_view user_id, std::string_view table,
                                      std::string_view key);

struct Taken {
  std::string block;
  StepOutput output;
  std::vector<TableRow> rows;  // for the same commit
};

// What became of a desk command.
struct CommandResult {
  std::string id;
  std::string problem;  // empty: done
};

class SupportAgent final : public Reducer {
 public:
  // `extend` adds a team's own agents; replay needs the same.
  using Extend = std::function<void(ChatNodes&)>;
  explicit SupportAgent(
      Vault& vault, Extend extend = [](ChatNodes&) {});
  ~SupportAgent() override;

  void know(Knowledge knowledge);
  // Takes effect at once; the state is kept. Errors: config, for an agent that there is not.
  [[nodiscard]] Status configure(const SupportConfig& config);
  [[nodiscard]] const SupportConfig& config() const;

  // One step. `input.ticks` is filled. Errors: of the graph.
  [[nodiscard]] Result<Taken> step(SupportInput input);
  // Of the last step; what persons wrote is among the replies.
  [[nodiscard]] const std::vector<ChatReply>& replies() const;
  [[nodiscard]] const std::vector<CommandResult>& command_results() const;
  [[nodiscard]] const std::vector<Notification>& notifications() const;

  [[nodiscard]] Result<StepOutput> apply(std::string_view block) override;
  [[nodiscard]] std::string snapshot() const override;
  [[nodiscard]] Status restore(std::string_view snapshot) override;

  [[nodiscard]] uint64_t steps() const;
  [[nodiscard]] const Session* session(std::string_view id) const;  // open ones
  [[nodiscard]] const std::map<std::string, Session>& sessions() const;
  [[nodiscard]] const std::map<std::string, Ticket>& tickets() const;
  [[nodiscard]] const std::map<std::string, Incident>& incidents() const;
  // Since the state began: "messages", "intent.<name>", "outcome.<name>", "handover.<reason>", …
  [[nodiscard]] const std::map<std::string, int64_t>& counts() const;
  [[nodiscard]] const FaqIndex& faq() const;
  [[nodiscard]] int64_t at_ms() const;

  void set_ticks(graph::Ticks ticks);
  [[nodiscard]] static graph::Shape shape();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::support_agent
