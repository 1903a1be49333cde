// The payops program: parses the command line and runs one subcommand.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "../cli.h"
#include "../cmd_intents.h"
#include "../cmd_support.h"
#include "../terminal.h"
#include "../version.h"
#include "payops/core/text.h"

namespace {

// A first word that is no subcommand: the parser would only say that one is missing.
int complain_of_unknown(CLI::App& app, int argc, char** argv) {
  using namespace payops::app;
  if (argc < 2 || argv[1][0] == '-') return kExitDone;
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands({})) known.push_back(sub->get_name());
  if (std::find(known.begin(), known.end(), argv[1]) != known.end()) return kExitDone;
  return report({.code = payops::ErrorCode::usage,
                 .retryable = false,
                 .message = "there is no subcommand \"" + std::string(argv[1]) + "\"" +
                            payops::did_you_mean(argv[1], known) + "; payops --help lists them"});
}

// What did not fit on the disk behind stdout is no success; a reader who has seen enough is.
int told_whole(int status) {
  const bool whole = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  const bool reader_gone = poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
  if (whole || reader_gone) return status;
  std::fprintf(stderr, "payops: stdout takes no more: is its disk full?\n");
  return payops::app::kExitUnavailable;
}

}  // namespace

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
  add_users_command(app, command);
  add_notify_command(app, command);
  add_top_command(app, command);
  add_audit_command(app, command);
  add_explain_command(app, command);
  add_replay_command(app, command);
  add_state_command(app, command);
  add_learned_command(app, command);
  add_config_command(app, command);
  add_graph_command(app, command);
  add_detect_command(app, command);
  add_backtest_command(app, command);
  add_evaluate_command(app, command);
  add_attribute_command(app, command);
  add_intents_command(app, command);
  add_support_command(app, command);
  add_chat_command(app, command);
  add_faq_command(app, command);
  add_stories_command(app, command);
  add_bench_command(app, command);
  if (const int wrong = complain_of_unknown(app, argc, argv); wrong != kExitDone) return wrong;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitDone : kExitUsage;
  }
  Signals::install();
  try {
    return told_whole(command());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "payops: unexpected: %s\n", e.what());
    return kExitNo;
  }
}
