// The payops program: parses the command line and runs one subcommand.
#include <cstdio>
#include <exception>

#include "../cli.h"
#include "../terminal.h"
#include "../version.h"

int main(int argc, char** argv) {
  using namespace payops::app;
  CLI::App app{"payops: an autonomous payment-operations agent on Kafka", "payops"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer("Start with: payops demo\nEvery subcommand explains itself: payops run --help");
  Command command;
  add_demo_command(app, command);
  add_run_command(app, command);
  add_agent_command(app, command);
  add_simulate_command(app, command);
  add_broker_command(app, command);
  add_topics_command(app, command);
  add_verdict_commands(app, command);
  add_audit_command(app, command);
  add_explain_command(app, command);
  add_replay_command(app, command);
  add_state_command(app, command);
  add_learned_command(app, command);
  add_config_command(app, command);
  add_graph_command(app, command);
  add_bench_command(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitDone : kExitUsage;
  }
  Signals::install();
  try {
    return command();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "payops: unexpected: %s\n", e.what());
    return kExitNo;
  }
}
