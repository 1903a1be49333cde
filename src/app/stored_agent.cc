#include "stored_agent.h"

#include "payops/memory/rocks_store.h"

namespace payops::app {

Result<StoredAgent> restore_stored(const std::string& state_dir) {
  auto held = memory::RocksStore::peek(state_dir);
  if (!held) return tl::make_unexpected(held.error());
  StoredAgent stored{std::move(*held), std::make_unique<payments_agent::PaymentsAgent>()};
  if (Status status = stored.agent->restore(stored.held.snapshot); !status) {
    return tl::make_unexpected(status.error());
  }
  for (const StoredBlock& block : stored.held.blocks) {
    const auto output = stored.agent->apply(block.block);
    if (!output) return tl::make_unexpected(output.error());
    if (output->digest != block.digest) {
      return fail(ErrorCode::corrupt,
                  state_dir +
                      ": the recorded steps do not lead to the recorded state; was it "
                      "written by another version, or with intervention types of your own?");
    }
  }
  return stored;
}

std::vector<EffectRow> stored_effects(const payments_agent::PaymentsAgent& agent) {
  std::vector<EffectRow> rows;
  for (const auto& [key, effect] : agent.effects()) {
    const Estimate factor{effect.mean, effect.sigma};
    rows.push_back({.type = key.type,
                    .cause = key.cause,
                    .peer = key.peer,
                    .mean = effect.mean,
                    .sigma = effect.sigma,
                    .low = factor.low(),
                    .high = factor.high(),
                    .outcomes = effect.outcomes,
                    .improved = effect.improved,
                    .worse = effect.worse,
                    .updated_ts_ms = effect.updated_ts_ms});
  }
  return rows;
}

std::vector<CauseRow> stored_causes(const payments_agent::PaymentsAgent& agent) {
  using reasoning::CauseCounts;
  std::vector<CauseRow> rows;
  double priors = 0.0, guesses = 0.0;
  for (std::size_t c = 0; c < reasoning::kCauses; ++c) {
    const auto cause = static_cast<Cause>(c);
    if (!CauseCounts::counts(cause)) continue;
    rows.push_back({.cause = cause,
                    .confirmed = agent.causes().confirmed(cause),
                    .prior = agent.causes().prior(cause),
                    .guess = CauseCounts::guess(cause)});
    priors += rows.back().prior;
    guesses += rows.back().guess;
  }
  for (CauseRow& row : rows) {
    row.prior /= priors;
    row.guess /= guesses;
  }
  return rows;
}

}  // namespace payops::app
