// payops learned: what the agent has learnt of its interventions' effects and of the causes of
// incidents, telling it of these, and forgetting it all.
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

// Of a signed command: `scope` to forget, or an incident and its cause.
struct TellOptions {
  std::string scope;
  std::string incident;
  std::string cause;
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

void print_causes(const std::vector<CauseRow>& rows) {
  double confirmed = 0.0;
  for (const CauseRow& row : rows) confirmed += row.confirmed;
  if (confirmed <= 0.0) {
    std::printf("no incident's cause confirmed yet: causes are as likely as was guessed\n");
    return;
  }
  std::printf("\nhow often each cause is behind an incident, of %s confirmed\n%s%s\n",
              fixed(confirmed, 1).c_str(), pad("cause", 24).c_str(), "confirmed   prior   guessed");
  for (const CauseRow& row : rows) {
    std::printf("%s%s%s%s\n", pad(name_of(row.cause), 24).c_str(),
                pad_left(fixed(row.confirmed, 1), 9).c_str(),
                pad_left(fixed(100.0 * row.prior, 1) + " %", 8).c_str(),
                pad_left(fixed(100.0 * row.guess, 1) + " %", 10).c_str());
  }
}

int show(const LearnedOptions& options) {
  const auto stored = restore_stored(options.state_dir);
  if (!stored) return report(stored.error());
  const std::vector<EffectRow> rows = stored_effects(*stored->agent);
  const std::vector<CauseRow> causes = stored_causes(*stored->agent);
  if (options.json) {
    const Json all{
        {"step", stored->held.step}, {"effects", to_json(rows)}, {"causes", to_json(causes)}};
    std::printf("%s\n", dump(all).c_str());
  } else {
    print_table(rows);
    print_causes(causes);
  }
  return kExitDone;
}

std::string who(const TellOptions& options) {
  const char* user = std::getenv("USER");
  return !options.by.empty() ? options.by : user != nullptr ? user : "operator";
}

int confirm(const TellOptions& options) {
  const auto cause = parse_enum<Cause>(options.cause);
  if (!cause || !reasoning::CauseCounts::counts(*cause)) {
    std::string known;
    for (std::size_t c = 0; c < reasoning::kCauses; ++c) {
      if (!reasoning::CauseCounts::counts(static_cast<Cause>(c))) continue;
      known += (known.empty() ? "" : ", ") + std::string(name_of(static_cast<Cause>(c)));
    }
    return report(
        {ErrorCode::usage, false, "\"" + options.cause + "\" is no cause; there are " + known});
  }
  const auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  return send_verdict(*config,
                      {.proposal_id = options.incident,
                       .verdict = "cause",
                       .shown_hash = options.cause,
                       .by = who(options)},
                      options.key_file, kAnswerWaitS,
                      "say that " + options.incident + " was " + options.cause);
}

int reset(const TellOptions& options) {
  const auto scope = parse_scope(options.scope);
  if (!scope) {
    return report({ErrorCode::usage, false,
                   "\"" + options.scope +
                       "\" is no scope: give issuer|method|gateway, \"*\" for any, as in "
                       "\"HDFC|*|*\""});
  }
  const auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  const std::string by = who(options);
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

void add_tell_options(CLI::App& sub, TellOptions& options) {
  add_kafka_options(sub, options.kafka);
  sub.add_option("--key", options.key_file, "File with your secret key (payops keys new)")
      ->required();
  sub.add_option("--by", options.by, "Your name, for the audit log (default: $USER)");
}

void add_confirm_command(CLI::App& learned, Command& command) {
  auto told = std::make_shared<TellOptions>();
  CLI::App* sub = learned.add_subcommand("confirm", "A signed word on what an incident was");
  sub->add_option("incident", told->incident, "The incident's id, inc-…; it may be over")
      ->required();
  sub->add_option("cause", told->cause, "Its cause, as hypotheses name it")->required();
  add_tell_options(*sub, *told);
  sub->footer(
      "Example: payops learned confirm inc-1f00c3a277e0b1d2 gateway_down --bootstrap "
      "localhost:9092 "
      "--key operator.key");
  sub->callback([&command, told] { command = [told] { return confirm(*told); }; });
}

}  // namespace

void add_learned_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<LearnedOptions>();
  const auto run_show = [&command, options] { command = [options] { return show(*options); }; };
  CLI::App* sub = app.add_subcommand(
      "learned", "What was learnt of effects and causes; telling and forgetting it");
  sub->require_subcommand(0, 1);
  sub->footer("Example: payops learned show --state .payops_state");
  add_show_options(sub, options);
  sub->callback([sub, run_show] {
    if (sub->get_subcommands().empty()) run_show();
  });
  CLI::App* show_app = sub->add_subcommand("show", "Posteriors by type, cause and scope");
  add_show_options(show_app, options);
  show_app->callback(run_show);

  add_confirm_command(*sub, command);
  auto forget = std::make_shared<TellOptions>();
  CLI::App* reset_app = sub->add_subcommand("reset", "A signed command to forget a scope");
  reset_app->add_option("--scope", forget->scope, "issuer|method|gateway; \"*|*|*\" is everything")
      ->required();
  add_tell_options(*reset_app, *forget);
  reset_app->footer(
      "Example: payops learned reset --scope \"HDFC|*|*\" --bootstrap localhost:9092 --key "
      "operator.key");
  reset_app->callback([&command, forget] { command = [forget] { return reset(*forget); }; });
}

}  // namespace payops::app
