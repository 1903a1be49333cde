#include "past_routes.h"

#include <charconv>
#include <limits>
#include <optional>

#include "http_server.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

using httplib::Request;
using httplib::Response;

constexpr std::size_t kListedMax = 500;
constexpr std::size_t kQueryTextMax = 200;

// A whole number from 0 on; `without` where the parameter is missing, nothing where it is not one.
std::optional<int64_t> number(const Request& req, const char* name, int64_t without) {
  if (!req.has_param(name)) return without;
  const std::string text = req.get_param_value(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

Reply told(const Error& error) {
  switch (error.code) {
    case ErrorCode::usage:
      return failure(400, "bad_request", error.message);
    case ErrorCode::not_found:
      return failure(404, "not_found", error.message);
    case ErrorCode::refused:
      return failure(429, "busy", error.message);
    case ErrorCode::corrupt:
      return failure(409, "altered", error.message);
    default:
      return failure(503, "unavailable", error.message);
  }
}

void answer(Response& res, const Result<std::string>& text) {
  if (!text) return give(res, told(text.error()));
  res.set_content(*text, "application/json");
}

void give_series(const Feed& feed, const Request& req, Response& res) {
  const auto scope = parse_scope(req.get_param_value("scope"));
  const auto from = number(req, "from", 0);
  const auto to = number(req, "to", std::numeric_limits<int64_t>::max());
  const std::string format = req.get_param_value("format");
  if (!scope || !from || !to || (!format.empty() && format != "csv" && format != "json")) {
    return give(res, failure(400, "bad_request",
                             "a series is asked for as ?scope=ISSUER|METHOD|GATEWAY (* is any), "
                             "from and to in ms, format json or csv"));
  }
  const SeriesValues values = feed.series(*scope, *from, *to);
  if (format != "csv") return res.set_content(series_text(values), "application/json");
  res.set_header("Content-Disposition", "attachment; filename=\"series.csv\"");
  res.set_content(series_csv(values), "text/csv; charset=utf-8");
}

std::optional<PastQuery> query_of(const Request& req) {
  const auto from = number(req, "from", 0);
  const auto to = number(req, "to", 0);
  const auto limit = number(req, "limit", 200);
  if (!from || !to || !limit) return std::nullopt;
  return PastQuery{.text = req.get_param_value("q").substr(0, kQueryTextMax),
                   .from_ms = *from,
                   .to_ms = *to,
                   .limit = std::min<std::size_t>(static_cast<std::size_t>(*limit), kListedMax)};
}

}  // namespace

void route_past(httplib::Server& server, const Guard& guarded, const Feed& feed, Past* past) {
  server.Get("/api/series", guarded(Right::watch, "look",
                                    [&feed](const Identity&, const Request& req, Response& res) {
                                      give_series(feed, req, res);
                                    }));
  const auto asked = [&](const char* path, Right right, const std::string& what,
                         std::function<Result<std::string>(Past&, const Request&)> ask) {
    server.Get(
        path,
        guarded(right, what,
                [past, ask = std::move(ask)](const Identity&, const Request& req, Response& res) {
                  if (past == nullptr) {
                    return give(res, failure(404, "not_found", "this console has no audit log"));
                  }
                  answer(res, ask(*past, req));
                }));
  };
  const auto odd = [] {
    return tl::make_unexpected(Error{ErrorCode::usage, false, "numbers must be whole, from 0 on"});
  };
  const auto listed = [odd](Result<std::string> (Past::*list)(const PastQuery&)) {
    return [odd, list](Past& p, const Request& req) -> Result<std::string> {
      const auto query = query_of(req);
      if (!query) return odd();
      return (p.*list)(*query);
    };
  };
  asked("/api/incidents", Right::watch, "look", listed(&Past::incidents));
  asked("/api/interventions", Right::watch, "look", listed(&Past::interventions));
  asked("/api/replay", Right::watch, "look",
        [odd](Past& p, const Request& req) -> Result<std::string> {
          const auto at = number(req, "at", 0);
          if (!at) return odd();
          return p.screen(*at);
        });
  asked("/api/audit/verify", Right::audit, "read the audit log",
        [](Past& p, const Request&) { return p.verify(); });
  asked("/api/audit", Right::audit, "read the audit log",
        [odd](Past& p, const Request& req) -> Result<std::string> {
          const auto before = number(req, "before", 0);
          const auto limit = number(req, "limit", 50);
          if (!before || !limit) return odd();
          return p.records(static_cast<uint64_t>(*before),
                           std::min<std::size_t>(static_cast<std::size_t>(*limit), kListedMax));
        });
  asked("/api/audit/([0-9]{1,18})", Right::audit, "read the audit log",
        [](Past& p, const Request& req) { return p.record(std::stoull(req.matches[1].str())); });
}

}  // namespace payops::api
