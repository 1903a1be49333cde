// Competing explanations of the alarms in force. Each primary alarm is explained by candidates
// whose likelihoods are compared on the same rows; "none of these" is always among them. Several
// alarms share the probability by what each costs, so that all posteriors sum to one.
#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include "candidate.h"
#include "payops/core/text.h"
#include "state.h"

namespace payops::reasoning {
namespace {

// How readily a cause shows as a rise of this share (Share order; the first row is for causes that
// are not places of technical failure).
struct Fit {
  Cause cause;
  double fit;
};
const std::vector<Fit>& fits(Share share) {
  static const std::array<std::vector<Fit>, kShares> table{{
      {{Cause::retry_storm, 0.1},
       {Cause::latency, 0.002},
       {Cause::own_action, 0.01},
       {Cause::data_problem, 0.003}},
      {{Cause::latency, 0.9},
       {Cause::issuer_down, 0.12},
       {Cause::gateway_down, 0.15},
       {Cause::network, 0.15},
       {Cause::retry_storm, 0.1},
       {Cause::own_action, 0.02},
       {Cause::data_problem, 0.02}},
      {{Cause::retry_storm, 0.9},
       {Cause::issuer_down, 0.08},
       {Cause::gateway_down, 0.08},
       {Cause::network, 0.05},
       {Cause::latency, 0.1},
       {Cause::own_action, 0.03},
       {Cause::fraud_burst, 0.05}},
      {{Cause::customer_shift, 0.9},
       {Cause::fraud_burst, 0.05},
       {Cause::issuer_down, 0.03},
       {Cause::data_problem, 0.05}},
      {{Cause::customer_shift, 0.4},
       {Cause::issuer_down, 0.25},
       {Cause::fraud_burst, 0.3},
       {Cause::data_problem, 0.05}},
      {{Cause::fraud_burst, 0.9}, {Cause::customer_shift, 0.06}, {Cause::issuer_down, 0.02}},
      {{Cause::traffic_drop, 0.8},
       {Cause::data_problem, 0.2},
       {Cause::own_action, 0.02},
       {Cause::gateway_down, 0.05},
       {Cause::issuer_down, 0.03}},
  }};
  return table[static_cast<std::size_t>(share)];
}
constexpr double kNoneFit = 0.08;

// Which class technical failures carry under a cause: issuer, gateway, network, unknown.
constexpr std::array<double, 4> classes_of(Cause cause) {
  switch (cause) {
    case Cause::issuer_down:
      return {0.72, 0.06, 0.07, 0.15};
    case Cause::gateway_down:
    case Cause::upstream_down:
      return {0.10, 0.55, 0.17, 0.18};
    case Cause::network:
      return {0.26, 0.22, 0.30, 0.22};
    case Cause::latency:
      return {0.12, 0.12, 0.16, 0.60};
    default:
      return {0.36, 0.26, 0.14, 0.24};
  }
}

bool is_place(Cause cause) {
  return cause == Cause::issuer_down || cause == Cause::gateway_down || cause == Cause::network ||
         cause == Cause::method_wide;
}

// Whether what it explains are technical failures of the slice itself.
bool fails_payments(Cause cause) {
  return is_place(cause) || cause == Cause::upstream_down || cause == Cause::authentication ||
         cause == Cause::merchant_change;
}

struct Totals {
  double n = 0.0, k = 0.0, e = 0.0;
  std::array<double, 4> classes{};
  [[nodiscard]] double excess() const { return k - e; }
};

Totals totals_of(const ScopeTable& table, const SeriesKey& scope) {
  const ScopeScore* found = table.find(scope);
  if (found == nullptr) return {};
  return {.n = found->n, .k = found->k, .e = found->e, .classes = found->classes};
}

// Decline codes speak, but vary between networks: half their weight, and never decisive alone.
double class_evidence(const Totals& inside, Cause cause) {
  const double share = inside.k > 0.0 ? std::max(0.0, inside.excess() / inside.k) : 0.0;
  const auto expected = classes_of(cause);
  const auto usual = classes_of(Cause::none_of_these);
  double sum = 0.0;
  for (std::size_t c = 0; c < 4; ++c) {
    sum += 0.5 * share * inside.classes[c] * std::log(expected[c] / usual[c]);
  }
  // What lies between us and everyone may fail in any words.
  return std::clamp(sum, cause == Cause::network ? -1.0 : -8.0, 8.0);
}

// The details speak as if their leaves were independent, which they are not quite.
constexpr double kDetailTemper = 1.5;
constexpr double kPerDetail = 1.5;    // ln cost of every further dimension of a slice
constexpr double kMixEvidence = 3.0;  // from which a change of mix is considered
// Two things that break by themselves within two minutes: once in a thousand incidents.
constexpr int64_t kTogetherS = 120;
constexpr double kCoincidence = 6.9;
constexpr double kMostOfIt = 0.7;        // of an alarm's excess, in a slice that stands behind it
constexpr double kDetailsLearnt = 1000;  // attempts, before the details are listened to
constexpr std::size_t kDetailLeaves = 1500;
constexpr std::size_t kToldMax = 64;  // explanations of all alarms, beside "none of these"

std::string percent(double share) { return fixed(100.0 * share, 1) + " %"; }

std::string_view what_moved(Share share) {
  switch (share) {
    case Share::technical:
      return "technical failures";
    case Share::slow:
      return "unusually slow attempts";
    case Share::retry:
      return "retries";
    case Share::customer:
      return "declines for the customer's account";
    case Share::policy:
      return "declines by the issuer's policy";
    case Share::fraud:
      return "declines for suspected fraud";
    case Share::volume:
      return "payments";
  }
  return "";
}

std::string figures(const Totals& t, Share share) {
  if (share == Share::volume) {
    return fixed(t.k, 0) + " payments where " + fixed(t.e, 0) + " were expected";
  }
  return std::string(what_moved(share)) + " in " + fixed(t.k, 0) + " of " + fixed(t.n, 0) +
         " attempts (" + percent(t.n > 0.0 ? t.k / t.n : 0.0) + ") where " +
         percent(t.n > 0.0 ? t.e / t.n : 0.0) + " is usual";
}

}  // namespace

// Explains one alarm on its own rows, and on the technical failures of all (the same table where
// the alarm is of these).
class Explanation {
 public:
  Explanation(const Reasoner::State& state, const LiveAlarm& alarm, const ScopeTable& table,
              const ScopeTable& technical, const Suspects* suspects, const Dictionary& dictionary)
      : state_(state),
        alarm_(alarm),
        table_(table),
        technical_(technical),
        suspects_(suspects),
        dictionary_(dictionary) {
    if (alarm.share == Share::technical) {
      add_places();
      add_mix();
      add_suspects();
    }
    for (const auto& [cause, fit] : fits(alarm.share)) add_fitting(cause, fit);
    add_announced();
    add_none();
    weigh();
  }
  [[nodiscard]] std::vector<Candidate>& candidates() { return candidates_; }
  // What speaks for and against one of them, and of which class its declines are.
  void tell(Candidate& c) const {
    describe_evidence(c);
    if (suspects_ == nullptr || !fails_payments(c.cause)) return;
    DetailSlice slice = c.slice;
    slice.path = c.scope;
    c.slice.decline = suspects_->decline_of(slice);
  }

 private:
  [[nodiscard]] double log_prior(Cause cause) const { return std::log(state_.causes.prior(cause)); }
  [[nodiscard]] double evidence(const SeriesKey& scope) const {
    if (mixed_) return detail_evidence({.path = scope});
    const ScopeScore* score = table_.find(scope);
    return score != nullptr ? score->log_evidence : 0.0;
  }
  [[nodiscard]] Totals inside(const SeriesKey& scope) const { return totals_of(table_, scope); }
  [[nodiscard]] Totals outside(const SeriesKey& scope) const {
    Totals rest = inside({});
    const Totals in = inside(scope);
    rest.n -= in.n;
    rest.k -= in.k;
    rest.e = std::max(0.0, rest.e - in.e);
    for (std::size_t c = 0; c < 4; ++c) rest.classes[c] -= in.classes[c];
    return rest;
  }
  [[nodiscard]] Cause cause_of(const SeriesKey& s) const {
    if (s == SeriesKey{}) return Cause::network;
    if (s.gateway == kAny) return s.issuer != kAny ? Cause::issuer_down : Cause::method_wide;
    if (s.issuer == kAny) return Cause::gateway_down;
    const Totals t = inside(s);
    return t.classes[0] > t.classes[1] + t.classes[2] ? Cause::issuer_down : Cause::gateway_down;
  }
  void add(Cause cause, const SeriesKey& scope, double log_prior, double log_likelihood) {
    for (const Candidate& c : candidates_) {
      if (c.cause == cause && c.scope == scope) return;
    }
    const Totals t = inside(scope);
    const double explained = alarm_.share == Share::volume ? -t.excess() : t.excess();
    candidates_.push_back({.cause = cause,
                           .scope = scope,
                           .log_prior = log_prior,
                           .log_likelihood = log_likelihood,
                           .explained = explained,
                           .evidence_for = {},
                           .evidence_against = {}});
  }
  // Places whose failing would show as technical failures: the alarm's own scope, and the best of
  // every kind.
  void add_places() {
    std::vector<const ScopeScore*> scores{table_.find(alarm_.scope)};
    for (const ScopeScore* best : table_.best_by_pattern()) scores.push_back(best);
    for (const ScopeScore* score : scores) {
      if (score == nullptr) continue;
      const Cause cause = cause_of(score->scope);
      // The lattice's own prior is of places; what has been learnt of their causes moves it.
      const double learnt = log_prior(cause) - std::log(CauseCounts::guess(cause));
      add(cause, score->scope, score->log_prior + learnt,
          score->log_evidence + class_evidence(inside(score->scope), cause));
    }
  }
  [[nodiscard]] double detail_evidence(const DetailSlice& slice) const {
    return suspects_->evidence(slice, alarm_.scope) / kDetailTemper;
  }
  // Other payments than usual, each of which fails as it always did: then the places are weighed
  // against what is usual for these payments.
  void add_mix() {
    if (suspects_ == nullptr) return;
    mixed_ = suspects_->mix_evidence(alarm_.scope) / kDetailTemper >= kMixEvidence;
    if (!mixed_) return;
    for (Candidate& c : candidates_) {
      c.log_likelihood = evidence(c.scope);  // whose words these payments fail in says little
    }
    add(Cause::customer_shift, alarm_.scope, log_prior(Cause::customer_shift), 0.0);
    candidates_.back().evidence_for.push_back(mix_in_words());
  }
  // Whether another alarm that began with this one shows the same slice: then either one thing
  // broke or two at once.
  [[nodiscard]] bool shared(const DetailSlice& slice) const {
    return std::any_of(state_.alarms.begin(), state_.alarms.end(), [&](const LiveAlarm& a) {
      const bool peer = a.share == Share::technical && !a.secondary && a.scope != alarm_.scope &&
                        std::abs(a.started - alarm_.started) <= kTogetherS;
      if (!peer || !overlap(a.scope, slice.path)) return false;
      DetailSlice part = slice;
      if (a.scope.issuer != kAny) part.path.issuer = a.scope.issuer;
      if (a.scope.method != kAny) part.path.method = a.scope.method;
      if (a.scope.gateway != kAny) part.path.gateway = a.scope.gateway;
      const SliceTotals in = suspects_->totals(part), all = suspects_->totals({.path = a.scope});
      return in.k - in.e > kMostOfIt * (all.k - all.e) && all.k > all.e;
    });
  }
  [[nodiscard]] Cause cause_of_slice(const DetailSlice& slice) const {
    if (slice.merchant != kWhole) return Cause::merchant_change;
    if (slice.stage == static_cast<int32_t>(AttemptStage::authenticated))
      return Cause::authentication;
    if (slice.upstream != kWhole) return Cause::upstream_down;
    return slice.region != kWhole ? Cause::network : cause_of(slice.path);
  }
  // Slices that the details suggest, against the place that explains the same details best.
  void add_suspects() {
    if (suspects_ == nullptr || suspects_->list().empty()) return;
    const Candidate* anchor = nullptr;
    double anchor_evidence = 0.0;
    for (const Candidate& c : candidates_) {
      if (!is_place(c.cause)) continue;
      const double evidence = detail_evidence({.path = c.scope});
      if (anchor == nullptr || evidence > anchor_evidence) {
        anchor = &c;
        anchor_evidence = evidence;
      }
    }
    if (anchor == nullptr) return;
    const double common =
        anchor->log_likelihood - class_evidence(inside(anchor->scope), anchor->cause);
    for (const Suspect& suspect : suspects_->list()) {
      const DetailSlice& slice = suspect.slice;
      if (!overlap(slice.path, alarm_.scope)) continue;
      const Cause cause = cause_of_slice(slice);
      const double words = cause == Cause::merchant_change || cause == Cause::authentication
                               ? 0.0
                               : class_evidence(inside(slice.path), cause);
      const int depth = slice.path.depth() + slice.detail_depth();
      const SliceTotals t = suspects_->totals(slice);
      candidates_.push_back(
          {.cause = cause,
           .scope = slice.path,
           .slice = slice,
           .log_prior = log_prior(cause) - std::log(suspect.choices) - kPerDetail * (depth - 1) +
                        (shared(slice) ? kCoincidence : 0.0),
           .log_likelihood = common + detail_evidence(slice) - anchor_evidence + words,
           .explained = t.k - t.e,
           .evidence_for = {},
           .evidence_against = {}});
    }
  }
  [[nodiscard]] std::string mix_in_words() const {
    const SliceTotals t = suspects_->totals({.path = alarm_.scope});
    return "for the merchants, regions and amounts of these payments " + percent(t.e / t.n) +
           " is usual, and " + percent(t.k / t.n) + " failed; for such paths " +
           percent(t.e_path / t.n) + " is";
  }
  void add_fitting(Cause cause, double fit) {
    if (cause == Cause::own_action && !own_action_near()) return;
    // A storm or a slowness that was there first can be the cause; one that follows is a symptom.
    const auto before = [&](Share share) {
      return std::any_of(state_.alarms.begin(), state_.alarms.end(), [&](const LiveAlarm& a) {
        return a.share == share && a.started < alarm_.started && overlap(a.scope, alarm_.scope);
      });
    };
    if (alarm_.share == Share::technical) {
      if (cause == Cause::retry_storm && before(Share::retry)) fit = 0.4;
      if (cause == Cause::latency && before(Share::slow)) fit = 0.3;
    }
    SeriesKey scope = alarm_.scope;
    if (cause == Cause::network) scope = {};
    if (cause == Cause::issuer_down && scope.issuer == kAny) return;
    if (cause == Cause::gateway_down && scope.gateway == kAny) return;
    if (cause == Cause::data_problem) {
      scope = {};
      const bool silent =
          alarm_.share == Share::volume && alarm_.scope == SeriesKey{} && alarm_.moved > 0.9;
      if (silent) fit = 50.0;  // everything at once and entirely: the data, not the customers
    }
    double likelihood = evidence(scope) + std::log(fit);
    if (alarm_.share == Share::technical) {
      // A storm's failures are those of the place that it drowns.
      const Cause words = cause != Cause::retry_storm ? cause
                          : scope == SeriesKey{}      ? Cause::none_of_these
                                                      : cause_of(scope);
      if (!mixed_) likelihood += class_evidence(inside(scope), words);
      if (cause == Cause::retry_storm) likelihood += alarm_.storm;
    } else if (is_place(cause)) {
      // A place that is down fails payments: what do its technical failures say?
      const ScopeScore* technical = technical_.find(scope);
      likelihood += technical != nullptr ? std::clamp(technical->log_evidence, -6.0, 0.0) : 0.0;
    }
    add(cause, scope, log_prior(cause), likelihood);
  }
  // What the calendar announced for these payments: as likely as the place that it takes down.
  void add_announced() {
    for (const auto* window : state_.foreknown.behind(alarm_.started, state_.now)) {
      const SeriesKey scope = dictionary_.key(window->scope);
      const bool seen = scope.issuer != kOther && scope.method != kOther && scope.gateway != kOther;
      const bool told = std::any_of(candidates_.begin(), candidates_.end(), [&](const auto& c) {
        return c.cause == Cause::maintenance && c.scope == scope;
      });
      if (!seen || told || !overlap(scope, alarm_.scope)) continue;
      const bool words = alarm_.share == Share::technical && !mixed_ && scope != SeriesKey{};
      add(Cause::maintenance, scope, log_prior(Cause::maintenance),
          evidence(scope) + (words ? class_evidence(inside(scope), cause_of(scope)) : 0.0));
      candidates_.back().evidence_for.push_back(
          "announced from " + iso_time(window->from_s * 1000) + " to " +
          iso_time(window->to_s * 1000) + ": " + window->reason);
    }
  }
  void add_none() {
    const double best = mixed_ ? 0.0 : std::max(0.0, table_.unstructured());
    add(Cause::none_of_these, {}, log_prior(Cause::none_of_these), best + std::log(kNoneFit));
  }
  // An action of ours began within two minutes before, and not to its own relief.
  [[nodiscard]] bool own_action_near() const {
    return std::any_of(state_.actions.begin(), state_.actions.end(), [&](const OwnAction& a) {
      const int64_t lead = alarm_.started - a.since_ts_ms / 1000;
      return lead >= -5 && lead <= 120;
    });
  }
  void weigh() {
    const auto soft = [&](auto log_weight, double Candidate::*out) {
      double high = -1e300, sum = 0.0;
      for (const Candidate& c : candidates_) high = std::max(high, log_weight(c));
      for (Candidate& c : candidates_) sum += c.*out = std::exp(log_weight(c) - high);
      for (Candidate& c : candidates_) c.*out /= sum;
    };
    soft([](const Candidate& c) { return c.log_prior; }, &Candidate::prior);
    const double memory = state_.config.belief_memory;
    const uint64_t id = alarm_hash(alarm_);
    const auto remembered = [&](const Candidate& c) {
      const auto it = state_.beliefs.find({id, c.cause, belief_scope(c)});
      if (it == state_.beliefs.end()) return c.log_prior;
      return (1.0 - memory) * c.log_prior + memory * std::log(std::max(it->second, 1e-4));
    };
    soft([&](const Candidate& c) { return remembered(c) + c.log_likelihood; },
         &Candidate::probability);
    // Nothing is ever quite ruled out or certain: the likelihoods are models too.
    for (Candidate& c : candidates_) c.probability = 0.99 * c.probability + 0.01 * c.prior;
  }
  [[nodiscard]] std::string figures_of(const SliceTotals& t) const {
    return figures({.n = t.n, .k = t.k, .e = t.e}, Share::technical);
  }
  // The slice, what is left of the alarm's scope without it, and what it spares.
  void describe_slice(Candidate& c) const {
    const std::string name = name_in_words(c, dictionary_, state_.topology);
    const SliceTotals in = suspects_->totals(c.slice);
    c.evidence_for.push_back(name + ": " + figures_of(in));
    const SliceTotals out = suspects_->totals(c.slice, true);
    const bool calm = out.k - out.e < 2.0 * std::sqrt(out.e + 1.0);
    (calm ? c.evidence_for : c.evidence_against).push_back("everything else: " + figures_of(out));
    if (c.slice.upstream == kWhole) return;
    const auto at = static_cast<std::size_t>(c.slice.upstream);
    std::string shared;
    for (const std::string& gateway : state_.topology.upstreams[at].gateways) {
      shared += (shared.empty() ? "" : ", ") + gateway;
    }
    if (!shared.empty()) c.evidence_for.push_back("it is shared by " + shared);
  }
  void describe_evidence(Candidate& c) const {
    if (c.slice.detailed()) {
      describe_slice(c);
      return;
    }
    const Totals in = inside(c.scope), out = outside(c.scope);
    const std::string place = describe(dictionary_.scope(c.scope));
    if (c.cause == Cause::none_of_these) {
      c.evidence_for.push_back("the excess may lie scattered over paths without a common place");
      return;
    }
    c.evidence_for.push_back(place + ": " + figures(in, alarm_.share));
    if (out.n > 0.0) {
      const double sd = std::sqrt(out.e + 1.0);
      const double excess = alarm_.share == Share::volume ? -out.excess() : out.excess();
      auto& side = excess < 2.0 * sd ? c.evidence_for : c.evidence_against;
      side.push_back("everything else: " + figures(out, alarm_.share));
    }
    if (alarm_.share == Share::technical && in.k > 0.0) {
      const auto expected = classes_of(c.cause);
      const auto top = std::max_element(in.classes.begin(), in.classes.end()) - in.classes.begin();
      const auto at = static_cast<std::size_t>(top);
      const double share = in.classes[at] / in.k;
      auto& side = expected[at] >= 0.3 ? c.evidence_for : c.evidence_against;
      side.push_back(percent(share) + " of the failures are of class " +
                     std::string(name_of(kTechnicalClasses[at])));
    } else if (is_place(c.cause)) {
      const Totals technical = totals_of(technical_, c.scope);
      auto& side = technical.excess() > 2.0 * std::sqrt(technical.e + 1.0) ? c.evidence_for
                                                                           : c.evidence_against;
      side.push_back(place + ": " + figures(technical, Share::technical));
    }
    if (c.cause == Cause::own_action) {
      c.evidence_for.push_back("it began within two minutes of an action of ours");
    }
    add_unaffected(c);
  }
  // The part of the scope that should suffer and does not.
  void add_unaffected(Candidate& c) const {
    if (!is_place(c.cause) || alarm_.share != Share::technical) return;
    const ScopeScore* whole = table_.find(c.scope);
    if (whole == nullptr || whole->moved() < 0.05) return;
    const ScopeScore* calmest = nullptr;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const ScopeScore& part = table_.at(i);
      if (part.scope == c.scope || !c.scope.covers(part.scope)) continue;
      if (part.scope.depth() != c.scope.depth() + 1 || part.n < 10.0) continue;
      if (part.moved() > whole->moved() / 4.0) continue;
      if (calmest == nullptr || part.n > calmest->n) calmest = &part;
    }
    if (calmest == nullptr) return;
    c.evidence_against.push_back(
        describe(dictionary_.scope(calmest->scope)) +
        " should suffer too: " + figures(inside(calmest->scope), alarm_.share));
  }

  const Reasoner::State& state_;
  const LiveAlarm& alarm_;
  const ScopeTable& table_;
  const ScopeTable& technical_;
  const Suspects* suspects_;  // null without details of this alarm
  bool mixed_ = false;        // evidence is weighed against what is usual for these payments
  const Dictionary& dictionary_;
  std::vector<Candidate> candidates_;
};

namespace {

// What an alarm costs now, in payments a second, roughly: how alarms share the probability.
double weight_of(const LiveAlarm& alarm, const ScopeTable& table) {
  const double n = totals_of(table, alarm.scope).n;
  const double harm = alarm.share == Share::technical || alarm.share == Share::volume ? 1.0 : 0.3;
  return harm * (1.0 + n * std::max(alarm.moved, 0.02));
}

// A cause of more than even odds is the alarm's, until another is.
void conclude(LiveAlarm& alarm, const Candidate& leader) {
  alarm.cause = leader.cause;
  alarm.certainty = leader.probability;
  if (leader.probability <= 0.5) return;
  alarm.asserted = leader.cause;
  alarm.slice = leader.slice;
}

}  // namespace

// The details since the first of the alarms of technical failure in force began; nothing without
// such an alarm, or before enough is known of what is usual.
std::unique_ptr<Detailed> Reasoner::State::suspect_details(const Dictionary& dictionary) const {
  int64_t from = now;
  for (const LiveAlarm& alarm : alarms) {
    const bool counts = alarm.share == Share::technical && !alarm.secondary;
    if (counts) from = std::min(from, alarm.started);
  }
  if (from >= now || !details.knows(kDetailsLearnt)) return nullptr;
  auto detailed = std::make_unique<Detailed>(details, from, kDetailLeaves, topology, dictionary);
  detailed->suspects.note_covered([&](const SeriesKey& path) {
    return std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
      return a.share == Share::technical && !a.secondary && a.scope.covers(path);
    });
  });
  return detailed;
}

std::vector<Hypothesis> Reasoner::State::hypotheses(const Dictionary& dictionary) {
  struct Weighed {
    LiveAlarm* alarm;
    ScopeTable table;
    std::optional<ScopeTable> technical{};
    std::optional<Explanation> explanation{};
  };
  std::deque<Weighed> weighed;  // an explanation points at its tables
  std::vector<Explained> explained;
  std::map<BeliefKey, double> believed;
  const std::unique_ptr<Detailed> detailed = suspect_details(dictionary);
  for (LiveAlarm& alarm : alarms) {
    if (alarm.secondary) continue;
    const auto mine = [&](const Row& row) {  // other alarms answer for their own
      return alarm.scope.covers(row.path) ||
             std::none_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
               return a.share == alarm.share && !a.secondary && a.scope.covers(row.path);
             });
    };
    Weighed& one = weighed.emplace_back(
        Weighed{&alarm, table_of(common_rows(alarm.share, alarm.started), alarm.share, mine)});
    if (alarm.share != Share::technical) {
      one.technical.emplace(table_of(common_rows(Share::technical, alarm.started), Share::technical,
                                     [](const Row&) { return true; }));
    }
    one.explanation.emplace(*this, alarm, one.table, one.technical ? *one.technical : one.table,
                            detailed ? &detailed->suspects : nullptr, dictionary);
    for (const Candidate& c : one.explanation->candidates()) {
      believed[{alarm_hash(alarm), c.cause, belief_scope(c)}] = c.probability;
    }
    explained.push_back({.candidates = std::move(one.explanation->candidates()),
                         .weight = weight_of(alarm, one.table)});
  }
  beliefs = std::move(believed);
  fold_unlikely(explained, kToldMax);
  for (std::size_t i = 0; i < explained.size(); ++i) {
    for (Candidate& c : explained[i].candidates) weighed[i].explanation->tell(c);
    conclude(*weighed[i].alarm, leading(explained[i].candidates));
  }
  return to_hypotheses(explained, dictionary, topology);
}

}  // namespace payops::reasoning
