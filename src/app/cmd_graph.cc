// payops graph: an agent's graph as Mermaid.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "payops/payments_agent/agent.h"
#include "payops/support_agent/support_agent.h"

namespace payops::app {

void add_graph_command(CLI::App& app, Command& command) {
  auto agent = std::make_shared<std::string>("payments");
  CLI::App* sub = app.add_subcommand("graph", "The agent's graph, as a Mermaid flowchart");
  sub->add_option("--agent", *agent, "Which agent")
      ->capture_default_str()
      ->check(CLI::IsMember({"payments", "support"}));
  sub->footer("Example: payops graph --agent payments");
  sub->callback([&command, agent] {
    command = [agent] {
      const graph::Shape shape = *agent == "support" ? support_agent::SupportAgent::shape()
                                                     : payments_agent::PaymentsAgent::shape();
      std::fputs(graph::to_mermaid(shape).c_str(), stdout);
      return kExitDone;
    };
  });
}

}  // namespace payops::app
