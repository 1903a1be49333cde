#include "payops/simulators/continuous_stream.h"

#include <numeric>

#include "payops/core/text.h"
#include "payops/core/yaml_fields.h"

namespace payops::simulators {
namespace {

// The specs of `names`: known ones as they are, new ones with the mean share.
template <class Spec>
std::vector<Spec> select(const std::vector<Spec>& known, const std::vector<std::string>& names) {
  const double sum = std::accumulate(known.begin(), known.end(), 0.0,
                                     [](double total, const Spec& s) { return total + s.share; });
  std::vector<Spec> chosen;
  for (const std::string& name : names) {
    Spec spec;
    spec.name = name;
    spec.share = known.empty() ? 1.0 : sum / static_cast<double>(known.size());
    for (const Spec& candidate : known) {
      if (candidate.name == name) spec = candidate;
    }
    chosen.push_back(spec);
  }
  return chosen;
}

}  // namespace

Status StreamAgent::validate() const {
  if (!(cycle_interval >= 1.0 && cycle_interval <= 3600.0)) {
    return fail(ErrorCode::config, "\"agent.cycle_interval\" must be from 1 to 3600 seconds, not " +
                                       fixed(cycle_interval, 3));
  }
  if (!(anomaly_threshold > 0.0 && anomaly_threshold <= 100.0)) {
    return fail(ErrorCode::config, "\"agent.anomaly_threshold\" must be above 0, up to 100, not " +
                                       fixed(anomaly_threshold, 3));
  }
  return {};
}

Status ContinuousStream::validate() const {
  if (!(rate_tps >= 20.0 && rate_tps <= 100'000.0)) {
    return fail(ErrorCode::config, "\"rate_tps\" must be from 20 to 100000, not " +
                                       fixed(rate_tps, 3) + ": below 20 nothing can be learnt");
  }
  for (const auto* names : {&issuers, &methods, &gateways}) {
    if (names->empty()) {
      return fail(ErrorCode::config, "\"issuers\", \"methods\" and \"gateways\" each need a name");
    }
  }
  return {};
}

Result<ContinuousStream> load_continuous_stream(const std::string& path) {
  return read_yaml_file<ContinuousStream>(path);
}

Result<Scenario> world_of(const ContinuousStream& stream, Scenario scenario) {
  scenario.issuers = select(scenario.issuers, stream.issuers);
  scenario.methods = select(scenario.methods, stream.methods);
  scenario.gateways = select(scenario.gateways, stream.gateways);
  scenario.drift = stream.drift;
  scenario.rate_tps = stream.rate_tps;
  if (auto status = scenario.validate(); !status) return tl::make_unexpected(status.error());
  return scenario;
}

}  // namespace payops::simulators
