// payops learned: what the agent has learnt of its interventions' effects, and forgetting it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "cli.h"
#include "kafka_options.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "stored_agent.h"
#include "terminal.h"
#include "verdict_client.h"

namespace payops::app {
namespace {

struct LearnedOptions {
  std::string state_dir = ".payops_state";
  bool json = false;
};

struct ResetOptions {
  std::string scope;
  KafkaOptions kafka;
  std::string key_file;
  std::string by;
};

void print_table(const std::vector<EffectRow>& rows) {
  if (rows.empty()) {
    std::printf("nothing learnt yet: every effect is taken as the model predicts it\n");
    return;
  }
  std::printf("factor on the predicted effect: 1 as predicted, 0 none, below 0 harm\n%s%s%s%s\n",
              pad("type", 24).c_str(), pad("cause", 16).c_str(), pad("scope", 26).c_str(),
              "factor (90 %)            outcomes  better  worse  last");
  for (const EffectRow& row : rows) {
    const std::string factor =
        fixed(row.mean, 2) + " (" + fixed(row.low, 2) + " to " + fixed(row.high, 2) + ")";
    std::printf("%s%s%s%s%s%s%s  %s\n", pad(row.type, 24).c_str(),
                pad(name_of(row.cause), 16).c_str(),
                pad(row.peer == "*" ? "* (all scopes)" : row.peer, 26).c_str(),
                pad(factor, 25).c_str(), pad_left(std::to_string(row.outcomes), 8).c_str(),
                pad_left(std::to_string(row.improved), 8).c_str(),
                pad_left(std::to_string(row.worse), 7).c_str(),
                iso_time(row.updated_ts_ms).substr(0, 19).c_str());
  }
}

int show(const LearnedOptions& options) {
  const auto stored = restore_stored(options.state_dir);
  if (!stored) return report(stored.error());
  const std::vector<EffectRow> rows = stored_effects(*stored->agent);
  if (options.json) {
    std::printf("%s\n",
                dump(Json{{"step", stored->held.step}, {"effects", to_json(rows)}}).c_str());
  } else {
    print_table(rows);
  }
  return kExitDone;
}

int reset(const ResetOptions& options) {
  const auto scope = parse_scope(options.scope);
  if (!scope) {
    return report({ErrorCode::usage, false,
                   "\"" + options.scope +
                       "\" is no scope: give issuer|method|gateway, \"*\" for any, as in "
                       "\"HDFC|*|*\""});
  }
  const auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  const char* user = std::getenv("USER");
  const std::string by = !options.by.empty() ? options.by : user != nullptr ? user : "operator";
  std::string signed_scope = to_string(*scope);  // "|" parts the fields of what is signed
  std::replace(signed_scope.begin(), signed_scope.end(), '|', '/');
  return send_verdict(
      *config, {.proposal_id = "learned", .verdict = "reset", .shown_hash = signed_scope, .by = by},
      options.key_file, kAnswerWaitS, "forget what was learnt of " + describe(*scope));
}

void add_show_options(CLI::App* sub, const std::shared_ptr<LearnedOptions>& options) {
  sub->add_option("--state", options->state_dir, "State directory; may be in use")
      ->capture_default_str();
  sub->add_flag("--json", options->json, "One JSON document on stdout");
}

}  // namespace

void add_learned_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<LearnedOptions>();
  const auto run_show = [&command, options] { command = [options] { return show(*options); }; };
  CLI::App* sub = app.add_subcommand("learned", "Effects learnt from outcomes; forgetting them");
  sub->require_subcommand(0, 1);
  sub->footer("Example: payops learned show --state .payops_state");
  add_show_options(sub, options);
  sub->callback([sub, run_show] {
    if (sub->get_subcommands().empty()) run_show();
  });
  CLI::App* show_app = sub->add_subcommand("show", "Posteriors by type, cause and scope");
  add_show_options(show_app, options);
  show_app->callback(run_show);

  auto forget = std::make_shared<ResetOptions>();
  CLI::App* reset_app = sub->add_subcommand("reset", "A signed command to forget a scope");
  reset_app->add_option("--scope", forget->scope, "issuer|method|gateway; \"*|*|*\" is everything")
      ->required();
  add_kafka_options(*reset_app, forget->kafka);
  reset_app->add_option("--key", forget->key_file, "File with your secret key (payops keys new)")
      ->required();
  reset_app->add_option("--by", forget->by, "Your name, for the audit log (default: $USER)");
  reset_app->footer(
      "Example: payops learned reset --scope \"HDFC|*|*\" --bootstrap localhost:9092 --key "
      "operator.key");
  reset_app->callback([&command, forget] { command = [forget] { return reset(*forget); }; });
}

}  // namespace payops::app
