// What gateways share behind their names: config/topology.yaml as plain data. Two gateways on one
// failing acquirer are one fault, and neither is a way around the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/dimensions.h"

namespace payops {

enum class UpstreamKind : uint8_t { acquirer, switching, scheme, data_centre };
template <>
inline constexpr EnumNames<4> enum_names<UpstreamKind>{"acquirer", "switch", "scheme",
                                                       "data_centre"};
inline constexpr std::size_t kUpstreamKinds = 4;

// Payments stand on it that go through one of the gateways, or along one of the paths.
struct Upstream {
  std::string name;
  UpstreamKind kind = UpstreamKind::acquirer;
  std::vector<std::string> gateways{};
  std::vector<Scope> paths{};
  static constexpr auto fields() {
    return std::make_tuple(field("name", &Upstream::name), field("kind", &Upstream::kind),
                           field("gateways", &Upstream::gateways),
                           field("paths", &Upstream::paths));
  }
  [[nodiscard]] bool carries(const Scope& path) const;
};

struct Topology {
  static constexpr std::size_t kMaxUpstreams = 200;
  std::vector<Upstream> upstreams{};
  static constexpr auto fields() {
    return std::make_tuple(field("upstreams", &Topology::upstreams));
  }
  // Errors: config: a name that is missing or given twice, nothing that stands on it, a gateway
  // with two upstreams of one kind, too many.
  [[nodiscard]] Status validate() const;
};

}  // namespace payops
