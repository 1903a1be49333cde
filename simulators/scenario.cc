#include "payops/simulators/scenario.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "payops/core/text.h"
#include "payops/core/yaml_fields.h"

namespace payops::simulators {
namespace {

namespace fs = std::filesystem;

Status invalid(const std::string& message) { return fail(ErrorCode::config, message); }

// Both negations are false for NaN.
bool within(double value, double low, double high) { return value >= low && value <= high; }

Status check_range(const char* key, double value, double low, double high) {
  if (within(value, low, high)) return {};
  return invalid("\"" + std::string(key) + "\" must be from " + fixed(low, 3) + " to " +
                 fixed(high, 3) + ", not " + fixed(value, 3));
}

template <class Spec>
std::vector<std::string> names_of(const std::vector<Spec>& specs) {
  std::vector<std::string> names;
  for (const Spec& spec : specs) names.push_back(spec.name);
  return names;
}

// Names go into events and keys as they are.
bool plain(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name != "*" &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '|';
         });
}

template <class Spec>
Status check_dimension(const char* key, const std::vector<Spec>& specs) {
  if (specs.empty() || specs.size() > 200) {
    return invalid("\"" + std::string(key) + "\" must have 1 to 200 entries");
  }
  std::set<std::string> seen;
  for (const Spec& spec : specs) {
    if (!plain(spec.name)) {
      return invalid("\"" + std::string(key) + "\": a name needs 1 to 64 characters, not \"*\", " +
                     "without quotes, backslashes and bars");
    }
    if (!seen.insert(spec.name).second) {
      return invalid("\"" + std::string(key) + "\" names \"" + spec.name + "\" twice");
    }
    if (!within(spec.share, 1e-9, 1e9)) {
      return invalid("\"" + std::string(key) + "\": the share of " + spec.name +
                     " must be above 0");
    }
  }
  return {};
}

Status check_scope(const Scenario& scenario, const Scope& scope, const std::string& where) {
  const auto check = [&](const char* key, const std::string& name,
                         const std::vector<std::string>& known) -> Status {
    if (name == "*" || std::find(known.begin(), known.end(), name) != known.end()) return {};
    return invalid("\"" + where + ".scope." + key + "\" cannot be \"" + name + "\"; one of: *, " +
                   join(known, ", ") + did_you_mean(name, known));
  };
  if (auto s = check("issuer", scope.issuer, names_of(scenario.issuers)); !s) return s;
  if (auto s = check("method", scope.method, names_of(scenario.methods)); !s) return s;
  return check("gateway", scope.gateway, names_of(scenario.gateways));
}

template <class Checks>
Status first_error(const Checks& checks) {
  for (const Status& status : checks) {
    if (!status) return status;
  }
  return {};
}

// Only where attempts fail can it be said which of them.
bool fails_attempts(FaultKind kind) {
  switch (kind) {
    case FaultKind::outage:
    case FaultKind::slow_ramp:
    case FaultKind::flapping:
    case FaultKind::gateway_failure:
    case FaultKind::method_fatigue:
    case FaultKind::insufficient_funds:
      return true;
    default:
      return false;
  }
}

Status check_upstreams(const Scenario& scenario) {
  const std::vector<std::string> gateways = names_of(scenario.gateways);
  std::set<std::string> seen;
  for (const UpstreamSpec& upstream : scenario.upstreams) {
    if (!plain(upstream.name) || !seen.insert(upstream.name).second) {
      return invalid("\"upstreams\": every upstream needs a name of its own");
    }
    for (const std::string& gateway : upstream.gateways) {
      if (std::find(gateways.begin(), gateways.end(), gateway) != gateways.end()) continue;
      return invalid("\"upstreams\": there is no gateway \"" + gateway + "\" for " + upstream.name +
                     did_you_mean(gateway, gateways));
    }
  }
  return {};
}

Status check_part(const Scenario& scenario, const Fault& fault, const std::string& where) {
  const bool whole = fault.region == "*" && fault.merchant == "*" && fault.upstream == "*" &&
                     fault.stage == AttemptStage::authorised;
  if (!whole && !fails_attempts(fault.kind)) {
    return invalid("\"" + where + "\": a fault of kind " + std::string(name_of(fault.kind)) +
                   " has no region, merchant, upstream or stage");
  }
  const std::vector<std::string> regions(kRegions.begin(), kRegions.end());
  if (fault.region != "*" &&
      std::find(regions.begin(), regions.end(), fault.region) == regions.end()) {
    return invalid("\"" + where + ".region\" cannot be \"" + fault.region + "\"; one of: *, " +
                   join(regions, ", ") + did_you_mean(fault.region, regions));
  }
  if (fault.merchant != "*" && !merchant_of(fault.merchant, scenario.merchants)) {
    return invalid("\"" + where + ".merchant\" cannot be \"" + fault.merchant +
                   "\"; one of m_0000 to " + merchant_name(scenario.merchants - 1));
  }
  const std::vector<std::string> upstreams = names_of(scenario.upstreams);
  if (fault.upstream != "*" &&
      std::find(upstreams.begin(), upstreams.end(), fault.upstream) == upstreams.end()) {
    return invalid("\"" + where + ".upstream\" cannot be \"" + fault.upstream +
                   "\"; \"upstreams\" has: " + join(upstreams, ", ") +
                   did_you_mean(fault.upstream, upstreams));
  }
  return {};
}

Status check_numbers(const Scenario& s) {
  const std::vector<Status> checks = {
      check_range("rate_tps", s.rate_tps, 0.01, 100'000),
      check_range("duration_s", s.duration_s, 1, 31.0 * 86'400),
      check_range("customers", s.customers, 10, 5'000'000),
      check_range("merchants", s.merchants, 1, 9'999),
      check_range("rhythm.amplitude", s.rhythm.amplitude, 0, 0.95),
      check_range("economics.margin_share", s.economics.margin_share, 0, 1),
      check_range("economics.amount_median_minor", s.economics.amount_median_minor, 1, 1e10),
      check_range("economics.amount_spread", s.economics.amount_spread, 0, 3),
      check_range("latency.spread", s.latency.spread, 0, 2),
      check_range("latency.timeout_ms", s.latency.timeout_ms, 100, 600'000),
      check_range("retry.propensity", s.retry.propensity, 0, 0.98),
      check_range("retry.max_attempts", s.retry.max_attempts, 1, 20),
      check_range("retry.delay_ms", s.retry.delay_ms, 0, 120'000),
      check_range("retry.same_path", s.retry.same_path, 0, 1),
      check_range("retry.other_gateway", s.retry.other_gateway, 0, 1),
      check_range("retry.other_instrument", s.retry.other_instrument, 0, 1),
      check_range("steering.ramp_out_s", s.steering.ramp_out_s, 0, 600),
      check_range("steering.friction", s.steering.friction, 0, 1),
      check_range("load.sensitivity", s.load.sensitivity, 0, 10),
      check_range("load.issuer_headroom", s.load.issuer_headroom, 0.1, 100),
      check_range("load.gateway_headroom", s.load.gateway_headroom, 0.1, 100),
      check_range("truth_every_s", s.truth_every_s, 0, 86'400),
  };
  return first_error(checks);
}

std::string path_in(const std::vector<std::string>& dirs, const std::string& name) {
  for (const std::string& dir : dirs) {
    const fs::path path = fs::path(dir) / (name + ".yaml");
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return {};
}

}  // namespace

Status Drift::validate() const {
  const std::vector<Status> checks = {
      check_range("theta", theta, 1e-6, 100),
      check_range("sigma", sigma, 0, 1),
      check_range("mean_success", mean_success, 0.02, 0.998),
      check_range("time_unit_s", time_unit_s, 0.001, 86'400),
      check_range("latency_sigma", latency_sigma, 0, 1),
      check_range("retry_sigma", retry_sigma, 0, 1),
  };
  return first_error(checks);
}

Status Fault::validate() const {
  const std::vector<Status> checks = {
      check_range("start_s", start_s, 0, 31.0 * 86'400),
      check_range("duration_s", duration_s, 1, 31.0 * 86'400),
      check_range("severity", severity, 0, kind == FaultKind::fraud_burst ? 10 : 1),
      check_range("period_s", period_s, 2, 86'400),
      check_range("ramp_s", ramp_s, 0, 31.0 * 86'400),
      check_range("factor", factor, 0.01, 1'000),
      check_range("delay_s", delay_s, 0, 600),
  };
  return first_error(checks);
}

Status Scenario::validate() const {
  const std::vector<Status> dimensions = {
      check_dimension("issuers", issuers), check_dimension("methods", methods),
      check_dimension("gateways", gateways), check_numbers(*this), check_upstreams(*this)};
  if (auto status = first_error(dimensions); !status) return status;
  if (currency.size() != 3 ||
      !std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return invalid("\"currency\" must be three capital letters, not \"" + currency + "\"");
  }
  if (retry.same_path + retry.other_gateway + retry.other_instrument <= 0) {
    return invalid("\"retry\": one of same_path, other_gateway, other_instrument must be above 0");
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string where = "paths[" + std::to_string(i) + "]";
    if (auto status = check_scope(*this, paths[i].scope, where); !status) return status;
    Drift merged = drift;
    merged.theta = paths[i].theta.value_or(drift.theta);
    merged.sigma = paths[i].sigma.value_or(drift.sigma);
    merged.mean_success = paths[i].mean_success.value_or(drift.mean_success);
    if (auto status = merged.validate(); !status) {
      return invalid(where + ": " + status.error().message);
    }
  }
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const std::string where = "faults[" + std::to_string(i) + "]";
    if (auto status = check_scope(*this, faults[i].scope, where); !status) return status;
    if (auto status = check_part(*this, faults[i], where); !status) return status;
  }
  return {};
}

std::string merchant_name(uint32_t merchant) {
  const std::string digits = std::to_string(merchant);
  return "m_" + std::string(4 - std::min<std::size_t>(4, digits.size()), '0') + digits;
}

std::optional<uint32_t> merchant_of(std::string_view name, uint32_t merchants) {
  uint32_t number = 0;
  if (name.size() != 6 || !name.starts_with("m_")) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + 2, name.data() + 6, number);
  if (error != std::errc{} || end != name.data() + 6 || number >= merchants) return std::nullopt;
  return number;
}

std::vector<std::string> scenario_dirs() {
  std::vector<std::string> dirs;
  if (const char* given = std::getenv("PAYOPS_SCENARIOS"); given != nullptr && *given != '\0') {
    dirs.emplace_back(given);
  }
  dirs.emplace_back("simulators/scenarios");
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  if (!unknown) {
    const fs::path folder = program.parent_path();
    dirs.push_back((folder / "../../simulators/scenarios").lexically_normal().string());
    dirs.push_back((folder / "../share/payops/scenarios").lexically_normal().string());
  }
  return dirs;
}

std::vector<std::string> scenario_names(const std::vector<std::string>& dirs) {
  std::set<std::string> names;
  for (const std::string& dir : dirs) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(dir, missing)) {
      if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

Result<Scenario> parse_scenario(const std::string& yaml, const std::string& file) {
  return read_yaml<Scenario>(yaml, file);
}

Result<Scenario> load_scenario(const std::string& name_or_path,
                               const std::vector<std::string>& dirs) {
  const bool is_path =
      name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".yaml");
  std::string path = is_path ? name_or_path : path_in(dirs, name_or_path);
  if (path.empty()) {
    const auto known = scenario_names(dirs);
    const std::string choice =
        known.empty() ? "none in " + join(dirs, ", ") : "one of: " + join(known, ", ");
    return fail(ErrorCode::not_found, "no scenario \"" + name_or_path + "\"" +
                                          did_you_mean(name_or_path, known) + "; " + choice);
  }
  return read_yaml_file<Scenario>(path);
}

}  // namespace payops::simulators
