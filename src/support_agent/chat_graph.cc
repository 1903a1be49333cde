#include "agent_impl.h"

namespace payops::support_agent {
namespace {

void append(Effects& to, Effects&& from) {
  const auto add = [](auto& into, auto&& more) {
    into.insert(into.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  };
  add(to.audit, from.audit);
  add(to.outbox, from.outbox);
  add(to.rows, from.rows);
}

constexpr std::size_t kNodesMax = 24;  // of one turn; agents that hand on in a circle end there

}  // namespace

void reduce(ChatTurn& t, Observed&& delta) {
  t.session = std::move(delta.session);
  t.turn.session = &t.session;
  t.turn.limited = delta.limited;
}
void reduce(ChatTurn& t, Contribution&& delta) { reduce(t.turn, std::move(delta)); }
Status check(const ChatTurn& t, const Contribution& delta) { return check(t.turn, delta); }
void reduce(ChatTurn& t, Notified&& delta) {
  t.code = std::move(delta.code);
  t.notifications = std::move(delta.notifications);
}
void reduce(ChatTurn& t, Acted&& delta) {
  t.session = std::move(delta.session);
  t.reply = std::move(delta.reply);
  t.ticket_changed = std::move(delta.ticket_changed);
  append(t.effects, std::move(delta.effects));
}
void reduce(ChatTurn& t, Learned&& delta) { append(t.effects, std::move(delta.effects)); }

Result<graph::Graph<ChatTurn>> chat_graph(SupportAgent::Impl* impl, const ChatNodes& agents) {
  graph::GraphBuilder<ChatTurn> builder("support", kNodesMax);
  const auto node = [&](const char* name, auto member) {
    builder.node(name, [impl, member](const ChatTurn& t) -> Contribution {
      return (impl->*member)->run(t.turn);
    });
  };
  builder.node("observe", [impl](const ChatTurn& t) { return impl->observe(t); });
  node("understand", &SupportAgent::Impl::understand);
  node("look_up", &SupportAgent::Impl::look_up);
  node("route", &SupportAgent::Impl::router);
  std::vector<std::string> names;
  for (const auto& agent : agents) names.emplace_back(agent->name());
  for (const auto& agent : agents) {
    builder.node(std::string(agent->name()), [a = agent.get()](const ChatTurn& t) {
      Contribution delta = a->run(t.turn);
      delta.by = std::string(a->name());
      return delta;
    });
  }
  node("follow_through", &SupportAgent::Impl::follow_through);
  node("gate", &SupportAgent::Impl::gate);
  builder.node("notify", [impl](const ChatTurn& t) { return impl->notify(t); })
      .node("act", [impl](const ChatTurn& t) { return impl->act(t); })
      .node("learn", [impl](const ChatTurn& t) { return impl->learn(t); })
      .edge("observe", "understand")
      .edge("understand", "look_up")
      .edge("look_up", "route");
  const std::vector<std::string_view> to_agents(names.begin(), names.end());
  builder.branch("route", to_agents, [](const ChatTurn& t) { return t.turn.route.agent; });
  for (const std::string& from : names) {
    std::vector<std::string_view> targets{"follow_through"};
    for (const std::string& other : names) {
      if (other != from) targets.push_back(other);
    }
    builder.branch(from, targets, [](const ChatTurn& t) {
      return t.turn.next.empty() ? std::string("follow_through") : t.turn.next;
    });
  }
  builder.edge("follow_through", "gate")
      .edge("gate", "notify")
      .edge("notify", "act")
      .edge("act", "learn")
      .edge("learn", graph::kEnd);
  return builder.build();
}

}  // namespace payops::support_agent
