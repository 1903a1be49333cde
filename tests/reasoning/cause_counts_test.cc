#include "payops/reasoning/cause_counts.h"

#include <doctest/doctest.h>

#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

double sum_of_priors(const CauseCounts& counts) {
  double sum = 0.0;
  for (std::size_t c = 0; c < kCauses; ++c) sum += counts.prior(static_cast<Cause>(c));
  return sum;
}

TEST_CASE("causes begin as guessed and move with what is confirmed") {
  CauseCounts counts;
  CHECK(counts.prior(Cause::retry_storm) == CauseCounts::guess(Cause::retry_storm));
  const double all = sum_of_priors(counts);
  counts.confirm(Cause::retry_storm, 1.0);
  CHECK(counts.prior(Cause::retry_storm) > CauseCounts::guess(Cause::retry_storm));
  CHECK(counts.prior(Cause::issuer_down) < CauseCounts::guess(Cause::issuer_down));
  CHECK(sum_of_priors(counts) == doctest::Approx(all));
  counts.confirm(Cause::retry_storm, -1.0);
  CHECK(counts == CauseCounts{});
  // With twenty incidents as many as the guesses are worth: half way.
  for (int i = 0; i < 20; ++i) counts.confirm(Cause::network, 1.0);
  const double guess = CauseCounts::guess(Cause::network);
  const double of_all =
      all - CauseCounts::guess(Cause::maintenance) - CauseCounts::guess(Cause::none_of_these);
  CHECK(counts.prior(Cause::network) == doctest::Approx((guess + of_all) / 2.0));
  // What is announced, or no finding, is not learnt.
  CHECK(counts.prior(Cause::maintenance) == CauseCounts::guess(Cause::maintenance));
  CHECK_FALSE(CauseCounts::counts(Cause::none_of_these));
}

TEST_CASE("no number of incidents makes another cause impossible, and old ones fade") {
  CauseCounts counts;
  for (int i = 0; i < 10'000; ++i) counts.confirm(Cause::issuer_down, 1.0);
  CHECK(counts.total() <= kRemembered + 1e-6);
  CHECK(counts.prior(Cause::fraud_burst) > 0.0);
  for (int i = 0; i < 400; ++i) counts.confirm(Cause::gateway_down, 1.0);
  CHECK(counts.confirmed(Cause::gateway_down) > 4.0 * counts.confirmed(Cause::issuer_down));
}

// How likely it is held to be that an issuer is down, soon after a faint fault of it began.
double belief(Reasoner& reasoner, Cause cause) {
  test::Run run;
  run.reasoner = std::move(reasoner);
  run.traffic.faults = {{test::Kind::anything_fails, {4, kAny, 1}, 1500, 1700, 0.5}};
  run.until(1500);
  while (run.last.alarms.empty() && run.t < 1700) run.until(run.t + 1);
  double sum = 0.0;
  for (const Hypothesis& h : run.last.hypotheses) {
    if (h.cause == cause) sum += h.posterior;
  }
  reasoner = std::move(run.reasoner);
  return sum;
}

TEST_CASE("confirmed causes move the next posterior, also after a restart") {
  Reasoner fresh{ReasoningConfig{}};
  const double before = belief(fresh, Cause::retry_storm);
  Reasoner taught{ReasoningConfig{}};
  for (int i = 0; i < 100; ++i) taught.causes().confirm(Cause::retry_storm, 1.0);
  std::string bytes;
  Encoder out(bytes);
  taught.encode(out);
  Reasoner again{ReasoningConfig{}};
  Decoder in(bytes);
  again.decode(in);
  REQUIRE(in.at_end());
  CHECK(again.causes() == taught.causes());
  const double after = belief(taught, Cause::retry_storm);
  CHECK(after > 1.5 * before);
  CHECK(belief(again, Cause::retry_storm) == after);
}

}  // namespace
}  // namespace payops::reasoning
