#include "payops/payments_agent/agent.h"

#include <cmath>
#include <utility>

#include "agent_impl.h"
#include "payops/core/check.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "records.h"

namespace payops::payments_agent {
namespace {

// The bytes of a snapshot; a change of shape raises the version.
struct Snapshot {
  uint32_t version = 6;
  std::string config;  // JSON
  std::array<std::vector<std::string>, kDimensions> names;
  std::array<std::vector<std::string>, kDetails> details;
  std::string reasoner;
  std::string ledger;
  learning::OutcomeTracker tracker;
  EffectTable effects;
  decision::TrafficPeaks peaks;
  decision::MinimumActionFrequency rule;
  Incidents incidents;
  Complaints complaints;
  KillSwitch kill_switch;
  int64_t last_reset_ts_ms = 0;
  Modes modes;
  Totals totals;
  int64_t closed_to_ms = 0;
  uint64_t origin = 0;
  std::string digest;
  static constexpr auto fields() {
    return std::make_tuple(
        field("version", &Snapshot::version), field("config", &Snapshot::config),
        field("names", &Snapshot::names), field("details", &Snapshot::details),
        field("reasoner", &Snapshot::reasoner), field("ledger", &Snapshot::ledger),
        field("tracker", &Snapshot::tracker), field("effects", &Snapshot::effects),
        field("peaks", &Snapshot::peaks), field("rule", &Snapshot::rule),
        field("incidents", &Snapshot::incidents), field("complaints", &Snapshot::complaints),
        field("kill_switch", &Snapshot::kill_switch),
        field("last_reset_ts_ms", &Snapshot::last_reset_ts_ms), field("modes", &Snapshot::modes),
        field("totals", &Snapshot::totals), field("closed_to_ms", &Snapshot::closed_to_ms),
        field("origin", &Snapshot::origin), field("digest", &Snapshot::digest));
  }
};
constexpr uint32_t kSnapshotVersion = 6;

void learn_names(Dictionary& dictionary, const DictionaryDelta& delta) {
  const auto learn = [](NameTable& table, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      // The observer that learnt the names has applied the configured limit.
      table.set_limit(table.size() + 1);
      (void)table.intern(name);
    }
  };
  for (std::size_t d = 0; d < kDimensions; ++d) learn(dictionary.tables[d], delta.added[d]);
  for (std::size_t d = 0; d < kDetails; ++d) learn(dictionary.details[d], delta.details[d]);
}

// The settings of each part are checked by that part where a file is read; here all are.
Status validate_all(const AgentConfig& config) {
  Status valid = config.validate();
  if (valid) valid = config.reasoning.validate();
  if (valid) valid = config.planner.validate();
  if (valid) valid = config.economics.validate();
  if (valid) valid = config.limits.validate();
  if (valid) valid = config.learning.validate();
  if (valid) valid = config.complaints.validate();
  if (valid) valid = config.topology.validate();
  if (valid) valid = config.calendar.validate();
  return valid;
}

Result<AgentConfig> recorded_config(const std::string& text) {
  auto config = from_json<AgentConfig>(Json::parse(text, nullptr, false));
  if (!config) return config;
  if (const Status valid = validate_all(*config); !valid) {
    return fail(ErrorCode::corrupt, "its recorded configuration: " + valid.error().message);
  }
  return config;
}

}  // namespace

Status AgentConfig::validate() const {
  if (!(cycle_interval_s >= 1.0 && cycle_interval_s <= 3600.0)) {
    return fail(ErrorCode::config, "\"cycle_interval_s\" must be from 1 to 3600");
  }
  for (const std::string& key : operator_keys) {
    if (key.size() == 64 && key.find_first_not_of("0123456789abcdef") == std::string::npos)
      continue;
    return fail(ErrorCode::config,
                "\"operator_keys\" must be public keys of 64 hex digits, as "
                "\"payops keys new\" prints them, not \"" +
                    key + "\"");
  }
  if (options_at_gate < 1) return fail(ErrorCode::config, "\"options_at_gate\" must be at least 1");
  if (!(exploration >= 0.0 && exploration <= 0.5)) {
    return fail(ErrorCode::config, "\"exploration\" must be within 0 and 0.5");
  }
  return {};
}

PaymentsAgent::Impl::Impl(Extend extend_planner)
    : reasoner(reasoning::ReasoningConfig{}), extend(std::move(extend_planner)) {
  auto built = cycle_graph(this);
  PAYOPS_CHECK(built.has_value());
  graph = std::move(*built);
  configure({});
}

void PaymentsAgent::Impl::configure(const AgentConfig& next) {
  std::string kept;
  Encoder out(kept);
  reasoner.encode(out);
  config = next;
  config_hash = sha256_hex(dump(to_json(config)));
  reasoner = reasoning::Reasoner(config.reasoning);
  reasoner.set_topology(config.topology);
  reasoner.set_calendar(config.calendar);
  Decoder in(kept);
  reasoner.decode(in);
  PAYOPS_CHECK(in.at_end());
  const std::string interventions = ledger.encode();
  ledger = action::Ledger(id_seed());
  PAYOPS_CHECK(ledger.decode(interventions).has_value());
  rule.cycles = config.min_action_frequency.cycles;
  complaints.configure(config.complaints);
  planner = std::make_unique<decision::Planner>(config.planner);
  extend(*planner);
}

uint64_t PaymentsAgent::Impl::id_seed() const {
  return origin <= 1 ? config.seed : mix64(config.seed, origin);
}

std::string PaymentsAgent::Impl::step_tag(const Cycle& cycle) const {
  const std::string step = std::to_string(cycle.input->step);
  return origin <= 1 ? step : std::to_string(origin) + "." + step;
}

Result<StepOutput> PaymentsAgent::Impl::step(const InputHead& head, std::string_view block) {
  if (head.step == 1) {
    origin = head.health.epoch;
    ledger = action::Ledger(id_seed());
  }
  learn_names(dictionary, head.names);
  totals.attempts += head.counts.attempts;
  totals.late += head.counts.late;
  totals.duplicates += head.counts.duplicates;
  totals.dead_letters += head.counts.dead_letters_total();
  ++totals.cycles;

  Cycle cycle;
  cycle.input = &head;
  cycle.report.step = head.step;
  cycle.report.trigger = name_of(head.trigger);
  cycle.report.at_ms = step_ms(head);
  cycle.report.observe_only = head.health.observe_only;
  cycle.report.decision_id = "dec-" + hex64(mix64(id_seed(), head.step));
  if (!head.config.empty()) cycle.effects.audit.push_back(config_record(head));
  const observation::IngestCounts& counts = head.counts;
  if (counts.late != 0 || counts.duplicates != 0 || !counts.dead_letters.empty() ||
      !counts.unknown_codes.empty() || counts.names_to_other != 0) {
    cycle.effects.audit.push_back(input_record(head));
  }
  for (std::size_t i = 0; i < head.dead_letters.size(); ++i) {
    cycle.effects.outbox.push_back(
        dead_letter_message(head.dead_letters[i], head.source, step_tag(cycle), i));
  }

  graph::Checkpoint at = graph.start();
  auto trace = graph.run(cycle, at, ticks);
  if (!trace) return tl::make_unexpected(trace.error());
  timings = std::move(*trace);
  closed_to_ms = std::max(closed_to_ms, head.watermark_ms);
  cycle.report.totals = totals;
  report = std::move(cycle.report);

  const Intervention* decided = ledger.find(report.action_id);
  const bool asks = decided != nullptr && decided->state == InterventionState::proposed;
  cycle.effects.audit.push_back(decision_record(report));
  if (head.trigger != Trigger::stopping) {
    cycle.effects.outbox.push_back(
        decision_message(report, cycle.effects.audit.back(), asks ? decided : nullptr));
  }
  digest = state_digest(block);
  return StepOutput{.audit = std::move(cycle.effects.audit),
                    .outbox = std::move(cycle.effects.outbox),
                    .digest = digest,
                    .ts_ms = step_ms(head),
                    .build = head.build};
}

// Chained over steps, so that it costs what the step touched. The input itself is in it: not every
// byte that a decision was made on leaves a mark in the state.
std::string PaymentsAgent::Impl::state_digest(std::string_view block) {
  StateDigest sum;
  sum.add(digest);
  sum.add(block);
  reasoner.digest_touched(sum);
  sum.add(ledger.digest());
  sum.add(payops::encode(tracker));
  sum.add(payops::encode(effects));
  sum.add(payops::encode(rule));
  sum.add(payops::encode(kill_switch));
  sum.add(payops::encode(modes));
  sum.add(payops::encode(incidents.care()));
  sum.add(payops::encode(complaints));
  sum.add(payops::encode(totals));
  return sum.hex();
}

std::string PaymentsAgent::Impl::encode() const {
  Snapshot snapshot{.version = kSnapshotVersion,
                    .config = dump(to_json(config)),
                    .names = {},
                    .details = {},
                    .reasoner = {},
                    .ledger = ledger.encode(),
                    .tracker = tracker,
                    .effects = effects,
                    .peaks = peaks,
                    .rule = rule,
                    .incidents = incidents,
                    .complaints = complaints,
                    .kill_switch = kill_switch,
                    .last_reset_ts_ms = last_reset_ts_ms,
                    .modes = modes,
                    .totals = totals,
                    .closed_to_ms = closed_to_ms,
                    .origin = origin,
                    .digest = digest};
  for (std::size_t d = 0; d < kDimensions; ++d) snapshot.names[d] = dictionary.tables[d].names();
  for (std::size_t d = 0; d < kDetails; ++d) snapshot.details[d] = dictionary.details[d].names();
  Encoder out(snapshot.reasoner);
  reasoner.encode(out);
  return payops::encode(snapshot);
}

Status PaymentsAgent::Impl::decode(std::string_view bytes) {
  auto snapshot = payops::decode<Snapshot>(bytes);
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  if (snapshot->version != kSnapshotVersion) {
    return fail(ErrorCode::limit, "snapshot version " + std::to_string(snapshot->version) +
                                      " is not " + std::to_string(kSnapshotVersion));
  }
  const auto parsed = recorded_config(snapshot->config);
  if (!parsed) return tl::make_unexpected(parsed.error());
  origin = snapshot->origin;
  configure(*parsed);
  config_hash = sha256_hex(snapshot->config);
  for (std::size_t d = 0; d < kDimensions; ++d) dictionary.tables[d].assign(snapshot->names[d]);
  for (std::size_t d = 0; d < kDetails; ++d) dictionary.details[d].assign(snapshot->details[d]);
  Decoder in(snapshot->reasoner);
  reasoner.decode(in);
  if (!in.at_end()) return fail(ErrorCode::corrupt, "snapshot: the series do not decode");
  if (Status status = ledger.decode(snapshot->ledger); !status) return status;
  tracker = std::move(snapshot->tracker);
  effects = std::move(snapshot->effects);
  peaks = std::move(snapshot->peaks);
  rule = snapshot->rule;
  incidents = std::move(snapshot->incidents);
  complaints = std::move(snapshot->complaints);
  complaints.configure(config.complaints);
  kill_switch = snapshot->kill_switch;
  last_reset_ts_ms = snapshot->last_reset_ts_ms;
  modes = std::move(snapshot->modes);
  totals = snapshot->totals;
  closed_to_ms = snapshot->closed_to_ms;
  digest = std::move(snapshot->digest);
  return {};
}

PaymentsAgent::PaymentsAgent(Extend extend) : impl_(std::make_unique<Impl>(std::move(extend))) {}
PaymentsAgent::~PaymentsAgent() = default;

void PaymentsAgent::configure(const AgentConfig& config) { impl_->configure(config); }
const AgentConfig& PaymentsAgent::config() const { return impl_->config; }

bool PaymentsAgent::observe(const ClosedBucket& bucket) {
  impl_->tracker.observe(bucket);
  const bool rose = impl_->reasoner.observe(bucket);
  return impl_->insight.rises ? impl_->insight.rises(bucket) : rose;
}

Result<StepOutput> PaymentsAgent::step(const InputHead& head, std::string_view block) {
  return impl_->step(head, block);
}

Result<StepOutput> PaymentsAgent::apply(std::string_view block) {
  auto input = decode_block(block);
  if (!input) return tl::make_unexpected(input.error());
  const InputHead& head = input->head;
  // Every step counts one cycle.
  const auto steps = static_cast<uint64_t>(impl_->totals.cycles);
  if (Status fits = check_input(*input, impl_->dictionary, steps); !fits) {
    return tl::make_unexpected(fits.error());
  }
  if (!head.config.empty()) {
    const auto config = recorded_config(head.config);
    if (!config) return tl::make_unexpected(config.error());
    impl_->configure(*config);
    impl_->config_hash = head.config_hash;
  } else if (head.config_hash != impl_->config_hash) {
    return fail(ErrorCode::corrupt, "its input names the configuration " + head.config_hash +
                                        ", and the one in force is " + impl_->config_hash);
  }
  for (const ClosedBucket& bucket : input->buckets) (void)observe(bucket);
  return impl_->step(head, block);
}

std::string PaymentsAgent::snapshot() const { return impl_->encode(); }

Status PaymentsAgent::restore(std::string_view snapshot) {
  auto fresh = std::make_unique<Impl>(impl_->extend);
  fresh->ticks = impl_->ticks;
  if (!snapshot.empty()) {
    if (Status status = fresh->decode(snapshot); !status) return status;
  }
  impl_ = std::move(fresh);
  return {};
}

const CycleReport& PaymentsAgent::report() const { return impl_->report; }
const std::vector<graph::NodeTiming>& PaymentsAgent::timings() const { return impl_->timings; }
const Dictionary& PaymentsAgent::dictionary() const { return impl_->dictionary; }
int64_t PaymentsAgent::closed_to_ms() const { return impl_->closed_to_ms; }
const Totals& PaymentsAgent::totals() const { return impl_->totals; }
const EffectTable& PaymentsAgent::effects() const { return impl_->effects; }
const action::Ledger& PaymentsAgent::ledger() const { return impl_->ledger; }
std::size_t PaymentsAgent::series() const { return impl_->reasoner.series(); }
const std::map<std::string, Incident>& PaymentsAgent::open_incidents() const {
  return impl_->incidents.open();
}
std::vector<reasoning::CellReading> PaymentsAgent::cells(std::size_t cells_max) const {
  return impl_->reasoner.cells(impl_->dictionary, cells_max);
}
const std::map<std::string, IncidentCare>& PaymentsAgent::incident_care() const {
  return impl_->incidents.care();
}
const reasoning::CauseCounts& PaymentsAgent::causes() const { return impl_->reasoner.causes(); }
std::map<std::string, Mode> PaymentsAgent::modes() const {
  const safety::Limits limits = impl_->limits();
  std::map<std::string, Mode> modes;
  for (const std::string& type : impl_->planner->types()) {
    const auto own = limits.modes.find(type);
    modes[type] =
        std::min(limits.mode, own == limits.modes.end() ? limits.default_mode : own->second);
  }
  return modes;
}
bool PaymentsAgent::complaints_alarm() const { return impl_->complaints.alarming(); }
bool PaymentsAgent::killed() const { return impl_->kill_switch.on; }
void PaymentsAgent::set_ticks(graph::Ticks ticks) { impl_->ticks = std::move(ticks); }

void PaymentsAgent::set_insight(Insight insight) { impl_->insight = std::move(insight); }

graph::Shape PaymentsAgent::shape() { return cycle_graph(nullptr)->shape(); }

}  // namespace payops::payments_agent
