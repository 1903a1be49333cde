// payops approve, reject, kill and keys: what a person says, signed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "audit_key.h"
#include "cli.h"
#include "kafka_options.h"
#include "payops/core/text.h"
#include "terminal.h"
#include "verdict_client.h"

namespace payops::app {
namespace {

struct VerdictOptions {
  std::string id;
  KafkaOptions kafka;
  std::string key_file;
  std::string by;
  bool yes = false;
  double wait_s = kAnswerWaitS;
};

std::string person(const VerdictOptions& options) {
  if (!options.by.empty()) return options.by;
  const char* user = std::getenv("USER");
  return user != nullptr ? user : "operator";
}

// Asks on the terminal; where there is none, nobody has been shown anything.
Result<bool> confirmed(const VerdictOptions& options, const std::string& question) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0) {
    return fail(ErrorCode::usage,
                "nothing was sent: there is no terminal to ask on; --yes answers for you");
  }
  std::printf("%s [y/N] ", question.c_str());
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

int answer(const VerdictOptions& options, const std::string& verdict) {
  const auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  if (const Status key = check_key(options.key_file); !key) return report(key.error());
  const auto proposal = find_proposal(*config, options.id);
  if (!proposal) return report(proposal.error());
  if (!*proposal) {
    std::fprintf(stderr, "payops: no proposal %s waits on payops.decisions\n", options.id.c_str());
    return kExitNo;
  }
  std::printf("%s\nshown hash %s\n", (*proposal)->shown.c_str(),
              (*proposal)->intervention.shown_hash.c_str());
  const auto yes = confirmed(options, verdict + " this?");
  if (!yes) return report(yes.error());
  if (!*yes) {
    std::printf("nothing was sent\n");
    return kExitNo;
  }
  return send_verdict(*config,
                      {.proposal_id = options.id,
                       .verdict = verdict,
                       .shown_hash = (*proposal)->intervention.shown_hash,
                       .by = person(options)},
                      options.key_file, options.wait_s, verdict + " " + options.id);
}

int kill(const VerdictOptions& options, const std::string& position) {
  const auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  return send_verdict(
      *config,
      {.proposal_id = "kill", .verdict = position, .shown_hash = "", .by = person(options)},
      options.key_file, options.wait_s, "kill switch " + position);
}

int new_key(const std::string& file) {
  const KeyPair pair = make_key_pair();
  if (Status status = write_private_file(file, pair.secret_key_hex + "\n"); !status) {
    return report(status.error());
  }
  std::fprintf(stderr,
               "secret key in %s, readable by you only; the public key goes into "
               "agent.operator_keys of config/agent.yaml:\n",
               file.c_str());
  std::printf("%s\n", pair.public_key_hex.c_str());
  return kExitDone;
}

void add_common(CLI::App* sub, const std::shared_ptr<VerdictOptions>& options) {
  add_kafka_options(*sub, options->kafka);
  sub->add_option("--key", options->key_file, "File with your secret key (payops keys new)")
      ->required();
  sub->add_option("--by", options->by, "Your name, for the audit log (default: $USER)");
  sub->add_option("--wait", options->wait_s, "Seconds to wait for the agent's answer")
      ->capture_default_str()
      ->check(between(0.0, 3600.0));
}

}  // namespace

void add_verdict_commands(CLI::App& app, Command& command) {
  for (const std::string verdict : {"approve", "reject"}) {
    auto options = std::make_shared<VerdictOptions>();
    CLI::App* sub = app.add_subcommand(verdict, "A signed answer to a proposal: " + verdict);
    sub->add_option("ID", options->id, "The proposal's action id")->required();
    add_common(sub, options);
    sub->add_flag("--yes", options->yes, "Do not ask");
    sub->footer("Example: payops " + verdict +
                " act-0123456789abcdef --bootstrap localhost:9092 --key operator.key");
    sub->callback([&command, options, verdict] {
      command = [options, verdict] { return answer(*options, verdict); };
    });
  }
  CLI::App* kill_app = app.add_subcommand("kill", "The kill switch: no action, all rolled back");
  kill_app->require_subcommand(1);
  kill_app->footer("Example: payops kill on --bootstrap localhost:9092 --key operator.key");
  for (const std::string position : {"on", "off"}) {
    auto options = std::make_shared<VerdictOptions>();
    CLI::App* sub = kill_app->add_subcommand(
        position, position == "on" ? "Stop acting and undo what is in force" : "Act again");
    add_common(sub, options);
    sub->footer("Example: payops kill " + position +
                " --bootstrap localhost:9092 --key operator.key");
    sub->callback([&command, options, position] {
      command = [options, position] { return kill(*options, position); };
    });
  }
  CLI::App* keys = app.add_subcommand("keys", "Operators' signing keys");
  keys->require_subcommand(1);
  keys->footer("Example: payops keys new --out operator.key");
  CLI::App* fresh = keys->add_subcommand("new", "Make a key pair and print its public key");
  fresh->footer("Example: payops keys new --out operator.key");
  auto file = std::make_shared<std::string>("operator.key");
  fresh->add_option("--out", *file, "Where the secret key goes; must not exist")
      ->capture_default_str();
  fresh->callback([&command, file] { command = [file] { return new_key(*file); }; });
}

}  // namespace payops::app
