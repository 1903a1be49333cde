// The phases of a cycle, in the order of the graph.
#include <algorithm>
#include <cmath>
#include <optional>

#include "agent_impl.h"
#include "payops/core/digest.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "records.h"

namespace payops::payments_agent {
namespace {

constexpr double kAskedShare = 0.9;  // of the blast radius that is allowed

constexpr int64_t kCommandClockToleranceMs = 300'000;

int64_t now_ms(const Cycle& cycle) { return step_ms(*cycle.input); }

void audit(Effects& effects, std::vector<action::Transition> transitions) {
  for (const action::Transition& t : transitions) effects.audit.push_back(transition_record(t));
}

// "HDFC/*/*": the bar of a scope's own text would be ambiguous in what is signed.
std::optional<Scope> scope_of_reset(const Verdict& verdict) {
  std::string text = verdict.shown_hash;
  std::replace(text.begin(), text.end(), '/', '|');
  return parse_scope(text);
}

// The assessment as whoever wants the option holds it: a person who asked for it is sure of its
// cause, beside all that reasoning makes of the same evidence.
Assessment as_held(const Assessment& assessment, const Option& option) {
  Assessment held = assessment;
  if (option.hypothesis_id.starts_with(kAskedFor)) {
    Hypothesis h;
    h.id = option.hypothesis_id;
    h.cause = option.cause;
    h.scope = option.scope;
    h.posterior = h.certainty = 1.0;
    held.hypotheses.push_back(std::move(h));
  }
  return held;
}

std::string in_words(const safety::Judgement& judged, GateOutcome outcome) {
  const std::string what = judged.option.type + " at " + describe(judged.option.scope);
  switch (outcome) {
    case GateOutcome::allow:
      return what + ": " + judged.option.reason;
    case GateOutcome::needs_approval:
      return what + " waits for a person's approval";
    case GateOutcome::shadow:
      return what + " would be done, in shadow mode";
    default:
      return what + " refused";
  }
}

}  // namespace

action::Issue PaymentsAgent::Impl::issue(const Cycle& cycle) const {
  return {.decision_id = cycle.report.decision_id,
          .step = cycle.input->step,
          .epoch = cycle.input->health.epoch,
          .ts_ms = now_ms(cycle)};
}

safety::Evidence PaymentsAgent::Impl::evidence(const Cycle& cycle, bool forced,
                                               const std::string& answering,
                                               const Assessment& held) const {
  return {.ts_ms = now_ms(cycle),
          .data_age_ms = cycle.input->health.data_age_ms,
          .killed = cycle.killed,
          .observe_only = cycle.input->health.observe_only,
          .assessment = held,
          .effects = effects,
          .forced = forced,
          .answering = answering};
}

// observe: what people, the broker and the passing of time did to the ledger.
Observed PaymentsAgent::Impl::observe(const Cycle& cycle) {
  Observed delta;
  const int64_t ts_ms = now_ms(cycle);
  for (const SendResult& result : cycle.input->results) {
    delta.effects.audit.push_back(sent_record(result, ts_ms));
    audit(delta.effects, ledger.sent(result.id, result.published, result.reason, ts_ms));
    const Intervention* withdrawn = result.uncertain ? ledger.find(result.id) : nullptr;
    if (withdrawn != nullptr) {  // it may have reached the topic after all
      delta.effects.outbox.push_back(tombstone_message(withdrawn->action.key(), step_tag(cycle)));
    }
  }
  for (const VerdictInput& input : cycle.input->verdicts) take_verdict(input, cycle, delta);
  action::Ticked ticked = ledger.tick(ts_ms);
  audit(delta.effects, std::move(ticked.transitions));
  for (const std::string& key : ticked.tombstones) {
    delta.effects.outbox.push_back(tombstone_message(key, step_tag(cycle)));
  }
  delta.to_settle = ledger.to_settle();
  delta.killed = kill_switch.on || cycle.input->health.killed;
  return delta;
}

namespace {

// Into the audit log, and into the report for whoever waits for the answer.
template <class Delta>
void note(const VerdictInput& input, const std::string& result, const std::string& why,
          int64_t ts_ms, Delta& delta) {
  delta.effects.audit.push_back(verdict_record(input, result, why, ts_ms));
  delta.verdicts.push_back({.proposal_id = input.verdict.proposal_id,
                            .verdict = input.verdict.verdict,
                            .by = input.verdict.by,
                            .ts_ms = input.verdict.ts_ms,
                            .result = result,
                            .why = why});
}

}  // namespace

void PaymentsAgent::Impl::take_verdict(const VerdictInput& input, const Cycle& cycle,
                                       Observed& delta) {
  const int64_t ts_ms = now_ms(cycle);
  if (!input.problem.empty() && !input.signature_ok) {
    const bool noted = input.problem.starts_with(kNotedByConsole);
    note(input, noted ? "noted" : "ignored", input.problem, ts_ms, delta);
    return;
  }
  if (input.verdict.proposal_id == "kill") {
    take_kill(input, ts_ms, delta);
    return;
  }
  if (input.verdict.proposal_id == "learned") {
    take_reset(input, ts_ms, delta);
    return;
  }
  if (input.verdict.proposal_id == "mode") return take_mode(input, ts_ms, delta);
  if (input.verdict.proposal_id.starts_with("inc-")) return take_care(input, ts_ms, delta);
  if (input.verdict.proposal_id == "manual") {
    delta.asked_for.push_back(input);
    return;
  }
  const action::Answer answer =
      ledger.answer(input.verdict, input.signature_ok, ts_ms, input.received_ts_ms);
  note(input, std::string(name_of(answer.result)), answer.why, ts_ms, delta);
  if (answer.transition) delta.effects.audit.push_back(transition_record(*answer.transition));
}

void PaymentsAgent::Impl::take_kill(const VerdictInput& input, int64_t ts_ms, Observed& delta) {
  const Verdict& verdict = input.verdict;
  std::string why;
  if (verdict.verdict != "on" && verdict.verdict != "off") {
    why = "a kill switch is on or off, not \"" + verdict.verdict + "\"";
  } else if (verdict.ts_ms <= kill_switch.thrown_ts_ms) {
    why = "not newer than the last command";
  } else if (verdict.verdict == "off" &&
             verdict.ts_ms < input.received_ts_ms - kCommandClockToleranceMs) {
    why = "too old to lift the kill switch";
  }
  if (why.empty()) {
    kill_switch = {.on = verdict.verdict == "on", .thrown_ts_ms = verdict.ts_ms};
  }
  note(input, why.empty() ? "granted" : "ignored",
       why.empty() ? "kill switch " + verdict.verdict : why, ts_ms, delta);
}

void PaymentsAgent::Impl::take_reset(const VerdictInput& input, int64_t ts_ms, Observed& delta) {
  const Verdict& verdict = input.verdict;
  std::string why;
  if (verdict.verdict != "reset") {
    why = "what was learnt can be reset, not \"" + verdict.verdict + "\"";
  } else if (verdict.ts_ms <= last_reset_ts_ms) {
    why = "not newer than the last reset";
  } else if (const auto scope = scope_of_reset(verdict); !scope) {
    why = "not a scope: \"" + verdict.shown_hash + "\"";
  } else {
    last_reset_ts_ms = verdict.ts_ms;
    bool something = learning::reset(effects, *scope, config.learning);
    if (*scope == Scope{}) {  // causes are counted over all places
      something = something || reasoner.causes().total() > 0.0;
      reasoner.causes() = {};
    }
    note(input, "granted", something ? "forgotten" : "there was nothing to forget", ts_ms, delta);
    return;
  }
  note(input, "ignored", why, ts_ms, delta);
}

void PaymentsAgent::Impl::take_mode(const VerdictInput& input, int64_t ts_ms, Observed& delta) {
  const Verdict& verdict = input.verdict;
  const std::size_t equals = verdict.shown_hash.find('=');
  const std::string type = verdict.shown_hash.substr(0, equals);
  const auto parsed =
      parse_enum<Mode>(equals == std::string::npos ? "" : verdict.shown_hash.substr(equals + 1));
  const Mode mode = parsed.value_or(Mode::observe);
  const std::vector<std::string> types = planner->types();
  std::string why;
  if (verdict.verdict != "set" || !parsed) {
    why = "a mode is set as TYPE=observe, shadow, approve or auto, not \"" + verdict.shown_hash +
          "\"";
  } else if (std::find(types.begin(), types.end(), type) == types.end()) {
    why = "there is no way to act called \"" + type + "\"";
  } else if (verdict.ts_ms <= modes.set_ts_ms) {
    why = "not newer than the last command";
  } else if (mode > config.limits.mode) {
    why = "the deployment goes no further than " + std::string(name_of(config.limits.mode));
  }
  if (!why.empty()) return note(input, "ignored", why, ts_ms, delta);
  modes.by_type[type] = mode;
  modes.set_ts_ms = verdict.ts_ms;
  note(input, "granted", type + " is in mode " + std::string(name_of(mode)), ts_ms, delta);
}

safety::Limits PaymentsAgent::Impl::limits() const {
  safety::Limits now = config.limits;
  for (const auto& [type, mode] : modes.by_type) now.modes[type] = mode;
  return now;
}

void PaymentsAgent::Impl::take_care(const VerdictInput& input, int64_t ts_ms, Observed& delta) {
  const Verdict& v = input.verdict;
  const Status done = incidents.care(v.proposal_id, v.verdict, v.by, v.shown_hash, ts_ms);
  note(input, done ? "granted" : "ignored", done ? "noted" : done.error().message, ts_ms, delta);
}

void PaymentsAgent::Impl::count_confirmed(int64_t ts_ms, Effects& delta) {
  for (const Confirmation& confirmed : incidents.take_confirmed()) {
    reasoner.causes().confirm(confirmed.cause, confirmed.weight);
    delta.audit.push_back(confirmed_record(confirmed, ts_ms));
  }
}

// reason: how things stand and why.
Reasoned PaymentsAgent::Impl::reason(const Cycle& cycle) {
  Reasoned delta;
  const int64_t ts_ms = now_ms(cycle);
  std::vector<reasoning::OwnAction> own;
  for (const Intervention* i : ledger.in_force(ts_ms)) {
    if (!touches_traffic(*i)) continue;
    own.push_back({.scope = dictionary.key(i->action.scope),
                   .type = i->action.type,
                   .since_ts_ms = i->action.issued_ts_ms,
                   .until_ts_ms = i->action.expires_ts_ms,
                   .share = i->action.strength * (1.0 - i->action.holdout)});
  }
  delta.assessment = reasoner.assess(ts_ms, dictionary, own);
  delta.economics = config.economics;
  // What gateways share by the topology bars reroutes between them, as the prices' own list does.
  for (const Upstream& upstream : config.topology.upstreams) {
    for (const std::string& gateway : upstream.gateways) {
      delta.economics.upstreams[gateway].push_back(upstream.name);
    }
  }
  if (insight.reveal) insight.reveal(delta.assessment, delta.economics);
  decision::observe(peaks, delta.assessment);
  complaints.hear(cycle.input->complaints, cycle.input->health.clock_ms, ts_ms);
  delta.told = complaints.added_to(delta.assessment);
  delta.complaints = complaints.readings();
  totals.alarms += static_cast<int64_t>(delta.told.rose.size());
  delta.incidents = incidents.update(delta.told, ledger.all());
  count_confirmed(ts_ms, delta.effects);
  for (const Incident& incident : delta.incidents) {
    delta.effects.audit.push_back(incident_record(incident, ts_ms));
    const auto care = incidents.care().find(incident.id);
    delta.effects.outbox.push_back(incident_message(
        incident, care == incidents.care().end() ? IncidentCare{} : care->second, step_tag(cycle)));
  }
  return delta;
}

decision::Situation PaymentsAgent::Impl::situation(const Cycle& cycle,
                                                   const Assessment& assessment) const {
  const learning::LearningConfig& test = config.learning;
  return {.assessment = assessment,
          .effects = effects,
          .interventions = ledger.all(),
          .economics = cycle.economics,
          .ts_ms = now_ms(cycle),
          .peaks = &peaks,
          .pace = {.alpha = test.alpha,
                   .mixture_sd = test.mixture_sd,
                   .payments_min = static_cast<double>(test.payments_min),
                   .stabilise_s = test.stabilise_s},
          .step = {}};
}

// decide: what could be done, and whether something must.
Decided PaymentsAgent::Impl::decide(const Cycle& cycle) const {
  if (cycle.input->trigger == Trigger::stopping) return {};  // nobody would watch what is begun
  return {.options = planner->plan(situation(cycle, cycle.assessment)),
          .must_act = decision::must_act(rule, cycle.input->trigger == Trigger::scheduled)};
}

void PaymentsAgent::Impl::settle(const std::string& action_id, const Cycle& cycle, Effects& delta) {
  const Intervention* proposal = ledger.find(action_id);
  const Assessment held = as_held(cycle.assessment, proposal->option);
  const safety::Evidence now = evidence(cycle, proposal->action.forced, action_id, held);
  const PreMortem findings = safety::pre_mortem(proposal->option, ledger.all(), limits(), now);
  const GateVerdict verdict = safety::gate(proposal->option, findings, ledger.all(), limits(), now);
  delta.audit.push_back(transition_record(ledger.settle(action_id, verdict, issue(cycle))));
  const Intervention* settled = ledger.find(action_id);
  if (settled->state != InterventionState::approved) return;
  ++totals.actions;
  delta.audit.push_back(decided_record(*settled, now_ms(cycle)));
  delta.outbox.push_back(action_message(
      settled->action, now_ms(cycle) + std::llround(config.publish_deadline_s * 1000)));
}

namespace {

// "suppress_path HDFC/card/*" or "reroute_traffic HDFC/card/PAYU RAZORPAY" as a person asks for it.
struct Wish {
  std::string type;
  Scope scope;
  std::string to_gateway;
};
std::optional<Wish> wish_of(const Verdict& verdict) {
  std::string text = verdict.shown_hash;
  std::replace(text.begin(), text.end(), '/', '|');
  const std::size_t space = text.find(' ');
  const auto scope = parse_scope(text.substr(0, space));
  if (!scope) return std::nullopt;
  return Wish{.type = verdict.verdict,
              .scope = *scope,
              .to_gateway = space == std::string::npos ? "" : text.substr(space + 1)};
}

bool asked_in(const Gated& delta, const Option& option) {
  return std::any_of(delta.asked.begin(), delta.asked.end(), [&](const Asked& asked) {
    return asked.judgement.option.option_id == option.option_id;
  });
}

// A person who asks for something knows of trouble that reasoning need not have seen: each cause
// that the way to act could answer is taken to be sure there.
Assessment supposed(const Wish& wish, Assessment assessment) {
  std::vector<Hypothesis> all;
  for (const Cause cause : {Cause::issuer_down, Cause::gateway_down, Cause::retry_storm,
                            Cause::network, Cause::method_wide, Cause::latency}) {
    Hypothesis h;
    h.id = std::string(kAskedFor) + std::string(name_of(cause));
    h.cause = cause;
    h.scope = wish.scope;
    h.posterior = 1.0;
    all.push_back(std::move(h));
  }
  assessment.hypotheses = std::move(all);
  assessment.alarms.push_back(
      {.id = std::string(kAskedFor), .scope = wish.scope, .started_ts_ms = assessment.ts_ms});
  return assessment;
}

}  // namespace

// What a person asks for is priced as the planner prices it and judged by the same gate. It becomes
// a proposal, whatever the mode would allow: a person confirms what is then shown.
void PaymentsAgent::Impl::propose(const VerdictInput& input, const Cycle& cycle, Gated& delta) {
  const int64_t ts_ms = now_ms(cycle);
  const auto wish = wish_of(input.verdict);
  if (!wish) {
    return note(
        input, "ignored",
        "a scope is ISSUER/METHOD/GATEWAY, * for any, not \"" + input.verdict.shown_hash + "\"",
        ts_ms, delta);
  }
  const Assessment assessment = supposed(*wish, cycle.assessment);
  const std::vector<Option> options = planner->plan(situation(cycle, assessment));
  const auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) {
    const auto to = o.params.find("to_gateway");
    const bool there =
        wish->to_gateway.empty() || (to != o.params.end() && to->second == wish->to_gateway);
    return o.type == wish->type && o.scope == wish->scope && there;
  });
  if (option == options.end() || asked_in(delta, *option)) {
    return note(input, "ignored",
                "nothing of the kind can be done there now: the traffic is too thin or well, or "
                "it is being done already",
                ts_ms, delta);
  }
  Asked asked{.action_id = "", .by = input.verdict.by, .judgement = {}};
  const Assessment held = as_held(cycle.assessment, *option);
  // Fitted to a little less than it might be: the gate looks again when the yes comes, and what
  // traffic does until then is not to undo it.
  safety::Limits fitted = limits();
  for (double* share :
       {&fitted.max_blast_action, &fitted.max_blast_concurrent, &fitted.max_blast_hour}) {
    *share *= kAskedShare;
  }
  asked.judgement = safety::judge(*option, ledger.all(), fitted, evidence(cycle, false, "", held));
  GateVerdict verdict = asked.judgement.verdict;
  if (verdict.outcome == GateOutcome::refuse) {
    return note(input, "refused", "the gate: " + join(verdict.reasons, "; "), ts_ms, delta);
  }
  verdict.outcome = GateOutcome::needs_approval;
  verdict.reasons.push_back("asked for by " + input.verdict.by);
  const Intervention& proposal =
      ledger.decide(asked.judgement.option, verdict, issue(cycle), false,
                    std::llround(config.limits.approval_timeout_s * 1000));
  asked.action_id = proposal.action.action_id;
  delta.effects.audit.push_back(decided_record(proposal, ts_ms));
  note(input, "granted", "proposed as " + asked.action_id + ": " + join(verdict.reasons, "; "),
       ts_ms, delta);
  delta.asked.push_back(std::move(asked));
}

// What the limits make smaller is not worth its part of the whole, and is judged as what it is.
safety::Judgement PaymentsAgent::Impl::judged(const Cycle& cycle, const Option& option,
                                              bool forced) const {
  const safety::Evidence now = evidence(cycle, forced, "", cycle.assessment);
  safety::Judgement first = safety::judge(option, ledger.all(), limits(), now);
  const Option& held = first.option;
  const bool resized = held.strength != option.strength || held.holdout != option.holdout ||
                       held.duration_s != option.duration_s;
  if (!resized || first.verdict.outcome == GateOutcome::refuse) return first;
  auto left = planner->valued_at(situation(cycle, cycle.assessment), option, held.strength,
                                 held.holdout, held.duration_s);
  if (!left || (!forced && left->nrv.total.low <= 0.0)) {
    first.verdict = {GateOutcome::refuse,
                     {"at the " + fixed(100.0 * held.strength, 1) +
                      " % strength that the limits leave it is not surely worth anything"}};
    return first;
  }
  left->reason = held.reason;
  first.option = std::move(*left);
  first.pre_mortem = safety::pre_mortem(first.option, ledger.all(), limits(), now);
  first.verdict = safety::gate(first.option, first.pre_mortem, ledger.all(), limits(), now);
  return first;
}

// What nothing is known of is found out: by chance, at the smallest step, where it may be worth
// something though not surely, and without a person being asked for it.
std::optional<safety::Judgement> PaymentsAgent::Impl::explored(const Cycle& cycle) const {
  if (config.exploration <= 0.0) return std::nullopt;
  const uint64_t draw = mix64(config.seed, hash64(cycle.report.decision_id));
  if (!Random(draw).at(0).chance(config.exploration)) return std::nullopt;
  const decision::RampStep& least = config.economics.ramp.front();
  const decision::Situation now = situation(cycle, cycle.assessment);
  for (const Option& option : cycle.report.options) {
    if (option.type == action_type::kNoAction || safety::is_advisory(option.type)) continue;
    if (option.nrv.total.mean <= 0.0) continue;
    auto tried = planner->valued_at(now, option, least.strength, least.holdout, option.duration_s);
    if (!tried || tried->nrv.total.mean <= 0.0) continue;
    tried->propensity = config.exploration;
    tried->reason =
        "Explored, by a chance of " + fixed(100.0 * config.exploration, 1) + " %: " + tried->reason;
    safety::Judgement first =
        safety::judge(*tried, ledger.all(), limits(), evidence(cycle, false, "", cycle.assessment));
    if (first.verdict.outcome == GateOutcome::allow) return first;
  }
  return std::nullopt;
}

// gate: the ranked options go through pre-mortem and gate until one may be taken.
Gated PaymentsAgent::Impl::gate(const Cycle& cycle) {
  Gated delta;
  for (const std::string& action_id : cycle.to_settle) settle(action_id, cycle, delta.effects);
  for (const VerdictInput& input : cycle.asked_for) propose(input, cycle, delta);
  const auto take = [&](const Option& option, bool forced) {
    if (asked_in(delta, option)) return false;  // a person was first
    delta.considered.push_back(judged(cycle, option, forced));
    if (delta.considered.back().verdict.outcome == GateOutcome::refuse) return false;
    delta.chosen = delta.considered.back();
    delta.forced = forced;
    return true;
  };
  for (const Option& option : cycle.report.options) {
    if (option.type == action_type::kNoAction || option.nrv.total.low <= 0.0) break;
    if (delta.considered.size() >= static_cast<std::size_t>(config.options_at_gate)) break;
    if (take(option, false)) return delta;
  }
  if (auto tried = explored(cycle)) {
    delta.considered.push_back(*tried);
    delta.chosen = std::move(*tried);
    return delta;
  }
  if (cycle.must_act) {
    const decision::Choice choice = decision::choose(cycle.report.options, true);
    const bool advisory = safety::is_advisory(choice.option.type);
    if (!choice.forced || !take(choice.option, true)) {
      if (!advisory || !choice.forced) {
        (void)take(decision::baseline_alert(config.economics), true);
      }
    }
  }
  return delta;
}

// act: what was chosen goes into the ledger, and to the router if it may.
Acted PaymentsAgent::Impl::act(const Cycle& cycle) {
  Acted delta;
  const bool scheduled = cycle.input->trigger == Trigger::scheduled;
  if (!cycle.chosen) {
    rule = decision::after_cycle(rule, scheduled, "");
    delta.conclusion = !cycle.report.considered.empty()
                           ? in_words(cycle.report.considered.front(), GateOutcome::refuse)
                       : cycle.report.alarms.empty() ? "nothing wrong; nothing done"
                                                     : "nothing is surely worth doing; watching";
    return delta;
  }
  const GateOutcome outcome = cycle.chosen->verdict.outcome;
  const Intervention& intervention =
      ledger.decide(cycle.chosen->option, cycle.chosen->verdict, issue(cycle), cycle.report.forced,
                    std::llround(config.limits.approval_timeout_s * 1000));
  rule = decision::after_cycle(rule, scheduled, intervention.action.type);
  delta.action_id = intervention.action.action_id;
  delta.conclusion = in_words(*cycle.chosen, outcome);
  delta.effects.audit.push_back(decided_record(intervention, now_ms(cycle)));
  if (outcome == GateOutcome::allow) {
    ++totals.actions;
    delta.effects.outbox.push_back(action_message(
        intervention.action, now_ms(cycle) + std::llround(config.publish_deadline_s * 1000)));
  }
  return delta;
}

Result<graph::Graph<Cycle>> cycle_graph(PaymentsAgent::Impl* impl) {
  return graph::GraphBuilder<Cycle>("payments", 16)
      .node("observe", [impl](const Cycle& c) { return impl->observe(c); })
      .node("reason", [impl](const Cycle& c) { return impl->reason(c); })
      .node("decide", [impl](const Cycle& c) { return impl->decide(c); })
      .node("gate", [impl](const Cycle& c) { return impl->gate(c); })
      .node("act", [impl](const Cycle& c) { return impl->act(c); })
      .node("learn", [impl](const Cycle& c) { return impl->learn(c); })
      .edge("observe", "reason")
      .edge("reason", "decide")
      .branch("decide", {"gate", "act"},
              [](const Cycle& c) {
                const bool nothing = c.report.options.size() <= 1 && !c.must_act &&
                                     c.to_settle.empty() && c.asked_for.empty();
                return nothing ? "act" : "gate";
              })
      .edge("gate", "act")
      .edge("act", "learn")
      .edge("learn", graph::kEnd)
      .build();
}

}  // namespace payops::payments_agent
