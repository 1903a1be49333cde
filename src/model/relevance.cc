#include "payops/model/relevance.h"

#include <algorithm>

#include "payops/model/intervention.h"

namespace payops {
namespace {

bool admits(const std::string& pattern, const std::string& name) {
  return pattern == "*" || pattern == name;
}

bool is_retry(std::string_view type) {
  return type == action_type::kAdjustRetry || type == action_type::kReduceRetryAttempts;
}

}  // namespace

bool is_part(const Slice& slice) {
  Slice whole;
  whole.decline = slice.decline;
  return slice != whole;
}

std::string describe(const Scope& scope, const Slice& slice) {
  std::string text = slice.merchant == "*" ? "" : "merchant " + slice.merchant;
  if (text.empty() || scope != Scope{}) text += (text.empty() ? "" : ", ") + describe(scope);
  if (slice.upstream != "*") {
    text = scope == Scope{} && slice.merchant == "*" ? "upstream " + slice.upstream
                                                     : text + " on upstream " + slice.upstream;
  }
  if (slice.region != "*") text += " in region " + slice.region;
  if (slice.amount != "*") text += " with the " + slice.amount + " amounts";
  if (slice.stage == "authenticated") text += " at authentication";
  if (slice.stage == "created") text += " before authentication";
  if (slice.stage == "authorised") text += " at authorisation";
  if (slice.decline != "*") text += ", declined as " + slice.decline;
  return text;
}

bool scope_covers(const Scope& outer, const Scope& inner) {
  return admits(outer.issuer, inner.issuer) && admits(outer.method, inner.method) &&
         admits(outer.gateway, inner.gateway);
}

bool would_help(std::string_view type, const Scope& scope, const Hypothesis& h,
                std::string_view answered) {
  if (!scope_covers(h.scope, scope) && h.id != answered) return false;
  switch (h.cause) {
    case Cause::issuer_down:
    case Cause::method_wide:
      return type != action_type::kRerouteTraffic || h.scope.gateway != "*";
    case Cause::network:
      // Moving payments mends nothing where one region's network fails.
      return !is_part(h.slice) || h.id == answered;
    case Cause::gateway_down:
    case Cause::upstream_down:
    case Cause::latency:
      return true;
    case Cause::retry_storm:
      return is_retry(type) || h.id == answered;
    default:
      return h.id == answered;
  }
}

double belief(const Hypothesis& h) { return std::max(h.posterior, h.certainty); }

double helpful_belief(const std::vector<Hypothesis>& hypotheses, std::string_view type,
                      const Scope& scope, std::string_view answered) {
  double sum = 0.0;
  for (const Hypothesis& h : hypotheses) {
    if (would_help(type, scope, h, answered)) sum += belief(h);
  }
  return std::clamp(sum, 0.0, 1.0);
}

}  // namespace payops
