#include "payops/model/topology.h"

#include <algorithm>
#include <map>
#include <set>

#include "payops/model/relevance.h"

namespace payops {

bool Upstream::carries(const Scope& path) const {
  return std::find(gateways.begin(), gateways.end(), path.gateway) != gateways.end() ||
         std::any_of(paths.begin(), paths.end(),
                     [&](const Scope& scope) { return scope_covers(scope, path); });
}

Status Topology::validate() const {
  if (upstreams.size() > kMaxUpstreams) {
    return fail(ErrorCode::config, "\"upstreams\" has more than 200 entries");
  }
  std::set<std::string> names;
  std::map<std::pair<UpstreamKind, std::string>, std::string> taken;
  for (const Upstream& upstream : upstreams) {
    if (upstream.name.empty() || upstream.name == "*" || !names.insert(upstream.name).second) {
      return fail(
          ErrorCode::config,
          "\"upstreams\": every upstream needs a name of its own, not \"" + upstream.name + "\"");
    }
    if (upstream.gateways.empty() && upstream.paths.empty()) {
      return fail(ErrorCode::config,
                  "\"upstreams\": " + upstream.name + " needs \"gateways\" or \"paths\"");
    }
    for (const std::string& gateway : upstream.gateways) {
      const auto [it, first] = taken.try_emplace({upstream.kind, gateway}, upstream.name);
      if (first) continue;
      return fail(ErrorCode::config, "\"upstreams\": gateway " + gateway + " has two of kind " +
                                         std::string(name_of(upstream.kind)) + ": " + it->second +
                                         " and " + upstream.name);
    }
  }
  return {};
}

}  // namespace payops
