// payops state: what a state directory holds, readably.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/payments_agent/agent.h"
#include "stored_agent.h"

namespace payops::app {
namespace {

struct StateOptions {
  std::string state_dir = ".payops_state";
  bool json = false;
};

Json interventions_json(const std::vector<const Intervention*>& interventions) {
  Json list = Json::array();
  for (const Intervention* i : interventions) list.push_back(to_json(*i));
  return list;
}

Json state_json(const StoredAgent& stored, const std::string& directory) {
  const payments_agent::PaymentsAgent& agent = *stored.agent;
  const Stored& held = stored.held;
  Json cursors = Json::array();
  for (const Cursor& cursor : held.cursors) cursors.push_back(to_json(cursor));
  Json outbox = Json::array();
  for (const OutboxEntry& entry : held.outbox) {
    outbox.push_back({{"id", entry.id}, {"topic", entry.topic}, {"key", entry.key}});
  }
  Json names = Json::object();
  for (const Dimension d : {Dimension::issuer, Dimension::method, Dimension::gateway}) {
    names[std::string(name_of(d))] = agent.dictionary().of(d).names();
  }
  return {{"state_dir", directory},
          {"step", held.step},
          {"ts_ms", held.ts_ms},
          {"digest", held.digest},
          {"closed_to_ms", agent.closed_to_ms()},
          {"killed", agent.killed()},
          {"total", to_json(agent.totals())},
          {"series", agent.series()},
          {"names", names},
          {"cursors", cursors},
          {"outbox", outbox},
          {"in_force", interventions_json(agent.ledger().in_force(held.ts_ms))},
          {"waiting", interventions_json(agent.ledger().waiting())},
          {"effects", to_json(stored_effects(agent))},
          {"snapshot_step", held.snapshot_step}};
}

std::string described(const Intervention& i) {
  return i.action.action_id + "  " +
         describe_action(i.action.type, i.action.scope, i.action.params, i.action.strength);
}

void print_interventions(const payments_agent::PaymentsAgent& agent, int64_t now_ms) {
  const auto in_force = agent.ledger().in_force(now_ms);
  std::printf("in force: %s\n", in_force.empty() ? "nothing" : "");
  for (const Intervention* i : in_force) {
    std::printf("  %s, %s until %s, outcome so far %s\n", described(*i).c_str(),
                std::string(name_of(i->state)).c_str(), clock_time(i->action.expires_ts_ms).c_str(),
                std::string(name_of(i->outcome.result)).c_str());
  }
  const auto waiting = agent.ledger().waiting();
  if (!waiting.empty()) std::printf("waiting for a person:\n");
  for (const Intervention* i : waiting) {
    std::printf("  %s, answer by %s\n    payops approve %s --bootstrap HOST:PORT --key FILE\n",
                described(*i).c_str(), clock_time(i->answer_by_ts_ms).c_str(),
                i->action.action_id.c_str());
  }
}

void print_state(const StoredAgent& stored, const std::string& directory) {
  const payments_agent::PaymentsAgent& agent = *stored.agent;
  const Stored& held = stored.held;
  const payments_agent::Totals& t = agent.totals();
  std::printf("%s: step %llu, event time %s, kill switch %s\n", directory.c_str(),
              static_cast<unsigned long long>(held.step), iso_time(held.ts_ms).c_str(),
              agent.killed() ? "ON" : "off");
  std::printf(
      "since the state began: %lld attempts, %lld late, %lld duplicates, %lld dead letters; %lld "
      "cycles, %lld alarms, %lld actions, worth %s\n",
      static_cast<long long>(t.attempts), static_cast<long long>(t.late),
      static_cast<long long>(t.duplicates), static_cast<long long>(t.dead_letters),
      static_cast<long long>(t.cycles), static_cast<long long>(t.alarms),
      static_cast<long long>(t.actions),
      money(t.saved_minor, agent.config().economics.reporting_currency).c_str());
  std::printf("watching %zu series of %zu issuers, %zu methods, %zu gateways\n", agent.series(),
              agent.dictionary().of(Dimension::issuer).size() - 1,
              agent.dictionary().of(Dimension::method).size() - 1,
              agent.dictionary().of(Dimension::gateway).size() - 1);
  print_interventions(agent, held.ts_ms);
  std::printf("effects learnt: %zu (payops learned shows them)\n", agent.effects().size());
  std::printf("outbox: %zu messages committed and not yet known to be published\n",
              held.outbox.size());
  for (const OutboxEntry& entry : held.outbox) {
    std::printf("  %s on %s\n", entry.id.c_str(), entry.topic.c_str());
  }
  std::printf("reading goes on at:%s\n", held.cursors.empty() ? " no topic was read" : "");
  for (const Cursor& cursor : held.cursors) {
    std::printf("  %s [%d] %lld, seen to %lld\n", cursor.topic_id.c_str(), cursor.partition,
                static_cast<long long>(cursor.replay_from), static_cast<long long>(cursor.seen_to));
  }
}

int show(const StateOptions& options) {
  const auto stored = restore_stored(options.state_dir);
  if (!stored) return report(stored.error());
  if (options.json) {
    std::printf("%s\n", dump(state_json(*stored, options.state_dir)).c_str());
  } else {
    print_state(*stored, options.state_dir);
  }
  return kExitDone;
}

}  // namespace

void add_state_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<StateOptions>();
  CLI::App* sub = app.add_subcommand("state", "What the agent's state directory holds");
  sub->require_subcommand(1);
  sub->footer("Example: payops state show --state .payops_state --json");
  CLI::App* show_app = sub->add_subcommand("show", "The state after the last committed step");
  show_app->add_option("--state", options->state_dir, "State directory; may be in use")
      ->capture_default_str();
  show_app->add_flag("--json", options->json, "One JSON document on stdout");
  show_app->footer("Example: payops state show --json");
  show_app->callback([&command, options] { command = [options] { return show(*options); }; });
}

}  // namespace payops::app
